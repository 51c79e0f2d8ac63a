//! Unsafe blocks are in one module, and each says why it is sound.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

#[test]
fn unsafe_blocks_are_in_boundary_and_have_a_safety_comment() {
    let mut blocks = 0;
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let path = file.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = source.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap();
            if !code.contains("unsafe {") && !code.contains("unsafe impl") {
                continue;
            }
            blocks += 1;
            assert!(
                path.ends_with("boundary.rs"),
                "{}:{}",
                path.display(),
                at + 1
            );
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
    for name in [
        "account", "adopt", "buffer", "contact", "events", "pending", "prekey", "session",
    ] {
        let path = format!("{}/src/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = fs::read_to_string(path).unwrap();
        for function in source.split("#[unsafe(no_mangle)]").skip(1) {
            exported += 1;
            let body = function.split_once("{\n").unwrap().1.trim_start();
            let guarded = body.starts_with("call!(err, |c|") || body.starts_with("read!(");
            assert!(guarded, "{name}: {function}");
        }
    }
    assert!(exported > 40);
}
