//! What a device promises: conversations, inbox and outbox, damage, rollback, schema, names.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use marline_device::{
    Anchor, Argon2Params, Device, Durability, Error, Event, Options, ProtocolError, Publication,
    Trust, Unlock,
};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn create(&self, name: &str) -> Device {
        let options = Options::default();
        Device::create(self.path(name), key(), name.as_bytes(), options).unwrap()
    }

    fn open(&self, name: &str) -> Result<Device, Error> {
        Device::open(self.path(name), key(), Options::default())
    }

    /// Two devices, the first with the second as a contact, and the second's publication.
    fn pair(&self) -> (Device, Device, Publication) {
        let (mut a, mut b) = (self.create("a"), self.create("b"));
        let publication = b.publish(8, NOW).unwrap();
        a.add_contact("b", &publication.bundle(0).unwrap(), NOW)
            .unwrap();
        (a, b, publication)
    }
}

fn key() -> Unlock {
    Unlock::Key([7; 32])
}

fn say(from: &mut Device, to: &str, receiver: &mut Device, text: &[u8]) {
    let out = from.send(to, text, NOW).unwrap();
    let incoming = receiver.receive(&out.message, None, NOW).unwrap();
    assert_eq!(incoming.plaintext(), Some(text));
    from.mark_sent(out.id).unwrap();
    receiver.acknowledge(incoming.id).unwrap();
}

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

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
        a.safety_number("b").unwrap().digits(),
        b.safety_number("a").unwrap().digits()
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
fn a_changed_identity_stops_sending_until_the_user_decides() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    a.set_verified("b", true).unwrap();
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

    a.reject_identity("b").unwrap();
    say(&mut a, "b", &mut b, b"still you");
    assert!(a.contact("b").unwrap().verified);

    a.add_contact("b", &publication.bundle(1).unwrap(), NOW)
        .unwrap();
    a.acknowledge_identity("b", other.id()).unwrap();
    say(&mut a, "b", &mut other, b"new you");
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
    a.set_verified("b", true).unwrap();
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
#[cfg(unix)]
fn a_read_only_file_is_a_typed_error() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.create("a").flush().unwrap();
    let before = bytes(&home.path("a"));
    fs::set_permissions(home.path("a"), fs::Permissions::from_mode(0o400)).unwrap();
    let writable = fs::OpenOptions::new()
        .append(true)
        .open(home.path("a"))
        .is_ok();
    if writable {
        return; // The superuser is not bound by permissions: see the mapping's own test.
    }
    let refused = home.open("a").and_then(|mut device| device.publish(1, NOW));
    assert!(matches!(refused, Err(Error::ReadOnly)));
    assert_eq!(bytes(&home.path("a")), before);
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
fn an_older_schema_is_brought_up_and_a_newer_one_refused() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    a.flush().unwrap();
    drop(a);
    // Schema 1 as it was: no index on the kind.
    let raw = rusqlite::Connection::open(home.path("a")).unwrap();
    raw.execute_batch("DROP INDEX rows_kind; PRAGMA user_version = 1;")
        .unwrap();
    drop(raw);
    say(&mut home.open("a").unwrap(), "b", &mut b, b"migrated");
    let raw = rusqlite::Connection::open(home.path("a")).unwrap();
    let version: i64 = raw
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 2);
    raw.pragma_update(None, "user_version", 3).unwrap();
    drop(raw);
    assert!(matches!(home.open("a"), Err(Error::Schema)));
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
