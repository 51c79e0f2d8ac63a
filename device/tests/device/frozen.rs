//! Files of earlier schemas, kept as they were made (`frozen/README.md`): opened by today's code, and gone on with.

use super::*;

const PASSPHRASE: &[u8] = b"frozen";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen")
}

fn passphrase() -> Unlock {
    let params = Argon2Params {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };
    Unlock::Passphrase(PASSPHRASE.to_vec(), params)
}

fn raw_schema(path: &Path) -> i64 {
    let raw = rusqlite::Connection::open(path).unwrap();
    raw.pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

#[test]
fn files_of_every_schema_open_and_go_on() {
    for schema in [1, 2] {
        let home = Home::new();
        let frozen = folder().join(format!("schema-{schema}"));
        for entry in fs::read_dir(&frozen).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), home.path(entry.file_name().to_str().unwrap())).unwrap();
        }
        assert_eq!(raw_schema(&home.path("alice")), schema, "as it was made");
        let facts = fs::read_to_string(home.path("facts")).unwrap();
        let facts: Vec<&str> = facts.lines().collect();

        let options = Options::default();
        let mut alice = Device::open(home.path("alice"), passphrase(), options).unwrap();
        let mut bob = home.open("bob").unwrap();
        assert_eq!(raw_schema(&home.path("alice")), 3);
        let ids = [alice.id(), bob.id()].map(|id| hex(id.as_bytes()));
        assert_eq!(ids, [facts[0], facts[1]]);
        assert_eq!(alice.safety_number(&bob.id()).to_string(), facts[2]);
        assert_eq!(alice.generation().to_string(), facts[3]);
        assert_eq!(alice.status(NOW).unwrap().subject, b"alice");
        assert_eq!(bob.unpublished().unwrap().unwrap().one_time.len(), 2);
        let (known, knows) = (alice.contact("bob").unwrap(), bob.contact("alice").unwrap());
        assert!(known.verified && known.has_bundle && !knows.verified);
        assert_eq!(known.changed, None);

        // What waited still waits, and what is sent now is read.
        let unread = bob.inbox().unwrap();
        assert_eq!(unread[0].plaintext(), Some(&b"not read yet"[..]));
        assert_eq!((unread.len(), &unread[0].contact[..]), (1, "alice"));
        let unsent = alice.outbox().unwrap();
        assert_eq!((unsent.len(), &unsent[0].contact[..]), (1, "bob"));
        let late = bob.receive(&unsent[0].message, None, NOW).unwrap();
        assert_eq!(late.plaintext(), Some(&b"not sent yet"[..]));
        say(&mut alice, "bob", &mut bob, b"on");
        say(&mut bob, "alice", &mut alice, b"on");
        // Its prekeys serve: a fresh device starts a session with one of them.
        let mut carol = home.create("carol");
        let publication = bob.unpublished().unwrap().unwrap();
        let bundle = publication.bundle(1).unwrap();
        carol.add_contact("bob", &bundle, NOW).unwrap();
        say(&mut carol, "bob", &mut bob, b"hello");
        bob.maintain(NOW + 8 * DAY).unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a folder as above, in the schema of the code that runs: before a schema changes, run it once and commit.
///
/// `MARLINE_FREEZE=DIR cargo test -p marline-device --test device -- --ignored freeze`
#[test]
#[ignore = "makes the files that the test above reads"]
fn freeze() {
    let dir = PathBuf::from(std::env::var_os("MARLINE_FREEZE").unwrap());
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join("alice");
    let mut alice = Device::create(path, passphrase(), b"alice", Options::default()).unwrap();
    let mut bob = Device::create(dir.join("bob"), key(), b"bob", Options::default()).unwrap();
    for bundle in [0, 1] {
        let publication = bob.publish(2, NOW).unwrap();
        let bundle = publication.bundle(bundle).unwrap();
        alice.add_contact("bob", &bundle, NOW).unwrap();
        say(&mut alice, "bob", &mut bob, b"hello");
        say(&mut bob, "alice", &mut alice, b"hi");
    }
    alice.set_verified("bob", bob.id(), true).unwrap();
    let out = alice.send("bob", b"not read yet", NOW).unwrap();
    let _ = bob.receive(&out.message, None, NOW).unwrap();
    alice.mark_sent(out.id).unwrap();
    alice.send("bob", b"not sent yet", NOW).unwrap();
    for device in [&mut alice, &mut bob] {
        device.flush().unwrap();
    }
    let ids = [alice.id(), bob.id()].map(|id| hex(id.as_bytes()));
    let number = alice.safety_number(&bob.id());
    let generation = alice.generation();
    let facts = format!("{}\n{}\n{number}\n{generation}\n", ids[0], ids[1]);
    fs::write(dir.join("facts"), facts).unwrap();
}
