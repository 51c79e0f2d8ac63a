//! Mutation proof: one bit of any expected field is another, and the check fails.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use marline_vectors::driver::Driver;
use marline_vectors::format::{Case, Definition, Object, Step, VectorFile};
use marline_vectors::runner::{judge, play};
use marline_vectors::set::{directory, read};
use serde_json::{Value, json};

/// The same value with one bit changed.
fn flipped(value: &Value, at: usize) -> Value {
    match value {
        Value::Null => json!(0),
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_u64().unwrap() ^ 1),
        Value::String(text) => json!(flipped_text(text, at)),
        Value::Array(_) | Value::Object(_) => panic!("not a leaf"),
    }
}

fn flipped_text(text: &str, at: usize) -> String {
    match hex::decode(text) {
        Ok(bytes) if bytes.is_empty() => "00".into(),
        Ok(mut bytes) => {
            let at = at % (8 * bytes.len());
            bytes[at / 8] ^= 1 << (at % 8);
            hex::encode(bytes)
        }
        Err(_) => {
            let mut bytes = text.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] ^= 1;
            String::from_utf8(bytes).unwrap()
        }
    }
}

/// Paths of the leaves of a value; empty lists and objects get an element instead.
fn leaves(value: &Value, path: String, out: &mut Vec<String>) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, item)| leaves(item, format!("{path}/{i}"), out));
        }
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(name, field)| leaves(field, format!("{path}/{name}"), out));
        }
        _ => out.push(path),
    }
}

/// Every mutation of what one step expects.
fn mutations(file: &VectorFile, step: &Step, seed: usize) -> Vec<Step> {
    let mut out = Vec::new();
    if let Some(ok) = &step.ok {
        let ok = Value::Object(file.resolve_object(ok).unwrap());
        let mut paths = Vec::new();
        leaves(&ok, String::new(), &mut paths);
        for (i, path) in paths.iter().filter(|path| !path.is_empty()).enumerate() {
            let mut mutated = ok.clone();
            let leaf = mutated.pointer_mut(path).unwrap();
            *leaf = if leaf.is_array() {
                json!(["00"])
            } else {
                flipped(leaf, seed.wrapping_add(i).wrapping_mul(0x9e37_79b9))
            };
            out.push(Step {
                ok: Some(mutated.as_object().unwrap().clone()),
                ..step.clone()
            });
        }
    }
    let texts: [fn(&mut Step) -> &mut Option<String>; 4] = [
        |step| &mut step.error,
        |step| &mut step.account,
        |step| &mut step.session,
        |step| &mut step.contact,
    ];
    for text in texts {
        let mut mutated = step.clone();
        if let Some(text) = text(&mut mutated) {
            *text = flipped_text(text, seed);
            out.push(mutated);
        }
    }
    out
}

#[test]
fn one_bit_of_any_expected_field_is_noticed() {
    let mut count = 0;
    for named in read(&directory()).unwrap() {
        for case in &named.file.cases {
            let answers = play(&named.file, case, &mut Driver::default()).unwrap();
            judge(&named.file, case, &answers).unwrap();
            let asked = case.steps.iter().filter(|step| step.op.is_some());
            for (number, (step, answer)) in asked.zip(&answers).enumerate() {
                for mutated in mutations(&named.file, step, number) {
                    let single = Case {
                        steps: vec![mutated],
                        ..case.clone()
                    };
                    let result = judge(&named.file, &single, std::slice::from_ref(answer));
                    assert!(
                        result.is_err(),
                        "{} / {}: step {number}",
                        named.name,
                        case.id
                    );
                    count += 1;
                }
            }
        }
    }
    assert!(count > 3000, "only {count} fields");
}

/// Values that stand in expected and in given places alike: the case is played again with the other bit.
#[test]
fn one_bit_of_any_named_value_that_is_expected_is_noticed() {
    let mut count = 0;
    for named in read(&directory()).unwrap() {
        for (name, definition) in &named.file.values {
            let Definition::Bytes(bytes) = definition else {
                continue;
            };
            let reference = format!("\"@{name}\"");
            let holds = |fields: &Object| {
                fields
                    .values()
                    .any(|value| value.to_string().contains(&reference))
            };
            // A step that gives back what it got, and nothing else, cannot tell.
            let expects = |case: &&Case| {
                case.steps
                    .iter()
                    .any(|step| step.ok.as_ref().is_some_and(holds) && !holds(&step.inputs))
            };
            let Some(case) = named.file.cases.iter().find(expects) else {
                continue;
            };
            let mut file = named.file.clone();
            file.values.insert(
                name.clone(),
                Definition::Bytes(flipped_text(bytes, 8 * 7 + 3)),
            );
            let result = play(&file, case, &mut Driver::default())
                .and_then(|answers| judge(&file, case, &answers));
            assert!(result.is_err(), "{}: {name} in {}", named.name, case.id);
            count += 1;
        }
    }
    assert!(count > 20, "only {count} values");
}

/// A failure that changes a state is noticed, although its answer is the expected one.
#[test]
fn a_change_after_an_error_is_noticed() {
    let files = read(&directory()).unwrap();
    let named = files
        .iter()
        .find(|named| named.name == "c3-hostile")
        .unwrap();
    let case = named
        .file
        .cases
        .iter()
        .find(|case| case.id == "hostile-corrupt")
        .unwrap();
    let mut answers = play(&named.file, case, &mut Driver::default()).unwrap();
    let mut case = case.clone();
    let at = case
        .steps
        .iter()
        .position(|step| step.error.is_some())
        .unwrap();
    let other = "00".repeat(32);
    case.steps[at].session = Some(other.clone());
    answers[at]["session"] = json!(other);
    assert!(
        judge(&named.file, &case, &answers)
            .unwrap_err()
            .to_string()
            .contains("the session changed")
    );
}
