//! Identities, names, upkeep.

use super::*;

#[test]
fn a_changed_identity_stops_sending_until_the_user_decides() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    a.set_verified("b", b.id(), true).unwrap();
    let mut other = home.create("other");
    let publication = other.publish(4, NOW).unwrap();
    let added = a
        .add_contact("b", &publication.bundle(0).unwrap(), NOW)
        .unwrap();
    assert_eq!(
        added.event,
        Some(Event::IdentityChanged {
            from: b.id(),
            to: other.id()
        })
    );
    let refused = a.send("b", b"x", NOW).unwrap_err();
    assert!(matches!(
        refused,
        Error::Protocol(ProtocolError::IdentityChanged)
    ));
    assert!(a.acknowledge_identity("b", b.id()).is_err());
    let unknown = a.set_verified("b", other.id(), false).unwrap_err();
    assert!(matches!(
        unknown,
        Error::Protocol(ProtocolError::IdentityChanged)
    ));

    a.reject_identity("b").unwrap();
    say(&mut a, "b", &mut b, b"still you");
    assert!(a.contact("b").unwrap().verified);

    a.add_contact("b", &publication.bundle(1).unwrap(), NOW)
        .unwrap();
    a.acknowledge_identity("b", other.id()).unwrap();
    say(&mut a, "b", &mut other, b"new you");
    // The user compared the number of the former identity, and answers now.
    let late = a.set_verified("b", b.id(), true).unwrap_err();
    assert!(matches!(
        late,
        Error::Protocol(ProtocolError::IdentityChanged)
    ));
    assert!(!a.contact("b").unwrap().verified);
    // The former identity is still read, and told apart.
    let late = b.send("a", b"late", NOW).unwrap();
    let incoming = a.receive(&late.message, None, NOW).unwrap();
    assert_eq!(
        (incoming.trust, incoming.author.identity),
        (Trust::Other, b.id())
    );
}

#[test]
fn a_stranger_with_a_known_subject_becomes_another_contact() {
    let home = Home::new();
    let (mut a, mut b, publication) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    let options = Options::default();
    let mut stranger = Device::create(home.path("s"), key(), b"a", options).unwrap();
    stranger
        .add_contact("b", &publication.bundle(1).unwrap(), NOW)
        .unwrap();
    let out = stranger.send("b", b"it is me", NOW).unwrap();
    let incoming = b.receive(&out.message, None, NOW).unwrap();
    assert!(incoming.contact.starts_with("a~") && incoming.author.identity == stranger.id());
    say(&mut b, "a", &mut a, b"to the real one");
}

#[test]
fn maintain_publishes_replenishes_deletes_and_says_so() {
    let home = Home::new();
    let mut device = home.create("d");
    let first = device.maintain(NOW).unwrap();
    assert_eq!(first.published.as_ref().unwrap().one_time.len(), 100);
    assert_eq!(device.unpublished().unwrap(), first.published);
    device.mark_published().unwrap();
    assert_eq!(device.unpublished().unwrap(), None);
    let idle = device.maintain(NOW + 1).unwrap();
    assert!(idle.published.is_none() && idle.reason.is_none() && idle.deleted == 0);
    assert!(device.maintain(NOW + 7 * DAY).unwrap().published.is_some());
    // 28 days of validity and 7 of grace.
    assert_eq!(device.maintain(NOW + 35 * DAY).unwrap().deleted, 1);
    let status = device.status(NOW + 35 * DAY).unwrap();
    assert!(status.due.is_empty() && status.one_time_prekeys == 100 && status.unpublished);
}

#[test]
fn names_are_checked_and_contacts_renamed() {
    let home = Home::new();
    let (mut a, _, publication) = home.pair();
    let bundle = publication.bundle(1).unwrap();
    for bad in ["", "a\nb", &"x".repeat(256)] {
        assert!(matches!(a.add_contact(bad, &bundle, NOW), Err(Error::Name)));
    }
    let added = a.add_contact("bert", &bundle, NOW).unwrap();
    assert!(!added.new && added.event.is_none());
    assert!(matches!(a.contact("b"), Err(Error::NotFound)));
    assert_eq!(a.contacts().unwrap().len(), 1);
    let expired = a.add_contact("bert", &bundle, NOW + 29 * DAY).unwrap_err();
    assert!(matches!(expired, Error::Protocol(ProtocolError::Expired)));
}

#[test]
fn a_second_changed_identity_hides_neither() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    let (mut one, mut two) = (home.create("one"), home.create("two"));
    let bundles = [&mut one, &mut two].map(|device| {
        let publication = device.publish(4, NOW).unwrap();
        [0, 1].map(|i| publication.bundle(i).unwrap())
    });
    let changed = |to: &Device| {
        Some(Event::IdentityChanged {
            from: b.id(),
            to: to.id(),
        })
    };
    let (to_one, to_two) = (changed(&one), changed(&two));
    // Each is an event when it shows; the one shown last awaits the decision, and no other can be accepted.
    for (bundle, event) in [(&bundles[0][0], to_one), (&bundles[1][0], to_two)] {
        assert_eq!(a.add_contact("b", bundle, NOW).unwrap().event, event);
        assert_eq!(a.contact("b").unwrap().identity, b.id());
    }
    assert_eq!(a.contact("b").unwrap().changed, Some(two.id()));
    assert!(a.acknowledge_identity("b", one.id()).is_err());
    a.reject_identity("b").unwrap();
    say(&mut a, "b", &mut b, b"still you");
    // The first was not decided about: when it shows again it is an event again, and stops sending again.
    let again = a.add_contact("b", &bundles[0][1], NOW).unwrap();
    assert_eq!(again.event, to_one);
    assert!(matches!(
        a.send("b", b"x", NOW),
        Err(Error::Protocol(ProtocolError::IdentityChanged))
    ));
    a.acknowledge_identity("b", one.id()).unwrap();
    say(&mut a, "b", &mut one, b"new you");
}
