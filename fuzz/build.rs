//! The table of the C ABI's functions, out of `ffi/abi/api.json`: a new function is fuzzed without a change here.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use serde_json::Value;

/// Functions of the device in a file, which is tested by the device's own crash tests.
const WITH_FILES: [&str; 4] = ["device_", "contacts_", "inbox_", "outbox_"];

fn main() -> Result<(), Box<dyn Error>> {
    let api = "../ffi/abi/api.json";
    println!("cargo::rerun-if-changed={api}");
    let api: Value = serde_json::from_slice(&fs::read(api)?)?;
    let mut table = String::from("vec![\n");
    for function in api["functions"].as_array().ok_or("no functions")? {
        let name = function["name"].as_str().ok_or("no name")?;
        let short = name.strip_prefix("marline_").ok_or("another name")?;
        if WITH_FILES.iter().any(|prefix| short.starts_with(prefix)) {
            continue;
        }
        let parameters = function["parameters"].as_array().ok_or("no parameters")?;
        check_lengths(name, parameters)?;
        let holes = vec!["_"; parameters.len()].join(", ");
        let statuses = &function["statuses"];
        let gives_status = function["returns"] == "marline_status";
        let takes = parameters
            .iter()
            .any(|parameter| parameter["ownership"] == "taken");
        table += &format!(
            "Function {{ name: {name:?}, call: Box::new({name} as unsafe extern \"C\" fn({holes}) -> _), \
             statuses: if {gives_status} {{ Some(&{statuses}) }} else {{ None }}, takes: {takes} }},\n"
        );
    }
    table += "]\n";
    fs::write(Path::new(&env::var("OUT_DIR")?).join("functions.rs"), table)?;
    Ok(())
}

/// Bytes are followed by their length: the arguments are drawn by their types, in order.
fn check_lengths(name: &str, parameters: &[Value]) -> Result<(), String> {
    let types: Vec<_> = parameters
        .iter()
        .filter_map(|parameter| parameter["type"].as_str())
        .collect();
    for pair in types.windows(2) {
        let is_bytes = ["const uint8_t *", "uint8_t *", "char *"].contains(&pair[0]);
        if is_bytes && pair[1] != "size_t" {
            return Err(format!("{name}: bytes without a length"));
        }
    }
    Ok(())
}
