//! What a device with its SQLite file costs: durable and batched, with many contacts, over a long conversation.
//!
//! ```text
//! cargo bench -p marline-benches --bench device -- [--messages N] [--contacts N] [--durable N] [--one-by-one]
//! ```
//!
//! Small numbers by default; `docs/device.md` has the figures of `--messages 1000000 --contacts 10000`. No criterion: what
//! counts here is what happens over a run (fsync, checkpoints, a growing file), not one call repeated.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use getrandom::SysRng;
use marline::{Account, Contact, PrekeyBundle};
use marline_device::{Anchor, Device, Durability, Options, SendOptions, Unlock};

const NOW: u64 = 1_800_000_000;
const TEXT: [u8; 100] = [7; 100];
/// Messages of one transaction where they are batched, and of one turn of a conversation.
const BATCH: usize = 100;
/// Sessions that one last-resort prekey is used for here; 4,096 are the limit.
const PER_PUBLICATION: usize = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(default, |at| arguments[at + 1].parse().unwrap())
    };
    let dir = std::env::temp_dir().join(format!("marline-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    durable(&dir.join("durable"), number("--durable", 500));
    contacts(&dir.join("contacts"), number("--contacts", 500));
    let one_by_one = arguments.iter().any(|argument| argument == "--one-by-one");
    conversation(
        &dir.join("conversation"),
        number("--messages", 20_000),
        one_by_one,
    );
    std::fs::remove_dir_all(&dir).unwrap();
}

/// Two devices in a conversation.
struct Pair {
    devices: [Device; 2],
    paths: [PathBuf; 2],
}

const NAMES: [&str; 2] = ["a", "b"];

impl Pair {
    fn new(dir: &Path, durability: Durability) -> Self {
        std::fs::create_dir_all(dir).unwrap();
        let paths = NAMES.map(|name| dir.join(name));
        let mut devices = [0, 1].map(|i| create(&paths[i], NAMES[i].as_bytes(), durability));
        let bundle = devices[1].publish(1, NOW).unwrap().bundle(0).unwrap();
        devices[0].add_contact("b", &bundle, NOW).unwrap();
        let mut pair = Self { devices, paths };
        pair.turn(0, 1, false);
        pair.turn(1, 1, false);
        pair
    }

    /// `count` messages from one to the other, each read and done with; seconds of sending and of receiving.
    fn turn(&mut self, from: usize, count: usize, many: bool) -> [f64; 2] {
        let [a, b] = &mut self.devices;
        let (sender, receiver) = if from == 0 { (a, b) } else { (b, a) };
        let start = Instant::now();
        let sent = if many {
            let batch = vec![(NAMES[1 - from], &TEXT[..]); count];
            let sent = sender.send_many(&batch, SendOptions::default(), NOW);
            sent.unwrap()
        } else {
            let one = |_| sender.send(NAMES[1 - from], &TEXT, NOW).unwrap();
            (0..count).map(one).collect()
        };
        let sending = start.elapsed().as_secs_f64();
        let known = Some(NAMES[from]).filter(|_| from == 1 || receiver.contact("a").is_ok());
        let start = Instant::now();
        let got: Vec<_> = if many {
            let arrived: Vec<_> = sent.iter().map(|out| (&out.message[..], known)).collect();
            let got = receiver.receive_many(&arrived, &[], NOW).unwrap();
            got.into_iter().map(Result::unwrap).collect()
        } else {
            let one = |out: &marline_device::Outgoing| {
                let got = receiver.receive(&out.message, known, NOW).unwrap();
                // With the next one's commit, as a program that reads in a loop does it.
                receiver.acknowledge(got.id).unwrap();
                got
            };
            sent.iter().map(one).collect()
        };
        let receiving = start.elapsed().as_secs_f64();
        for (out, got) in sent.iter().zip(&got) {
            assert_eq!(got.plaintext(), Some(&TEXT[..]));
            sender.mark_sent(out.id).unwrap();
            if many {
                receiver.acknowledge(got.id).unwrap();
            }
        }
        [sending, receiving]
    }

    /// Bytes of both files with their logs.
    fn size(&self) -> u64 {
        self.paths.iter().map(|path| size(path)).sum()
    }
}

fn create(path: &Path, subject: &[u8], durability: Durability) -> Device {
    let options = Options {
        durability,
        anchor: Anchor::default(),
        ..Options::default()
    };
    Device::create(path, Unlock::Key([1; 32]), subject, options).unwrap()
}

fn size(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    length(path) + length(Path::new(&log))
}

/// What this thread has run for: on a busy machine the clock says more of the others. Linux only; else 0.
fn processor_seconds() -> f64 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = said
        .split(' ')
        .next()
        .and_then(|number| number.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// Median in microseconds of what `work` takes, `count` times.
fn median(count: usize, mut work: impl FnMut(usize)) -> f64 {
    let mut times: Vec<f64> = (0..count)
        .map(|i| {
            let start = Instant::now();
            work(i);
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[count / 2]
}

fn durable(dir: &Path, count: usize) {
    println!("100 B per message, mean of {count}, µs         send  receive");
    let modes = [
        ("durable, one by one", Durability::Full, false),
        ("durable, 100 in a transaction", Durability::Full, true),
        ("batched, one by one", Durability::Batched, false),
        ("batched, 100 in a transaction", Durability::Batched, true),
    ];
    for (i, (what, durability, many)) in modes.into_iter().enumerate() {
        let mut pair = Pair::new(&dir.join(i.to_string()), durability);
        let mut spent = [0.0; 2];
        for turn in 0..count.div_ceil(BATCH) {
            let [sending, receiving] = pair.turn(turn % 2, BATCH, many);
            spent = [spent[0] + sending, spent[1] + receiving];
        }
        let [send, receive] = spent.map(|s| s * 1e6 / (count.div_ceil(BATCH) * BATCH) as f64);
        println!("  {what:<40} {send:>8.0} {receive:>8.0}");
    }
}

/// Many contacts in one file, each with a session.
fn contacts(path: &Path, count: usize) {
    let mut device = create(path, b"device", Durability::Batched);
    let id = device.id();
    let mut bundle = None;
    let start = Instant::now();
    let mut peers: Vec<Contact> = (0..count)
        .map(|i| {
            if i % PER_PUBLICATION == 0 {
                let fresh = device.publish(1, NOW).unwrap().last_resort_bundle();
                bundle = PrekeyBundle::from_bytes(&fresh).ok();
            }
            let bundle = bundle.as_ref().unwrap();
            let subject = format!("peer {i}");
            let mut account = Account::generate(&subject, &mut SysRng).unwrap();
            let mut contact = Contact::new(id);
            let options = Default::default();
            let first = contact.initiate(&mut account, bundle, &TEXT, options, NOW, &mut SysRng);
            let got = device.receive(&first.unwrap(), None, NOW).unwrap();
            assert_eq!(got.contact, subject);
            device.acknowledge(got.id).unwrap();
            // An answer, so that what the peer sends later carries no first flight.
            let answer = device.send(&subject, &TEXT, NOW).unwrap();
            device.mark_sent(answer.id).unwrap();
            let _ = contact.receive(&answer.message).unwrap();
            contact
        })
        .collect();
    device.flush().unwrap();
    println!(
        "{count} contacts, each with a session: {} kB, {} bytes a contact; made in {:.0} s",
        size(path) / 1000,
        size(path) / count as u64,
        start.elapsed().as_secs_f64()
    );
    let runs = 101.min(count);
    let name = |i: usize| format!("peer {}", i * count / runs);
    let send = median(runs, |i| {
        let out = device.send(&name(i), &TEXT, NOW).unwrap();
        device.mark_sent(out.id).unwrap();
    });
    println!("  send                                        {send:>8.0} µs");
    for (what, named, again) in [
        ("receive, the contact named", true, false),
        ("receive, not named, heard before", false, true),
        ("receive, not named, half of them tried", false, false),
    ] {
        // What is sent now is not timed.
        let mut sent: Vec<_> = (0..runs)
            .map(|i| {
                let peer = if again { 0 } else { i * count / runs };
                let message = peers[peer].send(&TEXT, &mut SysRng).unwrap();
                (format!("peer {peer}"), message)
            })
            .collect();
        // A fresh process has heard nobody; the contacts' order is that of random keys.
        device.flush().unwrap();
        drop(device);
        let options = Options {
            durability: Durability::Batched,
            ..Options::default()
        };
        device = Device::open(path, Unlock::Key([1; 32]), options).unwrap();
        if again {
            let (name, message) = sent.remove(0);
            let _ = device.receive(&message, Some(&name), NOW).unwrap();
        }
        let median = median(sent.len(), |i| {
            let (name, message) = &sent[i];
            let from = Some(name.as_str()).filter(|_| named);
            let got = device.receive(message, from, NOW).unwrap();
            device.acknowledge(got.id).unwrap();
        });
        println!("  {what:<42} {median:>8.0} µs");
    }
    let mut forged = peers[0].send(&TEXT, &mut SysRng).unwrap();
    forged[20] ^= 1;
    let refuse = median(11, |_| {
        drop(device.receive(&forged, None, NOW).unwrap_err())
    });
    println!("  refuse what nobody sent, all of them tried  {refuse:>8.0} µs");
    let status = median(5, |_| drop(device.status(NOW).unwrap()));
    println!("  status                                      {status:>8.0} µs");
    let list = median(5, |_| drop(device.contacts().unwrap()));
    println!("  list of all contacts                        {list:>8.0} µs");
}

/// A long conversation, 100 messages in turn: time and size must stay flat.
fn conversation(dir: &Path, count: usize, one_by_one: bool) {
    let mut pair = Pair::new(dir, Durability::Batched);
    let turns = count.div_ceil(BATCH).next_multiple_of(20);
    let mut tenths = [[0.0f64; 4]; 10];
    for turn in 0..turns {
        let before = processor_seconds();
        let [sending, receiving] = pair.turn(turn % 2, BATCH, !one_by_one);
        let tenth = &mut tenths[turn * 10 / turns];
        *tenth = [
            tenth[0] + sending,
            tenth[1] + receiving,
            tenth[2] + processor_seconds() - before,
            tenth[3].max(pair.size() as f64),
        ];
    }
    let per_message = 1e6 / (turns * BATCH / 10) as f64;
    let how = if one_by_one { "one" } else { "100" };
    println!(
        "conversation of {} messages, {how} in a transaction\n  tenth   send µs   receive µs   processor µs   largest size of both files, kB",
        turns * BATCH
    );
    for (i, [times @ .., size]) in tenths.iter().enumerate() {
        let [send, receive, processor] = times.map(|seconds| seconds * per_message);
        println!(
            "  {:>5} {send:>9.1} {receive:>12.1} {processor:>14.1} {:>10.0}",
            i + 1,
            size / 1e3
        );
    }
    let ratio = |what: usize| tenths[9][what] / tenths[0][what];
    println!(
        "  last to first tenth: send {:.3}, receive {:.3}, processor {:.3}, size {:.3}",
        ratio(0),
        ratio(1),
        ratio(2),
        ratio(3)
    );
}
