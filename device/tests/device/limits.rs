//! A file that cannot be written and a disk that is full, for real: in a child process that the operating system limits.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::*;

const CHILD: &str = "MARLINE_LIMITS_CHILD";

/// What a child is to do, by this program again. None, and said loudly, when it could not be started.
fn child(what: &str, mut command: Command) -> Option<String> {
    let said = command
        .args(["limits::work", "--exact", "--nocapture"])
        .env(CHILD, what)
        .output();
    let text = match said {
        Ok(said) => format!(
            "{}{}",
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr)
        ),
        Err(error) => error.to_string(),
    };
    if text.contains("child: started") {
        return Some(text);
    }
    // Not through the macros, whose output a passing test hides.
    let line = format!("SKIPPED: {what}: the child could not be limited: {text}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    None
}

#[test]
fn work() {
    let Ok(what) = std::env::var(CHILD) else {
        return; // Only a child has work here.
    };
    println!("child: started");
    let (what, dir) = what.split_once(' ').unwrap();
    match what {
        "open" => {
            let device = Device::open(Path::new(dir).join("a"), key(), Options::default());
            let result = device.and_then(|mut device| device.publish(1, NOW).map(|_| ()));
            println!("child: {result:?}");
        }
        _ => fill(Path::new(dir)),
    }
}

/// Sends until nothing more fits: the refused call has changed nothing, what was released is kept, and with room again
/// the conversation goes on.
fn fill(dir: &Path) {
    let ballast = dir.join("ballast");
    fs::write(&ballast, vec![1; 1_300_000]).unwrap();
    let path = |name| dir.join(name);
    let mut b = Device::create(path("b"), key(), b"b", Options::default()).unwrap();
    let mut a = Device::create(path("a"), key(), b"a", Options::default()).unwrap();
    let bundle = b.publish(1, NOW).unwrap().bundle(0).unwrap();
    a.add_contact("b", &bundle, NOW).unwrap();
    say(&mut a, "b", &mut b, b"x");
    a.flush().unwrap();
    let mut released = vec![];
    let refused = loop {
        let generation = a.generation();
        match a.send("b", &[7; 50_000], NOW) {
            Ok(out) => released.push(out),
            Err(error) => {
                assert_eq!(a.generation(), generation);
                break error;
            }
        }
        assert!(released.len() < 1000, "no limit");
    };
    assert!(a.outbox().unwrap() == released);
    drop(a);
    fs::remove_file(ballast).unwrap();
    let mut a = Device::open(path("a"), key(), Options::default()).unwrap();
    assert!(a.outbox().unwrap() == released);
    for out in &released {
        a.mark_sent(out.id).unwrap();
    }
    a.flush().unwrap();
    say(&mut a, "b", &mut b, b"goes on");
    println!("child: {} released, then {refused:?}", released.len());
}

/// A copy of this program where everybody may run it.
fn program(dir: &Path) -> PathBuf {
    let copy = dir.join("program");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    mode(&copy, 0o755);
    copy
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_file_or_directory_is_a_typed_error() {
    let home = Home::new();
    let program = program(home.dir.path());
    mode(home.dir.path(), 0o755);
    for (file, directory) in [(0o444, 0o777), (0o444, 0o555), (0o666, 0o555)] {
        let inner = home.path(&format!("{file:o} {directory:o}"));
        fs::create_dir(&inner).unwrap();
        let path = inner.join("a");
        let device = Device::create(&path, key(), b"a", Options::default());
        device.unwrap().flush().unwrap();
        let before = bytes(&path);
        mode(&path, file);
        mode(&inner, directory);
        let mut command = Command::new(&program);
        if fs::OpenOptions::new().append(true).open(&path).is_ok() {
            // The superuser is not bound by permissions: somebody else is.
            command.uid(65_534).gid(65_534);
        }
        let said = child(&format!("open {}", inner.display()), command);
        mode(&inner, 0o755);
        let Some(said) = said else { return };
        assert!(said.contains("child: Err(ReadOnly)"), "{said}");
        assert_eq!(bytes(&path), before);
    }
}

#[test]
fn a_disk_that_is_full_is_a_typed_error_and_the_conversation_goes_on() {
    let home = Home::new();
    let mounted = home.path("disk");
    fs::create_dir(&mounted).unwrap();
    let mut command = Command::new("unshare");
    // A file system of its own that only the child sees.
    let mount = "mount -t tmpfs -o size=2m disk \"$1\" && shift && exec \"$@\"";
    command
        .args(["--map-root-user", "--mount", "sh", "-c", mount, "sh"])
        .args([mounted.clone(), std::env::current_exe().unwrap()]);
    if let Some(said) = child(&format!("fill {}", mounted.display()), command) {
        assert!(said.contains("released, then DiskFull"), "{said}");
    }
}

#[test]
fn a_file_that_may_not_grow_is_a_typed_error_and_the_conversation_goes_on() {
    let home = Home::new();
    let mut command = Command::new("sh");
    // In blocks of 512 bytes. Without the trap the signal would end the child instead.
    let limit = "trap '' XFSZ; ulimit -f 4000; exec \"$@\"";
    command
        .args(["-c", limit, "sh"])
        .arg(std::env::current_exe().unwrap());
    if let Some(said) = child(&format!("fill {}", home.dir.path().display()), command) {
        assert!(said.contains("released, then Storage("), "{said}");
    }
}
