//! The power is cut: of what was written and not synced, any part may be on the disk. SQLite syncs its log at every commit
//! (`synchronous=FULL`) and the main file only in a checkpoint. So what is tried here is a log that ends at every
//! frame, in the middle of one, or misses sectors behind the last commit, and a main file of which a checkpoint
//! wrote some pages. That the syncs are really asked for is what `strace -e fdatasync` shows; no test can cut the power.

use std::fs;

use super::*;

/// SQLite's log: a head, then frames of a page with a head of its own.
const LOG_HEAD: usize = 32;
const FRAME: usize = 24 + 4096;
const SECTOR: usize = 512;
const COMMITS: usize = 4;

/// What is on the disk of a device: main file, log, anchor.
#[derive(Clone)]
struct Disk {
    main: Vec<u8>,
    log: Vec<u8>,
    anchor: Vec<u8>,
}

impl Disk {
    fn read(path: &Path) -> Self {
        let read = |suffix| fs::read(format!("{}{suffix}", path.display())).unwrap_or_default();
        Self {
            main: read(""),
            log: read("-wal"),
            anchor: read(".anchor"),
        }
    }

    /// The machine comes up again with this: the device opens, and what its outbox holds is the answer.
    fn restart(&self, dir: &Path) -> (Device, Vec<Vec<u8>>) {
        let path = dir.join("restarted");
        let _ = fs::remove_file(dir.join("restarted-shm"));
        fs::write(&path, &self.main).unwrap();
        fs::write(dir.join("restarted-wal"), &self.log).unwrap();
        fs::write(dir.join("restarted.anchor"), &self.anchor).unwrap();
        let mut device = Device::open(path, key(), Options::default()).unwrap();
        let outbox = device.outbox().unwrap();
        (device, outbox.into_iter().map(|out| out.message).collect())
    }
}

/// The peer had all that was released before the cut; it gets the outbox again, and a new message.
fn goes_on(dir: &Path, device: &mut Device, released: &[Vec<u8>], outbox: &[Vec<u8>]) {
    let copy = dir.join("peer-copy");
    for suffix in ["", ".anchor"] {
        let name = dir.join(format!("peer{suffix}"));
        fs::copy(name, format!("{}{suffix}", copy.display())).unwrap();
    }
    let mut peer = Peer {
        device: Device::open(copy, key(), Options::default()).unwrap(),
        got: BTreeMap::new(),
    };
    released.iter().for_each(|message| peer.deliver(message));
    outbox.iter().for_each(|message| peer.deliver(message));
    let on = device.send("peer", b"on", NOW).unwrap();
    peer.deliver(&on.message);
    assert_eq!(peer.got.len(), outbox.len() + 1, "one key, one message");
    assert!(peer.got.values().all(|&times| times == 1));
}

#[test]
fn a_power_cut_leaves_a_committed_state_with_all_that_was_released() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    setup(dir).device.flush().unwrap();
    let path = dir.join("child");
    let mut child = Device::open(&path, key(), Options::default()).unwrap();
    let mut released = vec![];
    // What is surely on the disk when each call has returned.
    let mut synced = vec![Disk::read(&path)];
    for number in 0..COMMITS {
        let out = child.send("peer", &[number as u8; 2000], NOW).unwrap();
        released.push(out.message);
        synced.push(Disk::read(&path));
    }
    let whole = &synced[COMMITS];
    assert!(whole.main == synced[0].main, "no checkpoint yet");
    assert!(synced[0].log.is_empty());
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut cuts = 0;
    for last in 0..COMMITS {
        let (from, to) = (synced[last].log.len(), synced[last + 1].log.len());
        let frames = (to - from) / FRAME;
        assert!(frames > 1, "a commit is more than one frame");
        let mut tails: Vec<Vec<u8>> = vec![];
        for frame in 0..frames {
            let end = to - frame * FRAME;
            for end in [end - 1, end - draw(FRAME), end - FRAME] {
                // Cut off there, or there and full of zeros up to the length of the file.
                tails.push(whole.log[from..end.max(from)].to_vec());
                let mut zeros = whole.log[from..end.max(from)].to_vec();
                zeros.resize(to - from, 0);
                tails.push(zeros);
            }
        }
        for _ in 0..8 {
            let mut holes = whole.log[from..to].to_vec();
            let lost = draw(holes.len() / SECTOR);
            holes[lost * SECTOR..(lost + 1) * SECTOR].fill(0);
            tails.push(holes);
        }
        // The control: with its last byte the commit is there.
        let complete = whole.log[from..to].to_vec();
        for (tail, expected) in tails
            .iter()
            .map(|tail| (tail, last))
            .chain([(&complete, last + 1)])
        {
            let mut disk = synced[last].clone();
            disk.log.extend(tail);
            let (mut device, outbox) = disk.restart(dir);
            let expected = if *tail == complete {
                last + 1
            } else {
                expected
            };
            assert!(outbox == released[..expected], "after {last} commits");
            if cuts % 8 == 0 {
                goes_on(dir, &mut device, &released[..last], &outbox);
            }
            cuts += 1;
        }
    }
    assert_eq!(synced[1].log.len() % FRAME, LOG_HEAD);

    // In a checkpoint the log is synced and the main file has old and new pages.
    child.flush().unwrap();
    let after = Disk::read(&path).main;
    assert!(after != whole.main);
    for _ in 0..16 {
        let mut disk = whole.clone();
        disk.main.resize(after.len(), 0);
        for page in 0..after.len() / SECTOR {
            let sector = page * SECTOR..(page + 1) * SECTOR;
            if draw(2) == 0 {
                disk.main[sector.clone()].copy_from_slice(&after[sector]);
            }
        }
        let (mut device, outbox) = disk.restart(dir);
        assert!(outbox == released);
        goes_on(dir, &mut device, &released, &outbox);
        cuts += 1;
    }
    println!("{cuts} power cuts");
}
