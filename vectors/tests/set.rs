//! The committed set: it holds, it is what the generator writes, it fits its schema, it covers the text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;

use marline_vectors::check::check;
use marline_vectors::cross::{Game, Pair, accumulate};
use marline_vectors::cross_contacts::Contacts;
use marline_vectors::driver::Driver;
use marline_vectors::format::Verdict;
use marline_vectors::set::{Named, accumulated, directory, make, read};
use marline_vectors::trace;
use serde_json::{Value, json};

fn json_file(path: &str) -> Value {
    serde_json::from_slice(&fs::read(directory().join(path)).unwrap()).unwrap()
}

#[test]
fn every_vector_holds() {
    let report = check(&read(&directory()).unwrap(), &mut Driver::default()).unwrap();
    assert!(report.passed(), "{}", report.table());
}

#[test]
fn the_generator_writes_the_committed_bytes() {
    for (path, bytes) in make().unwrap() {
        let committed = fs::read(directory().join(&path)).unwrap();
        assert!(
            committed == bytes,
            "{path} differs: cargo run -p marline-vectors -- generate"
        );
    }
}

#[test]
fn files_fit_their_schema() {
    let schema = jsonschema::validator_for(&json_file("schema/vectors.schema.json")).unwrap();
    for named in read(&directory()).unwrap() {
        let file = json_file(&format!("v1/{}.json", named.name));
        let errors: Vec<String> = schema
            .iter_errors(&file)
            .map(|error| {
                format!("{}: {}", error.instance_path(), error)
                    .chars()
                    .take(300)
                    .collect()
            })
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", named.name);
    }
    let manifest = jsonschema::validator_for(&json_file("schema/manifest.schema.json")).unwrap();
    assert!(manifest.is_valid(&json_file("manifest.json")));
}

/// The control of the test above: the schema does refuse.
#[test]
fn the_schema_refuses_what_it_does_not_know() {
    let schema = jsonschema::validator_for(&json_file("schema/vectors.schema.json")).unwrap();
    let good = json_file("v1/a1-hash.json");
    let changes: [(&str, Value); 6] = [
        ("/cases/0/more", json!(1)),
        ("/cases/1/steps/0/in/more", json!("00")),
        ("/cases/1/steps/0/ok/more", json!("00")),
        ("/cases/1/steps/0/ok/out", json!("0")),
        ("/cases/1/result", json!("acceptable")),
        ("/cases/1/steps/0/op", json!("no such op")),
    ];
    for (path, value) in changes {
        let mut file = good.clone();
        let (parent, name) = path.rsplit_once('/').unwrap();
        let parent = file.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.insert(name.into(), value);
        assert!(!schema.is_valid(&file), "{path}");
    }
    assert!(schema.is_valid(&good));
}

#[test]
fn the_table_covers_the_text() {
    let files = read(&directory()).unwrap();
    let table = trace::table(&files).unwrap();
    assert_eq!(
        table,
        fs::read_to_string(directory().join("traceability.md")).unwrap()
    );
    assert!(trace::requirements(trace::SPEC).len() >= 60);
}

/// The control: a case that names no requirement of the text, and each requirement without its cases.
#[test]
fn the_table_refuses_gaps() {
    let mut files = read(&directory()).unwrap();
    files[0].file.cases[0].requirements.push("M-XX-99".into());
    let refused = trace::table(&files).unwrap_err().to_string();
    assert!(refused.contains("M-XX-99"));
    files[0].file.cases[0].requirements.pop();
    for id in trace::requirements(trace::SPEC) {
        for verdict in [None, Some(Verdict::Reject)] {
            let listed = match verdict {
                None => trace::NOT_BY_VECTORS,
                Some(_) => trace::NOT_NEGATIVE,
            };
            let named = stripped(&mut files, &id, verdict);
            let refused = trace::table(&files)
                .map(drop)
                .map_err(|error| error.to_string());
            if listed.iter().any(|(of, _)| *of == id) {
                assert_eq!(refused, Ok(()), "{id} is listed");
            } else {
                assert!(!named.is_empty(), "{id}");
                assert!(refused.unwrap_err().contains(&id), "{id}");
            }
            for (file, case) in named {
                files[file].file.cases[case].requirements.push(id.clone());
            }
        }
    }
}

/// Takes a requirement from its cases (or from those that refuse); where they are.
fn stripped(files: &mut [Named], id: &str, verdict: Option<Verdict>) -> Vec<(usize, usize)> {
    let mut named = Vec::new();
    for (number, file) in files.iter_mut().enumerate() {
        for (place, case) in file.file.cases.iter_mut().enumerate() {
            let meant = verdict.is_none_or(|verdict| case.result == verdict);
            if meant && case.requirements.iter().any(|of| of == id) {
                case.requirements.retain(|of| of != id);
                named.push((number, place));
            }
        }
    }
    named
}

/// A listed exception that has a case by now is one too many.
#[test]
fn the_table_refuses_an_exception_that_is_none() {
    let mut files = read(&directory()).unwrap();
    let cases = files.iter_mut().flat_map(|named| &mut named.file.cases);
    let refusing = cases
        .into_iter()
        .find(|case| case.result == Verdict::Reject);
    refusing.unwrap().requirements.push("M-ID-04".into());
    let refused = trace::table(&files).unwrap_err().to_string();
    assert!(refused.contains("M-ID-04"));
}

/// The vectors run on the provider that the gate asks for: features of a build are united.
#[test]
fn the_provider_is_the_one_asked_for() {
    if let Ok(wanted) = std::env::var("MARLINE_PROVIDER") {
        assert_eq!(marline::hazmat::provider::NAME, wanted);
    }
}

#[test]
fn the_accumulated_hash_holds() {
    let (mut a, mut b) = (Driver::default(), Driver::default());
    let committed = accumulated(&directory(), "sessions", 100).unwrap();
    let sum = accumulate(&mut Pair::new(&mut a, &mut b), 100).unwrap();
    assert_eq!(Some(sum), committed);
    let committed = accumulated(&directory(), "contacts", 50).unwrap();
    let sum = accumulate(&mut Contacts::new(&mut a, &mut b), 50).unwrap();
    assert_eq!(Some(sum), committed);
}

/// The pseudo-random plays of contacts reach what they are for.
#[test]
fn plays_of_contacts_are_not_empty() {
    let (mut a, mut b) = (Driver::default(), Driver::default());
    let mut game = Contacts::new(&mut a, &mut b);
    let mut answers = String::new();
    let mut converged = 0;
    for number in 0..50 {
        let transcript = game.play(number).unwrap();
        let sends_on = |back: usize| transcript[transcript.len() - back].pointer("/ok/sends_on");
        converged += usize::from(sends_on(1) == sends_on(2));
        answers += &serde_json::to_string(&transcript).unwrap();
    }
    assert!(
        converged > 10,
        "only {converged} of 50 end on the same session"
    );
    for reached in [
        "NewSession\"",
        "SessionReset",
        "IdentityChanged\",\"from",
        "\"verified\"",
    ] {
        assert!(answers.contains(reached), "no {reached}");
    }
    for error in [
        "Authentication",
        "Duplicate",
        "IdentityChanged",
        "Limit",
        "NoSession",
    ] {
        let answer = format!("\"error\":\"{error}\"");
        assert!(answers.contains(&answer), "no {error}");
    }
}

#[test]
fn draws_must_fit() {
    let mut driver = Driver::default();
    let mut generate = |draws: Value| {
        driver.handle(
            &json!({ "op": "account_generate", "account": "a", "subject": "", "draws": draws }),
        )
    };
    let (seed, short) = ("01".repeat(32), "01".repeat(31));
    for draws in [
        json!([]),
        json!([seed]),
        json!([seed, short]),
        json!([seed, seed, seed]),
    ] {
        assert!(generate(draws.clone()).get("fault").is_some(), "{draws}");
    }
    assert!(generate(json!([seed, seed])).get("ok").is_some());
}

#[test]
fn requests_must_fit() {
    let mut driver = Driver::default();
    for request in [
        Value::Null,
        json!({ "op": "nothing" }),
        json!({ "op": "h", "name": "kem key" }),
        json!({ "op": "h", "name": "no label", "fields": [] }),
        json!({ "op": "h", "name": "kem key", "fields": ["0g"] }),
        json!({ "op": "h", "name": "kem key", "fields": [], "more": 1 }),
        json!({ "op": "encrypt", "session": "none", "plaintext": "", "draws": [] }),
    ] {
        assert!(driver.handle(&request).get("fault").is_some(), "{request}");
    }
}
