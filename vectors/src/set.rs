//! The set of files on disk: `v1/*.json` and the manifest of their SHA-256 sums.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::format::{Outcome, VectorFile};
use crate::{generate, trace};

/// Where the set is in this repository.
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The committed hash of this many pseudo-random plays: `what` is `sessions` or `contacts`.
///
/// # Errors
/// No file, or in another form.
pub fn accumulated(directory: &Path, what: &str, count: u64) -> Outcome<Option<String>> {
    let sums: Value = serde_json::from_slice(&fs::read(directory.join("accumulated.json"))?)?;
    let sum = sums.pointer(&format!("/{what}/{count}"));
    Ok(sum.and_then(Value::as_str).map(Into::into))
}

/// One file of the set.
pub struct Named {
    /// Its name without extension.
    pub name: String,
    /// What it holds.
    pub file: VectorFile,
}

/// Reads every file of `v1`, by name, after its SHA-256 sum has been compared with the manifest's.
///
/// # Errors
/// A file that is missing, too many, not in its form, or not what the manifest says.
pub fn read(directory: &Path) -> Outcome<Vec<Named>> {
    let manifest: Value = serde_json::from_slice(&fs::read(directory.join("manifest.json"))?)?;
    let sums = manifest
        .get("sha256")
        .and_then(Value::as_object)
        .ok_or("manifest without sums")?;
    let mut found = Vec::new();
    for entry in fs::read_dir(directory.join("v1"))? {
        found.push(entry?.file_name().to_string_lossy().into_owned());
    }
    found.sort();
    let expected: Vec<&String> = sums.keys().collect();
    if found.iter().collect::<Vec<_>>() != expected {
        return Err(format!("v1 holds {found:?}, the manifest {expected:?}").into());
    }
    let mut files = Vec::new();
    for (name, sum) in sums {
        let bytes = fs::read(directory.join("v1").join(name))?;
        if sum.as_str() != Some(&hex::encode(Sha256::digest(&bytes))) {
            return Err(format!("{name} is not what the manifest says").into());
        }
        let file = serde_json::from_slice(&bytes).map_err(|error| format!("{name}: {error}"))?;
        files.push(Named {
            name: name.trim_end_matches(".json").into(),
            file,
        });
    }
    Ok(files)
}

/// Everything the generator writes: path below the directory, and bytes.
///
/// # Errors
/// As [`generate::all`].
pub fn make() -> Outcome<Vec<(String, Vec<u8>)>> {
    let mut outputs = Vec::new();
    let mut sums = serde_json::Map::new();
    let mut files = Vec::new();
    for (name, file) in generate::all()? {
        let mut bytes = serde_json::to_vec_pretty(&file)?;
        bytes.push(b'\n');
        sums.insert(
            format!("{name}.json"),
            json!(hex::encode(Sha256::digest(&bytes))),
        );
        outputs.push((format!("v1/{name}.json"), bytes));
        files.push(Named {
            name: name.into(),
            file,
        });
    }
    let manifest = json!({
        "license": "CC0-1.0",
        "spec": "Marline protocol, version 1 (spec/marline.md)",
        "version": "1.0.0",
        "sha256": sums,
    });
    let mut bytes = serde_json::to_vec_pretty(&manifest)?;
    bytes.push(b'\n');
    outputs.push(("manifest.json".into(), bytes));
    outputs.push(("traceability.md".into(), trace::table(&files)?.into_bytes()));
    Ok(outputs)
}

/// Writes what [`make`] gives; files of `v1` that are not of it go.
///
/// # Errors
/// When the file system refuses.
pub fn write(directory: &Path) -> Outcome<()> {
    let outputs = make()?;
    fs::create_dir_all(directory.join("v1"))?;
    for entry in fs::read_dir(directory.join("v1"))? {
        fs::remove_file(entry?.path())?;
    }
    for (path, bytes) in outputs {
        fs::write(directory.join(path), bytes)?;
    }
    Ok(())
}
