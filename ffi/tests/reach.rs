//! What a Rust application can call, a C application can: `ffi/abi/reach.txt` says how, and is complete.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::{fs, path::Path};

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap()
}

/// `Type::function` of every public method in a source file.
fn methods(source: &str) -> BTreeSet<String> {
    let mut owner = "";
    let mut found = BTreeSet::new();
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("impl") {
            let head = rest.split(" for ").last().unwrap();
            // After the generic parameters of the impl, if it has any.
            let head = if head.starts_with('<') {
                head.split_once("> ").unwrap().1
            } else {
                head
            };
            owner = head
                .trim_start()
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap();
        }
        if let Some(rest) = line.strip_prefix("    pub fn ") {
            let name = rest.split(['(', '<']).next().unwrap();
            found.insert(format!("{owner}::{name}"));
        }
    }
    found
}

#[test]
fn every_public_function_of_rust_is_reached_from_c_or_says_why_not() {
    let symbols = read("ffi/abi/symbols.txt");
    let symbols: BTreeSet<&str> = symbols.lines().collect();
    let table = read("ffi/abi/reach.txt");
    let mut checked = 0;
    for section in table.split("\n\n").skip(1) {
        let mut lines = section.trim().lines();
        let path = lines.next().unwrap();
        let mut listed = BTreeSet::new();
        for line in lines {
            let (name, how) = line.split_once(' ').unwrap();
            listed.insert(name.to_owned());
            if let Some(reason) = how.trim().strip_prefix("- ") {
                assert!(!reason.is_empty(), "{name}");
                continue;
            }
            for function in how.split_whitespace() {
                assert!(symbols.contains(function), "{name}: no {function}");
                checked += 1;
            }
        }
        assert_eq!(methods(&read(path)), listed, "{path}");
    }
    assert!(checked > 100, "{checked} only");
}

#[test]
fn the_search_finds_methods_of_generic_types() {
    let source = "impl<S: Store> Device<S> {\n    pub fn send<R>(&self) {}\n}\nimpl<'a> From<X> for Y {\n}\nimpl Z {\n    pub fn z() {}\n";
    let found: Vec<String> = methods(source).into_iter().collect();
    assert_eq!(found, ["Device::send", "Z::z"]);
}
