//! The examples in section 15 of `spec/marline.md`, made with Python, against this code.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use marline::Secret;
use marline::hazmat::hash::{expand_into, extract, hash, prf};
use marline::hazmat::labels::{ALL, Label};

fn label(name: &str) -> Label {
    let text = format!("marline/1 {name}");
    *ALL.iter()
        .find(|label| label.text() == text)
        .expect("a label of the table")
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .map(|c| c.to_digit(16).expect("a digit"))
        .collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}

/// `00*32`, or bytes in hexadecimal.
fn bytes(text: &str) -> Vec<u8> {
    match text.split_once('*') {
        Some((byte, count)) => hex(byte).repeat(count.parse().expect("a count")),
        None => hex(text),
    }
}

fn secret(bytes: &[u8]) -> Secret<32> {
    Secret::fill(|out| out.copy_from_slice(bytes))
}

/// Evaluates one line of the section.
fn evaluate(call: &str) -> Vec<u8> {
    let (function, arguments) = call
        .strip_suffix(')')
        .and_then(|c| c.split_once('('))
        .expect("a call");
    let arguments: Vec<&str> = arguments.split([',', ';']).map(str::trim).collect();
    let name = |at: usize| label(arguments[at].trim_matches('"'));
    match function {
        "H" => {
            let fields: Vec<Vec<u8>> = arguments[1..].iter().map(|a| bytes(a)).collect();
            hash(
                name(0),
                &fields.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            )
            .to_vec()
        }
        "PRF" => {
            let inputs: Vec<Vec<u8>> = arguments[2..].iter().map(|a| bytes(a)).collect();
            let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
            match arguments[1] {
                "32" => prf::<32>(name(0), &inputs).expose().to_vec(),
                "64" => prf::<64>(name(0), &inputs).expose().to_vec(),
                other => panic!("length {other}"),
            }
        }
        "EXTRACT" => extract(&bytes(arguments[0]), &[&bytes(arguments[1])])
            .expose()
            .to_vec(),
        "EXPAND" => {
            let mut okm = vec![0; arguments[3].parse().expect("a length")];
            let prk = secret(&bytes(arguments[0]));
            expand_into(&prk, name(1), [&bytes(arguments[2]), &[]], &mut okm).expect("short");
            okm
        }
        other => panic!("function {other}"),
    }
}

#[test]
fn the_examples_of_the_spec_are_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/marline.md");
    let text = std::fs::read_to_string(path).expect("the spec");
    let section = text.split("## 15. Examples").nth(1).expect("section 15");
    let lines: Vec<&str> = section
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let mut checked = 0;
    for pair in lines.windows(2) {
        if let Some(call) = pair[0].strip_suffix(" =") {
            assert_eq!(evaluate(call), hex(pair[1]), "{call}");
            checked += 1;
        }
    }
    assert_eq!(checked, 8);
}

#[test]
fn the_label_table_of_the_spec_is_the_one_in_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/marline.md");
    let text = std::fs::read_to_string(path).expect("the spec");
    let table = text
        .split("| name | function | used in |")
        .nth(1)
        .expect("the table");
    let table = table.split("\n\n").next().expect("its end");
    let mut names: Vec<String> = Vec::new();
    for row in table.lines().skip(2) {
        let first = row.split('|').nth(1).unwrap_or_default();
        names.extend(
            first
                .split('`')
                .skip(1)
                .step_by(2)
                .map(|name| format!("marline/1 {name}")),
        );
    }
    let code: Vec<&str> = ALL.iter().map(|label| label.text()).collect();
    assert_eq!(names, code);
}
