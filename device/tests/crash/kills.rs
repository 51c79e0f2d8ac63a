//! SIGKILL at random points, and two processes on one file.

use super::*;

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
