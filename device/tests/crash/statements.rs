//! A store that dies at every single statement.

use std::cell::Cell;

use marline_device::{Kind, Row, RowKey, Sqlite, Store, Transaction};

use super::*;

thread_local! {
    /// Statements until the store fails; none: it works.
    static FUSE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// A store that dies at a chosen statement, as a killed process does: what is not committed is gone.
struct Faulty(Sqlite);

struct FaultyTransaction<'a>(<Sqlite as Store>::Transaction<'a>);

fn burn() -> Result<(), Error> {
    FUSE.with(|fuse| match fuse.get() {
        Some(0) => Err(Error::Storage("dead".into())),
        Some(left) => {
            fuse.set(Some(left - 1));
            Ok(())
        }
        None => Ok(()),
    })
}

impl Store for Faulty {
    type Transaction<'a> = FaultyTransaction<'a>;

    fn begin(&mut self) -> Result<FaultyTransaction<'_>, Error> {
        burn()?;
        self.0.begin().map(FaultyTransaction)
    }
}

impl Transaction for FaultyTransaction<'_> {
    fn get(&self, key: &RowKey) -> Result<Option<Row>, Error> {
        burn()?;
        self.0.get(key)
    }
    fn put(&mut self, kind: Kind, key: &RowKey, row: &Row) -> Result<(), Error> {
        burn()?;
        self.0.put(kind, key, row)
    }
    fn delete(&mut self, kind: Kind, key: &RowKey) -> Result<(), Error> {
        burn()?;
        self.0.delete(kind, key)
    }
    fn keys(&self, kind: Kind) -> Result<Vec<RowKey>, Error> {
        burn()?;
        self.0.keys(kind)
    }
    /// Two boundaries: dead before the commit, and dead after it, before anybody hears of it.
    fn commit(self) -> Result<(), Error> {
        burn()?;
        self.0.commit()?;
        burn()
    }
}

fn faulty(path: &Path) -> Device<Faulty> {
    let store = Sqlite::open(path, Durability::Full, None).unwrap();
    Device::open_in(Faulty(store), &key()).unwrap()
}

#[test]
fn dead_at_every_statement_it_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut peer = setup(dir.path());
    let path = dir.path().join("child");
    let (mut deaths, mut number) = (0, 0u32);
    for what in ["send", "receive", "acknowledge"] {
        for fuse in 0.. {
            let mut child = faulty(&path);
            let text = format!("{what} {number}").into_bytes();
            number += 1;
            let incoming = peer.device.send("child", &text, NOW).unwrap();
            let got = child.receive(&incoming.message, None, NOW);
            let survived = match what {
                "send" => {
                    child.acknowledge(got.unwrap().id).unwrap();
                    FUSE.set(Some(fuse));
                    let sent = child.send("peer", &text, NOW);
                    FUSE.set(None);
                    sent.is_ok()
                }
                "receive" => {
                    child.acknowledge(got.unwrap().id).unwrap();
                    let again = peer.device.send("child", b"again", NOW).unwrap();
                    FUSE.set(Some(fuse));
                    let result = child.receive(&again.message, None, NOW);
                    FUSE.set(None);
                    let survived = result.is_ok();
                    drop(child);
                    child = faulty(&path);
                    let incoming = child.receive(&again.message, None, NOW).unwrap();
                    assert_eq!(incoming.plaintext(), Some(&b"again"[..]));
                    child.acknowledge(incoming.id).unwrap();
                    survived
                }
                _ => {
                    child.acknowledge(got.unwrap().id).unwrap();
                    FUSE.set(Some(fuse));
                    let sent = child.send("peer", &text, NOW);
                    FUSE.set(None);
                    drop(child);
                    child = faulty(&path);
                    // Acknowledged with the send's commit or not at all; never lost, never half.
                    let waiting = child
                        .inbox()
                        .unwrap()
                        .iter()
                        .any(|i| i.plaintext() == Some(&text[..]));
                    let committed = child.outbox().unwrap().len() == 1;
                    assert_eq!(waiting, !committed);
                    sent.is_ok()
                }
            };
            drop(child);
            let mut child = faulty(&path);
            for out in child.outbox().unwrap() {
                peer.deliver(&out.message);
                child.mark_sent(out.id).unwrap();
            }
            for incoming in child.inbox().unwrap() {
                child.acknowledge(incoming.id).unwrap();
            }
            // The conversation goes on, and the acknowledgements are written.
            let on = child
                .send("peer", format!("on {number}").as_bytes(), NOW)
                .unwrap();
            peer.deliver(&on.message);
            assert!(peer.got.values().all(|&times| times == 1));
            child.mark_sent(on.id).unwrap();
            child
                .send("peer", format!("last {number}").as_bytes(), NOW)
                .map(|out| {
                    peer.deliver(&out.message);
                    child.mark_sent(out.id).unwrap();
                })
                .unwrap();
            let reply = peer.device.send("child", b"reply", NOW).unwrap();
            let reply = child.receive(&reply.message, None, NOW).unwrap();
            child.acknowledge(reply.id).unwrap();
            if survived {
                assert!(fuse > 5, "{what} has more than five statements");
                break;
            }
            deaths += 1;
            // The last acknowledgements.
            child.set_verified("peer", peer.device.id(), true).unwrap();
        }
    }
    println!("{deaths} deaths");
    assert!(deaths > 20);
}
