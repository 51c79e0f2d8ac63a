//! The committed set: it holds, it is what the generator writes, it fits its schema, it covers the text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;

use marline_vectors::check::check;
use marline_vectors::cross::accumulate;
use marline_vectors::driver::Driver;
use marline_vectors::set::{accumulated, directory, make, read};
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

/// The control: a case that names no requirement of the text, and a requirement without its cases.
#[test]
fn the_table_refuses_gaps() {
    let mut files = read(&directory()).unwrap();
    files[0].file.cases[0].requirements.push("M-XX-99".into());
    assert!(
        trace::table(&files)
            .unwrap_err()
            .to_string()
            .contains("M-XX-99")
    );
    let mut files = read(&directory()).unwrap();
    for case in files.iter_mut().flat_map(|named| &mut named.file.cases) {
        case.requirements.retain(|id| id != "M-HS-08");
    }
    assert!(
        trace::table(&files)
            .unwrap_err()
            .to_string()
            .contains("M-HS-08")
    );
}

#[test]
fn the_accumulated_hash_holds() {
    let committed = accumulated(&directory(), 100).unwrap();
    assert_eq!(Some(accumulate(100).unwrap()), committed);
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
