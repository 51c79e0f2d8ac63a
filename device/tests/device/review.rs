//! What a hostile review found: each was wrong once.

use super::*;

#[test]
fn an_id_that_was_never_given_deletes_nothing() {
    let home = Home::new();
    let mut device = home.create("a");
    // What a refused call leaves in a caller's buffer; the row with the wrapped key has this name.
    device.acknowledge([0; 32]).unwrap();
    device.mark_sent([0; 32]).unwrap();
    device.flush().unwrap();
    drop(device);
    home.open("a").unwrap();
}

#[test]
fn what_is_marked_as_sent_leaves_the_outbox_only_and_what_is_acknowledged_the_inbox_only() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    let out = a.send("b", b"x", NOW).unwrap();
    let incoming = b.receive(&out.message, None, NOW).unwrap();
    a.acknowledge(out.id).unwrap();
    b.mark_sent(incoming.id).unwrap();
    for device in [&mut a, &mut b] {
        device.flush().unwrap();
    }
    assert_eq!(
        (a.outbox().unwrap().len(), b.inbox().unwrap().len()),
        (1, 1)
    );
}

#[test]
fn what_waits_in_the_inbox_is_given_again_for_the_same_associated_data_only() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    // The first is an initial message, the second is not.
    for text in [&b"first"[..], b"second"] {
        let options = SendOptions {
            ad: b"room 1",
            ..SendOptions::default()
        };
        let out = a.send_with("b", text, options, NOW).unwrap();
        let got = b.receive_with(&out.message, None, b"room 1", NOW).unwrap();
        for other in [&b"room 2"[..], b""] {
            assert!(b.receive_with(&out.message, None, other, NOW).is_err());
        }
        let unknown = b.receive_with(&out.message, Some("nobody"), b"room 1", NOW);
        assert!(matches!(unknown, Err(Error::NotFound)));
        let again = b.receive_with(&out.message, Some("a"), b"room 1", NOW);
        let again = again.unwrap();
        assert_eq!((again.id, again.plaintext()), (got.id, Some(text)));
        // An answer, so that the next message starts no session.
        let answer = b.send("a", b"answer", NOW).unwrap();
        let _ = a.receive(&answer.message, None, NOW).unwrap();
    }
}

#[test]
fn an_identity_that_awaits_a_decision_renames_nobody() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    let mut other = home.create("other");
    let bundles = other.publish(4, NOW).unwrap();
    let bundle = |index| bundles.bundle(index).unwrap();
    say(&mut a, "b", &mut b, b"x");
    // The directory lies about b; then the user adds the other under its own name.
    a.add_contact("b", &bundle(0), NOW).unwrap();
    let refused = a.add_contact("other", &bundle(1), NOW);
    assert!(matches!(refused, Err(Error::Exists)), "{refused:?}");
    assert_eq!(a.contact("b").unwrap().identity, b.id());
    a.reject_identity("b").unwrap();
    say(&mut a, "b", &mut b, b"still you");
    // Refused as b, it is itself.
    assert!(a.add_contact("other", &bundle(1), NOW).unwrap().new);
    say(&mut a, "other", &mut other, b"and you are you");
}

#[test]
fn a_former_identity_renames_nobody() {
    let home = Home::new();
    let (mut a, mut b, publication) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    let mut other = home.create("other");
    let bundle = other.publish(1, NOW).unwrap().bundle(0).unwrap();
    a.add_contact("b", &bundle, NOW).unwrap();
    a.acknowledge_identity("b", other.id()).unwrap();
    let refused = a.add_contact("bert", &publication.bundle(1).unwrap(), NOW);
    assert!(matches!(refused, Err(Error::Exists)), "{refused:?}");
    assert_eq!(a.contact("b").unwrap().identity, other.id());
}

#[test]
fn an_identity_that_another_replaced_before_a_decision_leads_to_nobody() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    let (mut one, mut two) = (home.create("one"), home.create("two"));
    let bundles = [&mut one, &mut two].map(|device| device.publish(2, NOW).unwrap());
    for publication in &bundles {
        let bundle = publication.bundle(0).unwrap();
        a.add_contact("b", &bundle, NOW).unwrap();
    }
    assert_eq!(a.contact("b").unwrap().changed, Some(two.id()));
    let bundle = bundles[0].bundle(1).unwrap();
    assert!(a.add_contact("one", &bundle, NOW).unwrap().new);
    say(&mut a, "one", &mut one, b"hello");
}

#[test]
fn an_event_without_a_plaintext_names_who_wrote_it() {
    let rng = &mut getrandom::SysRng;
    let home = Home::new();
    let (mut a, _, _) = home.pair();
    // A pending identity of b, which writes what is not of section 10.1.
    let mut other = marline::Account::generate("other", rng).unwrap();
    let theirs = other.publish(1, NOW, rng).unwrap();
    let record = theirs.one_time_bytes().next().unwrap();
    a.add_contact("b", &[theirs.manifest_bytes(), record].concat(), NOW)
        .unwrap();
    let bundle = a.publish(1, NOW).unwrap().bundle(0).unwrap();
    let bundle = marline::PrekeyBundle::from_bytes(&bundle).unwrap();
    let opening = [&[1][..], &NOW.to_be_bytes(), b"hi"].concat();
    let (mut session, first) = other.initiate(&bundle, &opening, NOW, rng).unwrap();
    let first = a.receive(&first, None, NOW).unwrap();
    assert_eq!(
        (&first.contact[..], first.author.identity),
        ("b", other.id())
    );
    let odd = session.encrypt(&[9], rng).unwrap();
    let odd = a.receive(&odd, None, NOW).unwrap();
    assert_eq!(odd.events, [Event::Unreadable]);
    assert_eq!((odd.plaintext(), odd.author.identity), (None, other.id()));
    assert_eq!(odd.trust, Trust::Other);
}

#[test]
fn events_wait_in_the_inbox_until_they_are_acknowledged() {
    let home = Home::new();
    let (mut a, mut b, publication) = home.pair();
    let first = a.send("b", b"x", NOW).unwrap();
    let first = b.receive(&first.message, None, NOW).unwrap();
    a.add_contact("b", &publication.bundle(1).unwrap(), NOW)
        .unwrap();
    let reset = a.reset("b", NOW + 1).unwrap();
    let told = b.receive(&reset.message, None, NOW + 1).unwrap();
    assert!(told.is_reset() && told.plaintext().is_none());
    drop(b); // the process ends before the user was told
    let mut b = home.open("b").unwrap();
    let waiting = b.inbox().unwrap();
    let events: Vec<_> = waiting.iter().map(|incoming| &incoming.events).collect();
    assert_eq!(events, [&first.events, &told.events]);
    assert_eq!(waiting[0].plaintext(), Some(&b"x"[..]));
    assert_eq!(waiting[1].plaintext(), None);
    let again = b.receive(&reset.message, None, NOW + 1).unwrap();
    assert_eq!((again.id, &again.events), (told.id, &told.events));
    b.acknowledge(told.id).unwrap();
    b.flush().unwrap();
    assert_eq!(b.inbox().unwrap().len(), 1);
}

fn batched() -> Options {
    Options {
        durability: Durability::Batched,
        ..Options::default()
    }
}

#[test]
fn an_opened_device_has_no_anchor_ahead_of_what_is_on_disk() {
    let open: [fn(&Path) -> Device; 2] = [
        |path| Device::open(path, key(), batched()).unwrap(),
        |path| Device::open_restored(path, key(), batched(), NOW).unwrap(),
    ];
    for open in open {
        let home = Home::new();
        let path = home.path("a");
        let mut device = Device::create(&path, key(), b"a", batched()).unwrap();
        for _ in 0..2 {
            device.publish(4, NOW).unwrap();
        }
        // Neither is closed before the power cut, which may take the log, synced by nobody, and leave the anchor.
        let opened = open(&path);
        fs::copy(&path, home.path("cut")).unwrap();
        fs::copy(home.path("a.anchor"), home.path("cut.anchor")).unwrap();
        drop((device, opened));
        Device::open(home.path("cut"), key(), batched()).unwrap();
    }
}

#[test]
fn a_file_from_before_a_restored_copy_is_a_rollback() {
    let home = Home::new();
    let mut device = home.create("a");
    device.backup(home.path("backup")).unwrap();
    for _ in 0..6 {
        device.publish(1, NOW).unwrap();
    }
    device.backup(home.path("later")).unwrap();
    drop(device);
    let restore = |name: &str| {
        fs::copy(home.path(name), home.path("a")).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(home.path(&format!("a{suffix}")));
        }
    };
    restore("backup");
    let options = Options::default();
    let restored = Device::open_restored(home.path("a"), key(), options, NOW).unwrap();
    let generation = restored.generation();
    drop(restored);
    home.open("a").unwrap();
    restore("later");
    let options = Options {
        anchor: Anchor::None,
        ..Options::default()
    };
    let later = Device::open(home.path("a"), key(), options).unwrap();
    assert!(
        later.generation() > generation,
        "the number does not show it"
    );
    drop(later);
    assert!(matches!(home.open("a"), Err(Error::Rollback)));
}

#[test]
fn room_for_less_than_a_page_is_refused() {
    let home = Home::new();
    let options = |bytes| Options {
        max_bytes: Some(bytes),
        ..Options::default()
    };
    for bytes in [0, 4000] {
        let refused = Device::create(home.path("a"), key(), b"a", options(bytes));
        assert!(matches!(refused, Err(Error::DiskFull)), "{refused:?}");
        assert!(!home.path("a").exists());
    }
    home.create("a");
    let refused = Device::open(home.path("a"), key(), options(4000));
    assert!(matches!(refused, Err(Error::DiskFull)), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn a_backup_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let mut device = home.create("a");
    device.backup(home.path("copy")).unwrap();
    let mode = fs::metadata(home.path("copy"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = device.backup(home.path("copy"));
    assert!(matches!(again, Err(Error::Exists)), "{again:?}");
    Device::open(home.path("copy"), key(), Options::default()).unwrap();
}

#[test]
fn an_anchor_in_the_devices_own_files_is_refused() {
    let home = Home::new();
    let at = |path: PathBuf| Options {
        anchor: Anchor::At(path),
        ..Options::default()
    };
    for name in ["a", "a-wal", "../x/a"] {
        fs::create_dir_all(home.path("x")).unwrap();
        let anchor = home.path("x").join(name);
        let refused = Device::create(home.path("x/a"), key(), b"a", at(anchor));
        assert!(matches!(refused, Err(Error::Exists)), "{refused:?}");
        assert!(!home.path("x/a").exists());
    }
    home.create("a");
    let before = bytes(&home.path("a"));
    for restored in [false, true] {
        let (path, options) = (home.path("a"), at(home.path("./a")));
        let refused = match restored {
            false => Device::open(&path, key(), options),
            true => Device::open_restored(&path, key(), options, NOW),
        };
        assert!(matches!(refused, Err(Error::Exists)), "{refused:?}");
    }
    assert_eq!(bytes(&home.path("a")), before);
    home.open("a").unwrap();
}

#[test]
fn of_two_processes_none_brings_the_anchor_back() {
    let home = Home::new();
    let mut ahead = home.create("a");
    let mut behind = home.open("a").unwrap();
    ahead.publish(1, NOW).unwrap();
    let anchor = bytes(&home.path("a.anchor"));
    // It knows of no change since it was opened.
    behind.flush().unwrap();
    assert_eq!(bytes(&home.path("a.anchor")), anchor);
}

#[test]
fn a_damaged_contact_keeps_no_message_from_the_others() {
    let home = Home::new();
    let (mut a, mut b, publication) = home.pair();
    let mut c = home.create("c");
    c.add_contact("b", &publication.bundle(1).unwrap(), NOW)
        .unwrap();
    for (device, name) in [(&mut a, "a"), (&mut c, "c")] {
        say(device, "b", &mut b, b"x");
        say(&mut b, name, device, b"answered");
    }
    b.flush().unwrap();
    let keys = || -> Vec<Vec<u8>> {
        let raw = rusqlite::Connection::open(home.path("b")).unwrap();
        let mut query = raw.prepare("SELECT key FROM rows WHERE kind = 3").unwrap();
        let keys = query.query_map([], |row| row.get(0)).unwrap();
        keys.map(Result::unwrap).collect()
    };
    // Which of the two rows is whose does not show: one of the devices is heard, the other is not.
    let damage = "UPDATE rows SET value = zeroblob(100) WHERE key = ?1";
    rusqlite::Connection::open(home.path("b"))
        .unwrap()
        .execute(damage, [&keys()[0]])
        .unwrap();
    let whole = ["a", "c"].map(|name| b.contact(name).is_ok());
    let (good, bad) = match whole {
        [true, false] => ("a", "c"),
        [false, true] => ("c", "a"),
        both => panic!("{both:?}"),
    };
    let sent = [&mut a, &mut c].map(|device| device.send("b", b"y", NOW).unwrap().message);
    let (from_good, from_bad) = match good {
        "a" => (&sent[0], &sent[1]),
        _ => (&sent[1], &sent[0]),
    };
    let arrived = [
        (&from_bad[..], None),
        (&from_bad[..], Some(bad)),
        (&from_good[..], None),
    ];
    let got = b.receive_many(&arrived, &[], NOW).unwrap();
    for refused in &got[..2] {
        assert!(matches!(refused, Err(Error::Corrupt)), "{refused:?}");
    }
    assert_eq!(got[2].as_ref().unwrap().plaintext(), Some(&b"y"[..]));
}

#[test]
fn a_session_after_a_restore_ranks_above_those_of_the_copy() {
    let home = Home::new();
    let (mut a, mut b) = (home.create("a"), home.create("b"));
    // The clock of b is twenty days ahead.
    let ahead = NOW + 20 * DAY;
    let bundle = a.publish(1, ahead).unwrap().bundle(0).unwrap();
    b.add_contact("a", &bundle, ahead).unwrap();
    let out = b.send("a", b"x", ahead).unwrap();
    let _ = a.receive(&out.message, None, NOW).unwrap();
    a.backup(home.path("copy")).unwrap();
    drop(a);
    let open = |path: PathBuf| Device::open_restored(path, key(), Options::default(), NOW).unwrap();
    drop(open(home.path("copy")));
    // Twice: what was given up once stays known.
    let mut a = open(home.path("copy"));
    let bundle = b.publish(1, NOW).unwrap().bundle(0).unwrap();
    a.add_contact("b", &bundle, NOW).unwrap();
    let back = a.send("b", b"back", NOW).unwrap();
    let back = b.receive(&back.message, None, NOW).unwrap();
    assert!(matches!(
        back.events[..],
        [Event::NewSession { sends: true, .. }]
    ));
    say(&mut b, "a", &mut a, b"do you read me");
}
