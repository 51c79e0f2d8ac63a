//! Names of files that mean something else to SQLite. Alone here: the working directory is of the whole process.
#![allow(clippy::unwrap_used)]

use marline_device::{Device, Options, Unlock};

#[test]
fn a_file_is_where_its_name_says_also_if_sqlite_would_read_it_as_an_address() {
    let dir = tempfile::tempdir().unwrap();
    std::env::set_current_dir(dir.path()).unwrap();
    let unlock = || Unlock::Key([7; 32]);
    for name in [":memory:", "file:x?nolock=1", "file:y?mode=memory"] {
        let made = Device::create(name, unlock(), b"alice", Options::default()).unwrap();
        let id = made.id();
        drop(made);
        let whole = dir.path().join(name);
        let mut device = Device::open(&whole, unlock(), Options::default()).unwrap();
        assert_eq!(device.id(), id);
        let copy = format!("{name}.copy");
        device.backup(&copy).unwrap();
        drop(device);
        let restored = Device::open_restored(&copy, unlock(), Options::default(), 2).unwrap();
        assert_eq!(restored.id(), id);
        drop(restored);
        assert!(dir.path().join(copy).metadata().unwrap().len() > 0);
    }
    let names = std::fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let bases = [":memory:", "file:x?nolock=1", "file:y?mode=memory"];
    let expected = bases
        .map(|base| ["", ".anchor", ".copy", ".copy.anchor"].map(|end| format!("{base}{end}")));
    assert_eq!(names, expected.concat());
}
