//! The format of `vectors/v1/*.json` (described in `vectors/README.md`, fixed by `vectors/schema/`).

use std::collections::BTreeMap;
use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Inputs and outputs by name.
pub type Object = Map<String, Value>;
/// Result of everything that can only go wrong by a mistake: in a file, a generator, or a driver's answer.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// One file of cases.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// Where the JSON Schema is, from the file.
    #[serde(rename = "$schema")]
    pub schema: String,
    /// SPDX identifier of the file's licence.
    pub license: String,
    /// The text that the cases follow.
    pub spec: String,
    /// Semantic version of the set: cases are added, never changed, within a major version.
    pub version: String,
    /// What wrote the file.
    pub generator: String,
    /// Who agreed on the expectations.
    pub provenance: String,
    /// The one suite of the protocol.
    pub suite: String,
    /// How far the cases go.
    pub layer: Layer,
    /// What the file is about.
    pub about: String,
    /// Long byte strings, for `"@name"` wherever bytes are expected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Definition>,
    /// The cases; each stands alone.
    pub cases: Vec<Case>,
}

/// How far a case goes.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Primitives in our exact use.
    Primitives,
    /// Functions with all intermediate values; single transitions of states.
    Parts,
    /// Scripted sessions.
    Scripts,
}

/// A named byte string.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(untagged, deny_unknown_fields)]
pub enum Definition {
    /// Hexadecimal.
    Bytes(String),
    /// Another value, of which `remove` bytes at `at` are replaced.
    Splice {
        /// The other value's name.
        of: String,
        /// Where, in bytes.
        at: usize,
        /// How many bytes go.
        remove: usize,
        /// What comes instead, in hexadecimal.
        insert: String,
    },
    /// The same bytes many times.
    Repeat {
        /// The bytes, in hexadecimal.
        repeat: String,
        /// How many times.
        times: usize,
    },
    /// Other values, one after the other.
    Join {
        /// Their names.
        join: Vec<String>,
    },
    /// The numbers 1 to `count`, each big endian in `width` bytes and followed by the same bytes.
    Count {
        /// How many.
        count: u64,
        /// Bytes of each.
        width: usize,
        /// What follows each, in hexadecimal.
        then: String,
    },
}

/// One case: steps in order, from an empty implementation.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique in the whole set.
    pub id: String,
    /// What it shows, and for a refusal the reason.
    pub about: String,
    /// Requirements of `spec/marline.md` that it covers.
    pub requirements: Vec<String>,
    /// Whether it shows something that is accepted or something that is refused.
    pub result: Verdict,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// What a case shows.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every step succeeds.
    Accept,
    /// At least one step is refused, or a message is accepted only to be told unreadable.
    Reject,
}

/// One request of the driver protocol and the answer that is expected.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What happens, in scripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// Why, where it is not obvious.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The operation; none for a message that gets lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// Its inputs.
    #[serde(default, rename = "in", skip_serializing_if = "Map::is_empty")]
    pub inputs: Object,
    /// Its randomness: the draws in order. Absent for operations that draw nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draws: Option<Vec<Draw>>,
    /// The outputs of a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Object>,
    /// The error of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// `"unchanged"` after a failure that leaves every state as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Unchanged>,
    /// Fingerprint of the named account's state afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Fingerprint of the named session's state afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Fingerprint of the named contact's state afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// The claim that nothing changed.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Unchanged {
    /// Every state named in the request has the fingerprint it had before.
    Unchanged,
}

/// What a step of a script is.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Event {
    Setup,
    Send,
    Deliver,
    Drop,
    Duplicate,
    Reorder,
    Corrupt,
    Restart,
    Rollback,
    Maintain,
}

/// One draw of randomness.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// What the spec draws here.
    pub name: String,
    /// The bytes, in hexadecimal.
    pub bytes: String,
}

/// The bytes of a [`Definition::Count`], in hexadecimal.
pub fn counted(count: u64, width: usize, then: &str) -> String {
    let digits = 2 * width;
    (1..=count)
        .map(|number| format!("{number:0digits$x}{then}"))
        .collect()
}

impl VectorFile {
    /// The bytes of a named value, in hexadecimal.
    ///
    /// # Errors
    /// A missing name, a definition in terms of itself, a splice outside.
    pub fn value(&self, name: &str) -> Outcome<String> {
        self.value_at(name, 0)
    }

    fn value_at(&self, name: &str, depth: u8) -> Outcome<String> {
        if depth > 8 {
            return Err(format!("value {name} does not end").into());
        }
        match self
            .values
            .get(name)
            .ok_or_else(|| format!("no value {name}"))?
        {
            Definition::Bytes(hex) => Ok(hex.clone()),
            Definition::Repeat { repeat, times } => Ok(repeat.repeat(*times)),
            Definition::Count { count, width, then } => Ok(counted(*count, *width, then)),
            Definition::Join { join } => join
                .iter()
                .map(|part| self.value_at(part, depth + 1))
                .collect(),
            Definition::Splice {
                of,
                at,
                remove,
                insert,
            } => {
                let base = self.value_at(of, depth + 1)?;
                let outside = || format!("splice outside of {of}");
                let (head, tail) = base.split_at_checked(2 * at).ok_or_else(outside)?;
                let (_, tail) = tail.split_at_checked(2 * remove).ok_or_else(outside)?;
                Ok([head, insert, tail].concat())
            }
        }
    }

    /// `value` with every `"@name"` replaced by its bytes.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn resolve(&self, value: &Value) -> Outcome<Value> {
        Ok(match value {
            Value::String(text) => match text.strip_prefix('@') {
                Some(name) => Value::String(self.value(name)?),
                None => value.clone(),
            },
            Value::Array(items) => items
                .iter()
                .map(|item| self.resolve(item))
                .collect::<Outcome<_>>()?,
            Value::Object(fields) => Value::Object(self.resolve_object(fields)?),
            _ => value.clone(),
        })
    }

    /// [`Self::resolve`] for named fields.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn resolve_object(&self, fields: &Object) -> Outcome<Object> {
        fields
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.resolve(value)?)))
            .collect()
    }
}
