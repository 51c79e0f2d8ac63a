//! Killed anywhere, nothing is lost: a child process that sends and receives is killed at random points, a store dies at every
//! statement, and the power is cut at every frame of the log; then it goes on.
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

mod kills;
mod power;
mod statements;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use marline_device::{Device, Durability, Error, Options, ProtocolError, Unlock};

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
