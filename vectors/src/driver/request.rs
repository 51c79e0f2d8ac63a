//! Inputs of a request, by type. An input that the operation does not take is a fault.

use std::cell::RefCell;
use std::collections::BTreeSet;

use marline::hazmat::labels::{self, Label};
use marline::{Error, Padding};
use serde_json::Value;

use crate::format::Object;

/// Why a request gives no outputs.
pub enum Refusal {
    /// An error of the protocol.
    Error(Error),
    /// The request is wrong.
    Fault(String),
}

/// Outputs, or why there are none.
pub type Reply = Result<Object, Refusal>;

/// One request.
pub struct Request<'a> {
    inputs: &'a Object,
    used: RefCell<BTreeSet<String>>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl<'a> Request<'a> {
    pub fn new(inputs: &'a Object) -> Self {
        Self {
            inputs,
            used: RefCell::new(BTreeSet::from(["op".into()])),
        }
    }

    /// The input, which may be absent or null.
    pub fn optional(&self, name: &str) -> Option<&'a Value> {
        self.used.borrow_mut().insert(name.into());
        self.inputs.get(name).filter(|value| !value.is_null())
    }

    fn get(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.optional(name)
            .ok_or_else(|| Refusal::Fault(format!("input {name} missing")))
    }

    pub fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        self.get(name)?.as_str().ok_or_else(|| wrong(name, "text"))
    }

    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        from_hex(name, self.get(name)?)
    }

    /// Bytes that are empty when absent.
    pub fn bytes_or_empty(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        self.optional(name)
            .map_or(Ok(Vec::new()), |value| from_hex(name, value))
    }

    pub fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], Refusal> {
        let bytes = self.bytes(name)?;
        bytes
            .try_into()
            .map_err(|_| wrong(name, &format!("{N} bytes")))
    }

    /// Bytes from outside, for which another length is a malformed key.
    pub fn key<const N: usize>(&self, name: &str) -> Result<[u8; N], Refusal> {
        self.bytes(name)?
            .try_into()
            .map_err(|_| Error::Malformed.into())
    }

    pub fn list(&self, name: &str) -> Result<Vec<Vec<u8>>, Refusal> {
        let items = self
            .get(name)?
            .as_array()
            .ok_or_else(|| wrong(name, "a list"))?;
        items.iter().map(|item| from_hex(name, item)).collect()
    }

    pub fn hashes(&self, name: &str) -> Result<Vec<[u8; 32]>, Refusal> {
        let hash = |bytes: Vec<u8>| bytes.try_into().map_err(|_| wrong(name, "hashes"));
        self.list(name)?.into_iter().map(hash).collect()
    }

    pub fn items(&self, name: &str) -> Result<&'a [Value], Refusal> {
        self.get(name)?
            .as_array()
            .map(Vec::as_slice)
            .ok_or_else(|| wrong(name, "a list"))
    }

    pub fn number<T: TryFrom<u64>>(&self, name: &str) -> Result<T, Refusal> {
        let number = self
            .get(name)?
            .as_u64()
            .ok_or_else(|| wrong(name, "a number"))?;
        number
            .try_into()
            .map_err(|_| wrong(name, "a smaller number"))
    }

    pub fn label(&self, name: &str) -> Result<Label, Refusal> {
        let text = self.text(name)?;
        let found = labels::ALL
            .iter()
            .find(|label| label.text().strip_prefix("marline/1 ") == Some(text));
        found.copied().ok_or_else(|| wrong(name, "a label"))
    }

    /// `"none"`, `{"block": n}`, `{"padme": floor}`, or the default.
    pub fn padding(&self) -> Result<Padding, Refusal> {
        let Some(value) = self.optional("padding") else {
            return Ok(Padding::default());
        };
        let number = |name: &str| {
            value
                .get(name)
                .and_then(Value::as_u64)
                .and_then(|n| u16::try_from(n).ok())
        };
        match (value.as_str(), number("block"), number("padme")) {
            (Some("none"), ..) => Ok(Padding::None),
            (_, Some(block), None) => Ok(Padding::Block(block)),
            (_, None, Some(floor)) => Ok(Padding::Padme { floor }),
            _ => Err(wrong("padding", "a padding")),
        }
    }

    pub fn finish(&self) -> Result<(), Refusal> {
        let used = self.used.borrow();
        match self.inputs.keys().find(|name| !used.contains(*name)) {
            None => Ok(()),
            Some(name) => Err(Refusal::Fault(format!("unknown input {name}"))),
        }
    }
}

fn from_hex(name: &str, value: &Value) -> Result<Vec<u8>, Refusal> {
    value
        .as_str()
        .and_then(|text| hex::decode(text).ok())
        .ok_or_else(|| wrong(name, "hexadecimal"))
}

/// The fault that an input is not what it must be.
pub fn wrong(name: &str, what: &str) -> Refusal {
    Refusal::Fault(format!("input {name} must be {what}"))
}

/// Outputs by name; bytes as hexadecimal.
macro_rules! outputs {
    ($($name:literal: $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut outputs = $crate::format::Object::new();
        $(outputs.insert($name.into(), serde_json::json!($value));)*
        Ok(outputs)
    }};
}
pub(crate) use outputs;

/// Bytes in hexadecimal.
pub fn hexed(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(bytes)
}
