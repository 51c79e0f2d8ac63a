//! Conversations, the inbox and the outbox.

use super::*;

#[test]
fn a_conversation_survives_reopening_after_every_message() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    for i in 0..6u8 {
        say(&mut a, "b", &mut b, &[i]);
        (a, b) = {
            drop((a, b));
            (home.open("a").unwrap(), home.open("b").unwrap())
        };
        say(&mut b, "a", &mut a, &[i, i]);
    }
    let info = b.contact("a").unwrap();
    assert_eq!(info.sessions.len(), 1);
    assert!(info.sessions[0].peer_has_answered && !info.verified);
    assert_eq!(
        a.safety_number(&b.id()).digits(),
        b.safety_number(&info.identity).digits()
    );
}

#[test]
fn the_same_message_yields_the_same_plaintext_until_it_is_acknowledged() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    let out = a.send("b", b"once", NOW).unwrap();
    let first = b.receive(&out.message, None, NOW).unwrap();
    drop(b); // as in a crash before the application had it
    let mut b = home.open("b").unwrap();
    assert_eq!(b.inbox().unwrap().len(), 1);
    let again = b.receive(&out.message, None, NOW).unwrap();
    assert_eq!(again.plaintext(), Some(&b"once"[..]));
    assert_eq!((again.id, &again.author), (first.id, &first.author));
    b.acknowledge(again.id).unwrap();
    assert!(b.inbox().unwrap().is_empty());
    for _ in 0..2 {
        let refused = b.receive(&out.message, None, NOW).unwrap_err();
        assert!(matches!(
            refused,
            Error::Protocol(ProtocolError::Duplicate | ProtocolError::PrekeyUsed)
        ));
        b.flush().unwrap();
    }
}

#[test]
fn a_ciphertext_stays_in_the_outbox_until_it_is_marked_as_sent() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    let sent: Vec<_> = (0..3u8).map(|i| a.send("b", &[i], NOW).unwrap()).collect();
    drop(a);
    let mut a = home.open("a").unwrap();
    assert_eq!(a.outbox().unwrap(), sent);
    a.mark_sent(sent[1].id).unwrap();
    assert_eq!(a.outbox().unwrap(), [sent[0].clone(), sent[2].clone()]);
    a.flush().unwrap();
    drop(a);
    assert_eq!(home.open("a").unwrap().outbox().unwrap().len(), 2);
    // Out of order, with the first flight in each.
    for out in sent.iter().rev() {
        let _ = b.receive(&out.message, None, NOW).unwrap();
    }
    assert_eq!(b.inbox().unwrap().len(), 3);
}

#[test]
fn nothing_changes_on_a_refused_message() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    b.flush().unwrap();
    let before = (bytes(&home.path("b")), b.generation());
    let mut forged = a.send("b", b"y", NOW).unwrap().message;
    *forged.last_mut().unwrap() ^= 1;
    assert!(b.receive(&forged, None, NOW).is_err());
    assert!(b.receive(&forged, Some("a"), NOW).is_err());
    assert!(matches!(
        b.receive(b"", Some("nobody"), NOW),
        Err(Error::NotFound)
    ));
    b.flush().unwrap();
    assert_eq!((bytes(&home.path("b")), b.generation()), before);
}

#[test]
fn a_forged_message_with_an_accepted_first_flight_is_called_forged() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    let mut forged = a.send("b", b"y", NOW).unwrap().message;
    *forged.last_mut().unwrap() ^= 1;
    for from in [None, Some("a")] {
        // And not `PrekeyUsed`, after which people would exchange bundles.
        assert!(matches!(
            b.receive(&forged, from, NOW),
            Err(Error::Protocol(ProtocolError::Authentication))
        ));
    }
}

#[test]
fn simultaneous_first_messages_end_in_one_session() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    let publication = a.publish(2, NOW).unwrap();
    b.add_contact("a", &publication.bundle(1).unwrap(), NOW)
        .unwrap();
    let (from_a, from_b) = (
        a.send("b", b"1", NOW).unwrap(),
        b.send("a", b"2", NOW).unwrap(),
    );
    let _ = a.receive(&from_b.message, None, NOW).unwrap();
    let _ = b.receive(&from_a.message, None, NOW).unwrap();
    let best = |d: &mut Device, name| d.contact(name).unwrap().sessions[0].session_id;
    assert_eq!(best(&mut a, "b"), best(&mut b, "a"));
    say(&mut a, "b", &mut b, b"on");
    say(&mut b, "a", &mut a, b"on");
}

#[test]
fn a_reset_is_told_to_the_peer_and_limited() {
    let home = Home::new();
    let (mut a, mut b, publication) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    assert!(matches!(
        a.reset("b", NOW),
        Err(Error::Protocol(ProtocolError::NoSession))
    ));
    for (i, expected) in [(1, true), (2, false)] {
        a.add_contact("b", &publication.bundle(i).unwrap(), NOW)
            .unwrap();
        let reset = a.reset("b", NOW);
        assert_eq!(reset.is_ok(), expected);
        if let Ok(out) = reset {
            let incoming = b.receive(&out.message, None, NOW).unwrap();
            assert!(incoming.is_reset() && incoming.plaintext().is_none());
        }
    }
    assert!(
        a.contact("b").unwrap().has_bundle,
        "a refused reset uses no bundle up"
    );
    say(&mut b, "a", &mut a, b"again");
}

#[test]
fn two_handles_on_one_file_never_encrypt_from_one_state() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    let mut second = home.open("a").unwrap();
    for i in 0..4u8 {
        let one = a.send("b", &[i, 1], NOW).unwrap();
        let two = second.send("b", &[i, 2], NOW).unwrap();
        assert_eq!(
            b.receive(&two.message, None, NOW).unwrap().plaintext(),
            Some(&[i, 2][..])
        );
        assert_eq!(
            b.receive(&one.message, None, NOW).unwrap().plaintext(),
            Some(&[i, 1][..])
        );
    }
}
