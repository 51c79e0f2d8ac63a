//! Messages in a file or pipe: binary, each after its length in four bytes; or text, each in an armor of its own.

use std::io::{BufRead, Read, Write};

use pem_rfc7468::LineEnding;

use crate::error::{Error, Result};

/// A message and its first flight are never longer.
const MAX_MESSAGE: u32 = (1 << 25) + (1 << 16);
/// What armored messages are called.
pub const MESSAGE: &str = "MARLINE MESSAGE";
/// What armored bundles are called.
pub const BUNDLE: &str = "MARLINE BUNDLE";

/// How messages are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A length before each.
    Binary,
    /// Text.
    Armor,
    /// Nothing around it.
    Raw,
}

impl Form {
    /// What the flags say.
    pub fn new(armor: bool, raw: bool) -> Self {
        match (armor, raw) {
            (true, _) => Self::Armor,
            (_, true) => Self::Raw,
            _ => Self::Binary,
        }
    }
}

/// Text around bytes.
pub fn armor(label: &str, bytes: &[u8]) -> Result<String> {
    pem_rfc7468::encode_string(label, LineEnding::LF, bytes)
        .map_err(|_| Error::Input("too long for text"))
}

/// The bytes of armored text with this label.
pub fn unarmor(label: &str, text: &[u8]) -> Result<Vec<u8>> {
    match pem_rfc7468::decode_vec(text) {
        Ok((found, bytes)) if found == label => Ok(bytes),
        _ => Err(Error::Input("not armored as it should be")),
    }
}

/// Writes one message.
pub fn write(out: &mut dyn Write, form: Form, message: &[u8]) -> Result<()> {
    match form {
        Form::Armor => out.write_all(armor(MESSAGE, message)?.as_bytes())?,
        Form::Raw => out.write_all(message)?,
        Form::Binary => {
            let length = u32::try_from(message.len()).map_err(|_| Error::Input("too long"))?;
            out.write_all(&length.to_be_bytes())?;
            out.write_all(message)?;
        }
    }
    Ok(out.flush()?)
}

/// Reads the next message; none at the end. Binary and text are told apart by the first byte: no length begins
/// with a dash.
pub fn read(input: &mut dyn BufRead, raw: bool) -> Result<Option<Vec<u8>>> {
    let Some(&first) = input.fill_buf()?.first() else {
        return Ok(None);
    };
    if raw {
        let mut message = Vec::new();
        input
            .take(u64::from(MAX_MESSAGE) + 1)
            .read_to_end(&mut message)?;
        return Ok(Some(message));
    }
    if first == b'-' {
        return read_armored(input).map(Some);
    }
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(cut)?;
    let length = u32::from_be_bytes(length);
    if length > MAX_MESSAGE {
        return Err(Error::Input("not a stream of messages"));
    }
    // Grows as it comes: a false length allocates nothing.
    let mut message = Vec::new();
    input.take(length.into()).read_to_end(&mut message)?;
    if message.len() != length as usize {
        return Err(Error::Input("the stream of messages is cut short"));
    }
    Ok(Some(message))
}

fn cut(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::Input("the stream of messages is cut short"),
        _ => error.into(),
    }
}

fn read_armored(input: &mut dyn BufRead) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut left = u64::from(MAX_MESSAGE).saturating_mul(2);
    loop {
        let before = text.len();
        let read = input.take(left).read_until(b'\n', &mut text)?;
        left = left.saturating_sub(read as u64);
        if read == 0 {
            return Err(Error::Input("the armored message is cut short"));
        }
        if text
            .get(before..)
            .is_some_and(|line| line.starts_with(b"-----END"))
        {
            break;
        }
    }
    // Empty lines between messages.
    while input
        .fill_buf()?
        .first()
        .is_some_and(u8::is_ascii_whitespace)
    {
        input.consume(1);
    }
    unarmor(MESSAGE, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_round_trip_and_are_told_apart() {
        for form in [Form::Binary, Form::Armor] {
            let mut stream = vec![];
            for message in [&b"one"[..], &[7; 1000]] {
                write(&mut stream, form, message).unwrap();
            }
            let mut input = &stream[..];
            assert_eq!(read(&mut input, false).unwrap().unwrap(), b"one");
            assert_eq!(read(&mut input, false).unwrap().unwrap(), [7; 1000]);
            assert!(read(&mut input, false).unwrap().is_none());
            for length in 1..7 {
                assert!(read(&mut &stream[..length], false).is_err());
            }
        }
        assert!(read(&mut &b"\xff\xff\xff\xff"[..], false).is_err());
    }
}
