//! The tool as a shell meets it: files, pipes, exit codes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

struct Shell {
    dir: tempfile::TempDir,
}

impl Shell {
    /// A directory with a passphrase and devices for these names.
    fn new(names: &[&str]) -> Self {
        let shell = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::write(shell.path("pass"), "correct horse\n").unwrap();
        for name in names {
            shell.ok(name, &["init", name]);
        }
        shell
    }

    /// Alice with Bob as a contact.
    fn pair() -> Self {
        let shell = Self::new(&["alice", "bob"]);
        fs::write(
            shell.path("bob.bundle"),
            shell.ok("bob", &["publish"]).stdout,
        )
        .unwrap();
        shell.ok("alice", &["contact", "add", "bob.bundle"]);
        shell
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, device: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_marline"));
        command
            .current_dir(self.dir.path())
            .env_clear()
            .args(["--device", &format!("{device}.device")])
            .args(args);
        command
    }

    fn run(&self, device: &str, args: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(device, args)
            .env("MARLINE_PASSPHRASE_FILE", "pass")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // A command that fails early does not read.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output
    }

    fn ok(&self, device: &str, args: &[&str]) -> Output {
        let output = self.run(device, args, b"");
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        output
    }

    fn code(&self, device: &str, args: &[&str], input: &[u8]) -> i32 {
        self.run(device, args, input).status.code().unwrap()
    }

    /// Through pipes: what `from` sends to `to`.
    fn pipe(&self, from: &str, to: &str, flags: &[&str], text: &[u8]) -> Vec<u8> {
        let sent = self.run(from, &[&["send", to], flags].concat(), text);
        assert!(sent.status.success(), "{}", said(&sent));
        sent.stdout
    }

    fn read(&self, device: &str, input: &[u8]) -> Vec<u8> {
        let got = self.run(device, &["receive"], input);
        assert!(got.status.success(), "{}", said(&got));
        got.stdout
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_verified_conversation_through_pipes_binary_and_text() {
    let shell = Shell::pair();
    let message = shell.pipe("alice", "bob", &[], b"hello");
    assert_eq!(shell.read("bob", &message), b"hello");
    let armored = shell.pipe("bob", "alice", &["--armor"], b"hi");
    assert!(armored.starts_with(b"-----BEGIN MARLINE MESSAGE-----\n"));
    assert_eq!(shell.read("alice", &armored), b"hi");
    // An empty file is a file.
    let empty = shell.pipe("alice", "bob", &[], b"");
    assert_eq!(shell.read("bob", &empty), b"");

    let shown = shell.ok("alice", &["contact", "verify", "bob"]).stdout;
    let shown = String::from_utf8(shown).unwrap();
    let digits = shown.lines().last().unwrap();
    assert_eq!(digits.chars().filter(char::is_ascii_digit).count(), 60);
    assert!(shown.lines().count() > 15, "a code to scan");
    shell.ok("bob", &["contact", "verify", "alice", "--matches", digits]);
    let wrong = format!(
        "{}{}",
        &digits[..digits.len() - 1],
        (digits.as_bytes()[70] - b'0' + 1) % 10
    );
    assert_eq!(
        shell.code(
            "bob",
            &["contact", "verify", "alice", "--matches", &wrong],
            b""
        ),
        3
    );
    let next = shell.pipe("alice", "bob", &[], b"x");
    let got = shell.run("bob", &["receive"], &next);
    assert!(
        said(&got).contains("from alice (verified)"),
        "{}",
        said(&got)
    );
}

#[test]
fn a_large_file_is_cut_in_pieces_and_arrives_whole_or_not_at_all() {
    let shell = Shell::pair();
    let file: Vec<u8> = (0..3_500_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    fs::write(shell.path("file"), &file).unwrap();
    shell.ok("alice", &["send", "bob", "file", "-o", "messages"]);
    let stream = fs::read(shell.path("messages")).unwrap();
    let mut cuts = vec![0];
    while *cuts.last().unwrap() < stream.len() {
        let at = *cuts.last().unwrap();
        let length = u32::from_be_bytes(stream[at..at + 4].try_into().unwrap());
        cuts.push(at + 4 + length as usize);
    }
    assert_eq!(cuts.len(), 5, "four messages");

    // Without the last, without the third, cut in the middle: no output file, and nothing is used up.
    let incomplete = [
        stream[..cuts[3]].to_vec(),
        [&stream[..cuts[2]], &stream[cuts[3]..]].concat(),
        stream[..cuts[3] + 1000].to_vec(),
    ];
    for input in incomplete {
        assert_eq!(shell.code("bob", &["receive", "-o", "received"], &input), 3);
        assert!(!shell.path("received").exists());
    }
    shell.ok("bob", &["receive", "messages", "-o", "received"]);
    assert!(fs::read(shell.path("received")).unwrap() == file);
    assert_eq!(shell.code("bob", &["receive", "messages"], b""), 4);
}

#[test]
fn what_was_encrypted_and_not_sent_comes_out_again() {
    let shell = Shell::pair();
    // The output fails after the encryption: a full device.
    let failed = shell.run("alice", &["send", "bob", "-o", "nowhere/file"], b"x");
    assert_eq!(failed.status.code(), Some(1));
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    if let Ok(full) = full {
        let status = shell
            .command("alice", &["send", "bob", "bob.bundle"])
            .env("MARLINE_PASSPHRASE_FILE", "pass")
            .stdout(full)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success());
        let pending = shell.ok("alice", &["send", "--pending"]).stdout;
        assert_eq!(
            shell.read("bob", &pending),
            fs::read(shell.path("bob.bundle")).unwrap()
        );
        assert!(shell.ok("alice", &["send", "--pending"]).stdout.is_empty());
    }
}

#[test]
fn exit_codes_are_as_documented() {
    let shell = Shell::pair();
    let message = shell.pipe("alice", "bob", &[], b"hello");
    let mut forged = message.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(shell.code("bob", &["receive"], &forged), 3);
    assert_eq!(shell.code("bob", &["receive"], b"this is not a message"), 3);
    assert_eq!(shell.read("bob", &message), b"hello");
    assert_eq!(shell.code("bob", &["receive"], &message), 4);

    assert_eq!(shell.code("alice", &["nonsense"], b""), 2);
    assert_eq!(shell.code("nobody", &["status"], b""), 1);
    assert_eq!(shell.code("alice", &["init", "again"], b""), 1);
    assert_eq!(shell.code("alice", &["send", "--reset", "bob"], b"x"), 5);

    fs::write(shell.path("wrong"), "incorrect\n").unwrap();
    assert_eq!(
        shell.code("alice", &["status", "--passphrase-file", "wrong"], b""),
        9
    );
    fs::write(shell.path("damaged.device"), b"no device").unwrap();
    assert_eq!(shell.code("damaged", &["status"], b""), 8);

    // Another device under Bob's name.
    shell.ok("other", &["init", "bob"]);
    fs::write(
        shell.path("bob.bundle"),
        shell.ok("other", &["publish", "--armor"]).stdout,
    )
    .unwrap();
    assert_eq!(
        shell.code("alice", &["contact", "add", "bob.bundle"], b""),
        6
    );
    assert_eq!(shell.code("alice", &["send", "bob"], b"x"), 6);
    shell.ok("alice", &["contact", "reject", "bob"]);
    let message = shell.pipe("alice", "bob", &[], b"still bob");
    assert_eq!(shell.read("bob", &message), b"still bob");
    assert_eq!(
        shell.code("alice", &["contact", "add", "bob.bundle"], b""),
        6
    );
    shell.ok("alice", &["contact", "accept", "bob"]);
    let message = shell.pipe("alice", "bob", &[], b"new bob");
    assert_eq!(shell.read("other", &message), b"new bob");
}

#[test]
fn a_backup_is_not_the_device_and_restores_what_is_safe() {
    let shell = Shell::pair();
    let message = shell.pipe("alice", "bob", &[], b"before");
    assert_eq!(shell.read("bob", &message), b"before");
    shell.ok("alice", &["export-backup", "backup"]);
    shell.pipe("alice", "bob", &[], b"after");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(shell.path(&format!("alice.device{suffix}")));
    }
    fs::copy(shell.path("backup"), shell.path("alice.device")).unwrap();
    assert_eq!(shell.code("alice", &["status"], b""), 7);

    shell.ok("fresh", &["restore", "backup"]);
    assert_eq!(shell.code("fresh", &["send", "bob"], b"x"), 5);
    fs::write(
        shell.path("bob.bundle"),
        shell.ok("bob", &["publish"]).stdout,
    )
    .unwrap();
    shell.ok("fresh", &["contact", "add", "bob.bundle"]);
    let message = shell.pipe("fresh", "bob", &[], b"back");
    assert_eq!(shell.read("bob", &message), b"back");
}

#[test]
fn publishing_to_a_directory_and_maintaining() {
    let shell = Shell::new(&["alice", "bob"]);
    shell.ok("bob", &["publish", "--count", "3", "out"]);
    assert_eq!(fs::read_dir(shell.path("out")).unwrap().count(), 4);
    shell.ok(
        "alice",
        &["contact", "add", "out/last-resort.bundle", "--name", "bob"],
    );
    let message = shell.pipe("alice", "bob", &["--raw"], b"raw");
    assert_eq!(message[..2], [1, 1]);
    let got = shell.run("bob", &["receive", "--raw", "--from", "nobody"], &message);
    assert_eq!(got.status.code(), Some(1));
    let got = shell.run("bob", &["receive", "--raw"], &message);
    assert_eq!(got.stdout, b"raw");
    let idle = shell.ok("bob", &["maintain", "more"]);
    assert!(said(&idle).contains("no new prekeys needed"));
    let status = String::from_utf8(shell.ok("bob", &["status"]).stdout).unwrap();
    for expected in [
        "3 one-time left",
        "contact     alice",
        "not verified",
        "session   epoch 0",
    ] {
        assert!(status.contains(expected), "{status}");
    }
    let listed = shell.ok("alice", &["contact", "list"]).stdout;
    assert!(listed.starts_with(b"bob\t") && listed.ends_with(b"\tnot verified\n"));
}

#[test]
#[cfg(unix)]
fn a_passphrase_comes_through_a_file_descriptor() {
    let shell = Shell::new(&["alice"]);
    let status = Command::new("sh")
        .current_dir(shell.dir.path())
        .args([
            "-c",
            "\"$0\" --device alice.device --passphrase-fd 5 status 5<pass >/dev/null",
        ])
        .arg(env!("CARGO_BIN_EXE_marline"))
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn completions_man_pages_help_and_demo() {
    let shell = Shell::new(&[]);
    for name in ["bash", "zsh", "fish"] {
        assert!(shell.ok("x", &["completions", name]).stdout.len() > 1000);
    }
    shell.ok("x", &["man", "man"]);
    assert!(shell.path("man/marline-send.1").exists());
    let all = shell.ok("x", &["-h"]).stdout;
    let all = String::from_utf8(all).unwrap();
    assert!(all.lines().count() <= 30, "one screen: {all}");
    let commands = all.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.map_while(|line| line.split_whitespace().next());
    let mut count = 0;
    for command in commands.filter(|command| *command != "help") {
        let help = shell.ok("x", &[command, "-h"]).stdout;
        let lines = String::from_utf8(help).unwrap().lines().count();
        assert!(lines <= 24, "{command}: one screen");
        count += 1;
    }
    assert!(count >= 12, "{count}");
    let demo = String::from_utf8(shell.ok("x", &["demo"]).stdout).unwrap();
    assert!(demo.contains("both have a fresh ML-KEM secret"), "{demo}");
}
