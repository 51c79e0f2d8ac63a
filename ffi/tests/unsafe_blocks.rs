//! Unsafe blocks are in one module, and each says why it is sound.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file of the crate.
fn sources() -> Vec<PathBuf> {
    let mut folders = vec![root()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

/// Whether it is the module `boundary` or a part of it.
fn is_boundary(path: &Path) -> bool {
    let path = path.strip_prefix(root()).unwrap();
    path == Path::new("boundary.rs") || path.starts_with("boundary")
}

#[test]
fn only_one_module_is_taken_for_boundary() {
    for (path, expected) in [
        ("boundary.rs", true),
        ("boundary/output.rs", true),
        ("boundary_x.rs", false),
        ("device/boundary/x.rs", false),
        ("account.rs", false),
    ] {
        assert_eq!(is_boundary(&root().join(path)), expected, "{path}");
    }
}

#[test]
fn unsafe_blocks_are_in_boundary_and_have_a_safety_comment() {
    let mut blocks = 0;
    for path in sources() {
        let source = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = source.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap();
            if !code.contains("unsafe {") && !code.contains("unsafe impl") {
                continue;
            }
            blocks += 1;
            assert!(is_boundary(&path), "{}:{}", path.display(), at + 1);
            let explained = lines[..at]
                .iter()
                .rev()
                .take_while(|above| above.trim_start().starts_with("//"))
                .any(|above| above.contains("// SAFETY: "));
            assert!(
                explained,
                "{}:{} has no SAFETY comment",
                path.display(),
                at + 1
            );
        }
    }
    assert!(blocks > 10, "the search found {blocks} blocks only");
}

#[test]
fn every_exported_function_is_guarded() {
    let mut exported = 0;
    for path in sources() {
        if ["status.rs", "version.rs", "testing.rs"]
            .iter()
            .any(|name| path.ends_with(name))
        {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for function in source.split("#[unsafe(no_mangle)]").skip(1) {
            exported += 1;
            let body = function.split_once("{\n").unwrap().1.trim_start();
            let guarded = body.starts_with("call!(err, |c|") || body.starts_with("read!(");
            assert!(guarded, "{}: {function}", path.display());
        }
    }
    assert!(exported > 100, "{exported} exported functions only");
}
