//! Plays a whole set against an implementation.

use std::collections::BTreeMap;

use serde_json::json;

use crate::format::{Layer, Outcome};
use crate::runner::{Implementation, judge, play};
use crate::set::Named;

/// What came of a set.
#[derive(Default)]
pub struct Report {
    /// Passed and failed cases of each layer.
    pub layers: BTreeMap<Layer, (usize, usize)>,
    /// Failed cases: file, case, reason.
    pub failures: Vec<String>,
}

impl Report {
    /// Whether every case passed, and there was one.
    pub fn passed(&self) -> bool {
        self.failures.is_empty() && !self.layers.is_empty()
    }

    /// The table for people.
    pub fn table(&self) -> String {
        let mut out = format!("{:<12} {:>7} {:>7}\n", "layer", "passed", "failed");
        for (layer, (passed, failed)) in &self.layers {
            out += &format!(
                "{:<12} {passed:>7} {failed:>7}\n",
                format!("{layer:?}").to_lowercase()
            );
        }
        self.failures
            .iter()
            .for_each(|failure| out += &format!("FAILED {failure}\n"));
        out
    }
}

/// Plays every case; before each, the implementation forgets what it keeps.
///
/// # Errors
/// An implementation that does not answer.
pub fn check(files: &[Named], implementation: &mut dyn Implementation) -> Outcome<Report> {
    let mut report = Report::default();
    for Named { name, file } in files {
        for case in &file.cases {
            implementation.call(&json!({ "op": "reset" }))?;
            let answers = play(file, case, implementation)?;
            let (passed, failed) = report.layers.entry(file.layer).or_default();
            match judge(file, case, &answers) {
                Ok(()) => *passed += 1,
                Err(reason) => {
                    *failed += 1;
                    report
                        .failures
                        .push(format!("{name} / {}: {reason}", case.id));
                }
            }
        }
    }
    Ok(report)
}
