//! `tests/README.md` is true: every row of the checklist is in it, and every test it names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const README: &str = include_str!("../README.md");

/// Calls `each` with path (below the crate) and text of every source file in a folder of the crate.
pub fn sources(folder: &str, each: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            sources(&path, each);
        } else if path.ends_with(".rs") {
            each(&path, &fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// The tests of a source: functions with `#[test]` or inside `proptest!` right before them.
fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    let after = text.split("#[test]\n").skip(1);
    after.filter_map(|rest| rest.split_once("fn ")?.1.split(['(', '<']).next())
}

/// First cell and the others of every table row whose first cell fits.
fn rows(fits: impl Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    let rows = README
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    rows.filter(|(row, _)| fits(row)).collect()
}

fn is_row(cell: &str) -> bool {
    let parts = cell.split_at_checked(1);
    parts.is_some_and(|(group, number)| "ABCDEF".contains(group) && number.parse::<u8>().is_ok())
}

/// What a row names as `file::test`.
fn named(cells: &str) -> impl Iterator<Item = (&str, &str)> {
    cells.split('`').filter_map(|code| code.split_once("::"))
}

#[test]
fn every_row_of_the_checklist_is_answered() {
    let expected = [
        ("A", 12),
        ("B", 14),
        ("C", 15),
        ("D", 11),
        ("E", 6),
        ("F", 11),
    ];
    let expected: Vec<String> = expected
        .iter()
        .flat_map(|(group, last)| (1..=*last).map(move |n| format!("{group}{n}")))
        .collect();
    let rows = rows(is_row);
    assert_eq!(
        rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(),
        expected
    );
    for (row, cells) in rows {
        let prefix = format!("{}_", row.to_lowercase());
        let own = named(cells).any(|(_, test)| test.starts_with(&prefix));
        let reason = cells.contains("Does not apply: ") || cells.contains("Not here: ");
        // Group F is above a session: a reason may name what comes closest.
        assert!(
            own || reason,
            "{row} has neither a test of its name nor a reason"
        );
    }
}

#[test]
fn every_erratum_is_settled() {
    let rows = rows(|cell| cell.starts_with("erratum "));
    assert_eq!(rows.len(), 12);
    for (i, (row, cells)) in rows.iter().enumerate() {
        assert_eq!(*row, format!("erratum {}", i + 1));
        assert!(named(cells).next().is_some(), "{row} is pinned by no test");
    }
}

#[test]
fn every_test_named_exists_and_every_test_of_a_row_is_named() {
    let mut existing = BTreeSet::new();
    for folder in ["src", "tests"] {
        sources(folder, &mut |path, text| {
            let file = path.trim_start_matches("tests/").trim_end_matches(".rs");
            existing.extend(tests_in(text).map(|test| format!("{file}::{test}")));
        });
    }
    assert!(existing.len() > 100, "{existing:?}");
    let named: BTreeSet<String> = named(README)
        .map(|(file, test)| format!("{file}::{test}"))
        .collect();
    let missing: Vec<_> = named.difference(&existing).collect();
    assert!(missing.is_empty(), "named and not there: {missing:#?}");
    // The other way: what bears a row's number is found from the row.
    let of_a_row = existing.iter().filter(|path| {
        let test = path.rsplit_once("::").map_or("", |(_, test)| test);
        test.split_once('_')
            .is_some_and(|(row, _)| row.len() > 1 && is_row(&row.to_uppercase()))
    });
    let unnamed: Vec<_> = of_a_row.filter(|path| !named.contains(*path)).collect();
    assert!(
        unnamed.is_empty(),
        "bear a row's number and are not named: {unnamed:#?}"
    );
}
