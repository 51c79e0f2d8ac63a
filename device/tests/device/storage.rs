//! The file: keys, damage, rollback, a full disk, what it shows.

use super::*;

#[test]
fn a_wrong_key_or_passphrase_is_a_typed_error_and_leaves_the_file_alone() {
    let home = Home::new();
    let params = Argon2Params {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };
    let phrase = |text: &str| Unlock::Passphrase(text.into(), params);
    let path = home.path("p");
    Device::create(&path, phrase("right"), b"p", Options::default()).unwrap();
    let before = bytes(&path);
    for wrong in [phrase("wrong"), phrase(""), key()] {
        let refused = Device::open(&path, wrong, Options::default()).unwrap_err();
        assert!(matches!(refused, Error::WrongKey));
    }
    assert_eq!(bytes(&path), before);
    Device::open(&path, phrase("right"), Options::default()).unwrap();

    let weak = Argon2Params {
        memory_kib: 19_455,
        passes: 2,
        lanes: 1,
    };
    let refused = Device::create(
        home.path("w"),
        Unlock::Passphrase(b"x".to_vec(), weak),
        b"",
        Options::default(),
    );
    assert!(matches!(refused, Err(Error::Parameters)));
    assert!(!home.path("w").exists());
}

#[test]
fn an_older_copy_of_the_file_is_a_rollback_and_harmless_once_restored() {
    let home = Home::new();
    let (mut a, mut b, publication) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    a.set_verified("b", b.id(), true).unwrap();
    a.backup(home.path("backup")).unwrap();
    let kept = a.generation();
    let old = b.send("a", b"read after the backup", NOW).unwrap();
    let _ = a.receive(&old.message, None, NOW).unwrap();
    say(&mut a, "b", &mut b, b"y");
    drop(a);

    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(home.path(&format!("a{suffix}")));
    }
    fs::copy(home.path("backup"), home.path("a")).unwrap();
    assert!(matches!(home.open("a"), Err(Error::Rollback)));
    // The generation the application remembers shows it as well, without the anchor.
    let options = Options {
        anchor: Anchor::None,
        minimum_generation: kept + 1,
        ..Options::default()
    };
    assert!(matches!(
        Device::open(home.path("a"), key(), options),
        Err(Error::Rollback)
    ));

    let mut a = Device::open_restored(home.path("a"), key(), Options::default(), NOW).unwrap();
    let refused = a.send("b", b"x", NOW).unwrap_err();
    assert!(matches!(refused, Error::Protocol(ProtocolError::NoSession)));
    // What was read before is not read as new.
    assert!(a.receive(&old.message, None, NOW).is_err());
    let info = a.contact("b").unwrap();
    assert!(info.verified && info.identity == b.id() && info.sessions.is_empty());
    a.add_contact("b", &publication.bundle(3).unwrap(), NOW)
        .unwrap();
    let later = NOW + 1; // the copy does not know how high the ranks of its sessions were
    let out = a.send("b", b"back", later).unwrap();
    let _ = b.receive(&out.message, None, later).unwrap();
    say(&mut b, "a", &mut a, b"welcome");
    drop(a);
    home.open("a").unwrap();
}

#[test]
fn damage_anywhere_is_a_typed_error_and_never_another_plaintext() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    a.flush().unwrap();
    drop(a);
    let good = bytes(&home.path("a"));
    let (mut refused, mut unharmed) = (0, 0);
    for at in (0..good.len()).step_by(good.len() / 150) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(home.path("bad"), &bad).unwrap();
        let options = Options {
            anchor: Anchor::None,
            ..Options::default()
        };
        let opened = Device::open(home.path("bad"), key(), options);
        match opened.and_then(|mut device| device.send("b", b"z", NOW)) {
            Ok(_) => unharmed += 1, // free space
            Err(
                Error::Corrupt
                | Error::WrongKey
                | Error::Schema
                | Error::NotFound
                | Error::Conflict
                | Error::Storage(_),
            ) => refused += 1,
            Err(error) => panic!("at {at}: {error:?}"),
        }
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(home.path(&format!("bad{suffix}")));
        }
    }
    assert!(refused > 20 && unharmed > 0, "{refused} {unharmed}");
    for bad in [&b"not a database at all"[..], b""] {
        fs::write(home.path("bad"), bad).unwrap();
        let refused = Device::open(home.path("bad"), key(), Options::default()).unwrap_err();
        assert!(matches!(refused, Error::Schema), "{refused:?}");
        assert_eq!(bytes(&home.path("bad")), bad);
    }
}

#[test]
fn a_full_disk_is_a_typed_error_and_the_conversation_goes_on() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    a.flush().unwrap();
    drop(a);
    let size = fs::metadata(home.path("a")).unwrap().len();
    let options = Options {
        max_bytes: Some(size + 65_536),
        ..Options::default()
    };
    let mut a = Device::open(home.path("a"), key(), options).unwrap();
    let generation = a.generation();
    assert!(matches!(
        a.send("b", &vec![0; 1 << 20], NOW),
        Err(Error::DiskFull)
    ));
    assert_eq!(a.generation(), generation);
    say(&mut a, "b", &mut b, b"small");
}

#[test]
fn storage_failures_are_told_apart() {
    use rusqlite::ffi;
    let sqlite = |code| Error::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
    assert!(matches!(sqlite(ffi::SQLITE_READONLY), Error::ReadOnly));
    assert!(matches!(sqlite(ffi::SQLITE_FULL), Error::DiskFull));
    assert!(matches!(sqlite(ffi::SQLITE_CORRUPT), Error::Corrupt));
    assert!(matches!(sqlite(ffi::SQLITE_BUSY), Error::Busy));
    let io = |kind: std::io::ErrorKind| Error::from(std::io::Error::from(kind));
    assert!(matches!(
        io(std::io::ErrorKind::StorageFull),
        Error::DiskFull
    ));
    assert!(matches!(
        io(std::io::ErrorKind::PermissionDenied),
        Error::ReadOnly
    ));
}

#[test]
fn a_newer_schema_is_refused() {
    let home = Home::new();
    home.create("a").flush().unwrap();
    let raw = rusqlite::Connection::open(home.path("a")).unwrap();
    raw.pragma_update(None, "user_version", 4).unwrap();
    drop(raw);
    let before = bytes(&home.path("a"));
    assert!(matches!(home.open("a"), Err(Error::Schema)));
    assert_eq!(bytes(&home.path("a")), before);
}

#[test]
fn nothing_readable_is_in_the_file() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    let marker = b"a-marker-that-is-easy-to-find";
    say(&mut a, "b", &mut b, marker);
    let out = a.send("b", marker, NOW).unwrap();
    let _ = b.receive(&out.message, None, NOW).unwrap();
    for device in [&mut a, &mut b] {
        device.flush().unwrap();
    }
    let identity = *b.id().as_bytes();
    let message = &out.message[..64];
    for name in ["a", "b"] {
        let file = bytes(&home.path(name));
        for needle in [&marker[..], &identity[..], message] {
            assert!(!file.windows(needle.len()).any(|window| window == needle));
        }
    }
}

#[test]
fn batched_commits_keep_the_anchor_behind_the_file() {
    let home = Home::new();
    let options = Options {
        durability: Durability::Batched,
        ..Options::default()
    };
    let mut device = Device::create(home.path("d"), key(), b"d", options.clone()).unwrap();
    let anchor = bytes(&home.path("d.anchor"));
    device.publish(1, NOW).unwrap();
    assert_eq!(bytes(&home.path("d.anchor")), anchor);
    device.flush().unwrap();
    assert_ne!(bytes(&home.path("d.anchor")), anchor);
    drop(device);
    Device::open(home.path("d"), key(), options).unwrap();
}

#[test]
fn the_room_of_what_was_read_is_given_back() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    b.flush().unwrap();
    let size = |name: &str| fs::metadata(home.path(name)).unwrap().len();
    let before = size("b");
    let piece = vec![7; 1 << 20];
    for _ in 0..8 {
        let out = a.send("b", &piece, NOW).unwrap();
        let _ = b.receive(&out.message, Some("a"), NOW).unwrap();
        a.mark_sent(out.id).unwrap();
    }
    b.flush().unwrap();
    assert!(
        size("b") > before + (8 << 20),
        "all of it waits in the inbox"
    );
    for incoming in b.inbox().unwrap() {
        b.acknowledge(incoming.id).unwrap();
    }
    b.flush().unwrap();
    a.flush().unwrap();
    for name in ["a", "b", "a-wal", "b-wal"] {
        let left = size(name);
        assert!(
            left <= before + (1 << 20),
            "{name}: {left}, {before} before"
        );
    }
    drop(b);
    say(&mut home.open("b").unwrap(), "a", &mut a, b"on");
}

#[test]
fn an_anchor_torn_by_a_power_cut_is_no_rollback() {
    let home = Home::new();
    home.create("a");
    let whole = bytes(&home.path("a.anchor"));
    // The name may reach the disk before the bytes do.
    for torn in [vec![], vec![0; whole.len()]] {
        fs::write(home.path("a.anchor"), torn).unwrap();
        home.open("a").unwrap();
        assert_eq!(bytes(&home.path("a.anchor")), whole, "written anew");
    }
    for altered in [vec![0; 8], vec![1; whole.len()]] {
        fs::write(home.path("a.anchor"), altered).unwrap();
        assert!(matches!(home.open("a"), Err(Error::Rollback)));
    }
}
