//! Seeds out of the test vectors: every byte string in them that a decoder takes.
//! `cargo run --bin seeds -- ../vectors/v1 OUTPUT` writes `OUTPUT/wire` and `OUTPUT/states`.

// An instrumented build needs its counters.
#[cfg(fuzzing)]
use libfuzzer_sys as _;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use marline_fuzz::decoders::{Decoder, STATES, WIRE};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1).map(PathBuf::from);
    let (Some(vectors), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: seeds VECTORS OUTPUT".into());
    };
    let mut strings = BTreeSet::new();
    for file in fs::read_dir(vectors)? {
        collect(
            &serde_json::from_slice(&fs::read(file?.path())?)?,
            &mut strings,
        );
    }
    write(&WIRE, &strings, &out.join("wire"))?;
    write(&STATES, &strings, &out.join("states"))
}

/// All byte strings in a vector file.
fn collect(value: &Value, into: &mut BTreeSet<Vec<u8>>) {
    match value {
        Value::String(text) => into.extend(hex::decode(text)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        Value::Object(values) => values.values().for_each(|value| collect(value, into)),
        _ => {}
    }
}

/// One file for each decoder and each string that it takes.
fn write(
    decoders: &[(&str, Decoder)],
    strings: &BTreeSet<Vec<u8>>,
    to: &Path,
) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for (choice, (name, decoder)) in decoders.iter().enumerate() {
        let taken = strings.iter().filter(|bytes| decoder(bytes).is_ok());
        let mut count = 0;
        for bytes in taken {
            let input = [&[u8::try_from(choice)?], &bytes[..]].concat();
            fs::write(to.join(format!("{choice:02}-{count:04}")), input)?;
            count += 1;
        }
        println!("{name}: {count}");
    }
    Ok(())
}
