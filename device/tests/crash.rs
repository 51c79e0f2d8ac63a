//! Killed anywhere, nothing is lost: a child process that sends and receives is killed at random points, and at every
//! statement of the store; then it goes on.
//!
//! The rules, checked after every restart: what a peer got was sent, each payload once; what was acknowledged
//! to the application is never taken back; no two different ciphertexts exist for one message number (the peer
//! would report the second as a duplicate); the conversation goes on.
//!
//! `MARLINE_KILLS=1000` for the full run; 25 otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use marline_device::{
    Device, Durability, Error, Kind, Options, ProtocolError, Row, RowKey, Sqlite, Store,
    Transaction, Unlock,
};

const NOW: u64 = 1_800_000_000;
const CHILD: &str = "MARLINE_CRASH_CHILD";

fn key() -> Unlock {
    Unlock::Key([9; 32])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |i: usize| u8::from_str_radix(&text[i..i + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// The child: answers lines on its standard input until it is killed.
///
/// `send N` encrypts payload N and prints it once it is released; `pending` prints the outbox; `sent ID` marks;
/// `receive HEX` prints the plaintext; `done ID` acknowledges and prints only when that is on disk.
#[test]
fn child() {
    let Ok(path) = std::env::var(CHILD) else {
        return; // Only a process started by the tests below has work here.
    };
    let mut device = Device::open(path, key(), Options::default()).unwrap();
    println!("ready");
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb {
            "send" => {
                let out = device.send("peer", rest.as_bytes(), NOW).unwrap();
                println!("released {} {}", hex(&out.id), hex(&out.message));
            }
            "pending" => {
                for out in device.outbox().unwrap() {
                    println!("released {} {}", hex(&out.id), hex(&out.message));
                }
                println!("end");
            }
            "sent" => {
                device.mark_sent(unhex(rest).try_into().unwrap()).unwrap();
                device.flush().unwrap();
                println!("marked");
            }
            "receive" => match device.receive(&unhex(rest), None, NOW) {
                Ok(incoming) => {
                    println!(
                        "plaintext {} {}",
                        hex(&incoming.id),
                        hex(incoming.plaintext().unwrap())
                    );
                }
                Err(Error::Protocol(ProtocolError::Duplicate)) => println!("duplicate"),
                Err(error) => println!("refused {error}"),
            },
            "done" => {
                device.acknowledge(unhex(rest).try_into().unwrap()).unwrap();
                device.flush().unwrap();
                println!("acknowledged");
            }
            other => panic!("{other}"),
        }
    }
}

/// A child process and its lines.
struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    fn start(path: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (to, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    break;
                }
            }
        });
        let mut process = Self {
            child,
            input,
            lines,
        };
        while !process.line().unwrap().ends_with("ready") {}
        process
    }

    fn ask(&mut self, line: &str) {
        // The child may be dead by now.
        let _ = writeln!(self.input, "{line}").and_then(|()| self.input.flush());
    }

    fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(Duration::from_secs(60)) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the child hangs"),
        }
    }

    /// SIGKILL; the lines that were out by then still count as released.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }
}

/// The side that is not killed, and the ledger of what both know.
struct Peer {
    device: Device,
    /// Payloads that the peer got, and how often.
    got: BTreeMap<Vec<u8>, usize>,
}

impl Peer {
    /// A ciphertext arrives, perhaps again. Any error but `Duplicate` would be a reused key or a lost state.
    fn deliver(&mut self, message: &[u8]) {
        match self.device.receive(message, None, NOW) {
            Ok(incoming) => {
                *self
                    .got
                    .entry(incoming.plaintext().unwrap().to_vec())
                    .or_default() += 1;
                self.device.acknowledge(incoming.id).unwrap();
            }
            Err(Error::Protocol(ProtocolError::Duplicate | ProtocolError::PrekeyUsed)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Two devices whose session is answered; the child's file is closed.
fn setup(dir: &Path) -> Peer {
    let options = Options {
        durability: Durability::Batched,
        ..Options::default()
    };
    let mut child = Device::create(dir.join("child"), key(), b"child", Options::default()).unwrap();
    let mut peer = Device::create(dir.join("peer"), key(), b"peer", options).unwrap();
    let publication = peer.publish(2, NOW).unwrap();
    child
        .add_contact("peer", &publication.bundle(0).unwrap(), NOW)
        .unwrap();
    let out = child.send("peer", b"hello", NOW).unwrap();
    let hello = peer.receive(&out.message, None, NOW).unwrap();
    let reply = peer.send("child", b"hi", NOW).unwrap();
    let hi = child.receive(&reply.message, None, NOW).unwrap();
    child.acknowledge(hi.id).unwrap();
    child.mark_sent(out.id).unwrap();
    peer.acknowledge(hello.id).unwrap();
    peer.mark_sent(reply.id).unwrap();
    child.flush().unwrap();
    Peer {
        device: peer,
        got: BTreeMap::new(),
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// After a restart: everything in the outbox is sent again, and what came in and was not acknowledged is there.
fn recover(process: &mut Process, peer: &mut Peer, undelivered: &[(String, Vec<u8>)]) {
    process.ask("pending");
    loop {
        let line = process.line().unwrap();
        match words(&line)[..] {
            ["released", id, message] => {
                peer.deliver(&unhex(message));
                process.ask(&format!("sent {id}"));
            }
            ["end"] => break,
            _ => {}
        }
    }
    for (message, plaintext) in undelivered {
        process.ask(&format!("receive {message}"));
        loop {
            let line = process.line().unwrap();
            match words(&line)[..] {
                ["plaintext", id, text] => {
                    assert_eq!(&unhex(text), plaintext);
                    process.ask(&format!("done {id}"));
                }
                ["acknowledged"] => break,
                // Nobody acknowledged it yet, so it must not be gone.
                ["duplicate"] => panic!("taken in, not acknowledged, and lost"),
                ["refused", ..] => panic!("{line}"),
                _ => {}
            }
        }
    }
}

#[test]
fn killed_at_random_points_it_loses_nothing() {
    let kills: usize = std::env::var("MARLINE_KILLS").map_or(25, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let mut peer = setup(dir.path());
    let path = dir.path().join("child");
    // A fixed sequence of delays, 0 to 20 ms: where they hit differs from run to run.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut delay = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        Duration::from_micros(seed % 20_000)
    };
    let mut number = 0u32;
    let mut process = Process::start(&path);
    for round in 0..kills {
        // Work on its way: three messages out, two in, in one burst.
        let mut asked = vec![];
        let mut undelivered = vec![];
        for _ in 0..3 {
            process.ask(&format!("send {number}"));
            asked.push(number.to_string().into_bytes());
            number += 1;
            if undelivered.len() < 2 {
                let text = format!("to child {number}").into_bytes();
                let out = peer.device.send("child", &text, NOW).unwrap();
                peer.device.mark_sent(out.id).unwrap();
                process.ask(&format!("receive {}", hex(&out.message)));
                undelivered.push((hex(&out.message), text));
            }
        }
        std::thread::sleep(delay());
        let released: Vec<_> = process
            .kill()
            .iter()
            .filter(|line| line.contains("released "))
            .map(|line| unhex(line.rsplit(' ').next().unwrap()))
            .collect();
        // Half of what was released is with the transport already; all of it is still in the outbox.
        for message in released.iter().step_by(2) {
            peer.deliver(message);
        }
        process = Process::start(&path);
        recover(&mut process, &mut peer, &undelivered);
        for payload in &asked[..released.len()] {
            assert_eq!(
                peer.got.get(payload),
                Some(&1),
                "round {round}: released and lost"
            );
        }
        assert!(
            peer.got.values().all(|&times| times == 1),
            "round {round}: twice"
        );
    }
    process.kill();
    println!("{kills} kills, {} messages arrived", peer.got.len());
}

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
    fn delete(&mut self, key: &RowKey) -> Result<(), Error> {
        burn()?;
        self.0.delete(key)
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
            child.set_verified("peer", true).unwrap();
        }
    }
    println!("{deaths} deaths");
    assert!(deaths > 20);
}

#[test]
fn two_processes_on_one_file_never_encrypt_from_one_state() {
    let dir = tempfile::tempdir().unwrap();
    let mut peer = setup(dir.path());
    let path = dir.path().join("child");
    let mut processes = [Process::start(&path), Process::start(&path)];
    const EACH: usize = 15;
    for number in 0..EACH {
        for (i, process) in processes.iter_mut().enumerate() {
            process.ask(&format!("send {i} {number}"));
        }
    }
    for process in &mut processes {
        for _ in 0..EACH {
            let line = process.line().unwrap();
            peer.deliver(&unhex(line.rsplit(' ').next().unwrap()));
        }
    }
    assert_eq!(peer.got.len(), 2 * EACH);
    for process in processes {
        process.kill();
    }
}
