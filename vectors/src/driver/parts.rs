//! Sections 3.1, 3.2, 5.4 and 6: prekey leaves, the tree, padding, headers, the erasure code, the SCKA.

use marline::hazmat::codec::{Decode, Encode, Reader};
use marline::hazmat::dh::PublicKey;
use marline::hazmat::erasure::{Decoder, Object as Coded};
use marline::hazmat::message::{Header, Kind, Piece};
use marline::hazmat::prekey::{self, kem_hash};
use marline::hazmat::scka::{Authenticator, ChunkedKem, EpochKey, Scka};
use marline::hazmat::{pad, tree, unpad};
use marline::{Error, Role, Slots};
use serde_json::{Value, json};

use super::primitives::secret;
use super::request::{Refusal, Reply, Request, hexed, outputs, wrong};
use super::{Operation, drawing};

pub(super) const OPS: &[(&str, Operation)] = &[
    ("leaf", |_, q| leaf(q)),
    ("merkle_root", |_, q| merkle_root(q)),
    ("merkle_path", |_, q| merkle_path(q)),
    ("merkle_verify", |_, q| merkle_verify(q)),
    ("pad", |_, q| padded(q)),
    ("unpad", |_, q| unpadded(q)),
    (
        "header_encode",
        |_, q| outputs! { "header": hexed(header(q)?.to_vec()) },
    ),
    ("header_decode", |_, q| header_decode(q)),
    ("erasure_encode", |_, q| erasure_encode(q)),
    ("erasure_decode", |_, q| erasure_decode(q)),
    ("scka_start", |_, q| scka_start(q)),
    ("scka_send", |_, q| scka_send(q)),
    ("scka_receive", |_, q| scka_receive(q)),
];

fn leaf(q: &Request<'_>) -> Reply {
    let kind = match q.number("kind")? {
        1u8 => prekey::Kind::Signed,
        2 => prekey::Kind::OneTime,
        _ => return Err(wrong("kind", "1 or 2")),
    };
    let x25519 = PublicKey::from_bytes(&q.array("x25519")?)?;
    outputs! { "leaf": hexed(prekey::leaf(kind, q.number("id")?, &x25519, &kem_hash(&q.bytes("kem")?))) }
}

fn merkle_root(q: &Request<'_>) -> Reply {
    let root = tree::root(&q.hashes("leaves")?).ok_or_else(|| wrong("leaves", "at least one"))?;
    outputs! { "root": hexed(root) }
}

fn merkle_path(q: &Request<'_>) -> Reply {
    let mut paths = tree::paths(&q.hashes("leaves")?).into_iter();
    let path = paths
        .nth(q.number("index")?)
        .ok_or_else(|| wrong("index", "a leaf's"))?;
    outputs! { "path": path.iter().map(hexed).collect::<Vec<_>>() }
}

fn merkle_verify(q: &Request<'_>) -> Reply {
    let (index, size, path) = (q.number("index")?, q.number("size")?, q.hashes("path")?);
    let valid = tree::verify_path(&q.array("leaf")?, index, size, &path, &q.array("root")?);
    outputs! { "valid": valid }
}

fn padded(q: &Request<'_>) -> Reply {
    outputs! { "padded": hexed(pad(q.padding()?, &q.bytes("plaintext")?)) }
}

fn unpadded(q: &Request<'_>) -> Reply {
    let mut padded = q.bytes("padded")?;
    padded.truncate(unpad(&padded)?);
    outputs! { "plaintext": hexed(padded) }
}

fn kind(q: &Request<'_>) -> Result<Kind, Refusal> {
    match q.number("kind")? {
        0u8 => Ok(Kind::None),
        1 => Ok(Kind::Key),
        2 => Ok(Kind::Ciphertext),
        _ => Err(wrong("kind", "0, 1 or 2")),
    }
}

fn piece(q: &Request<'_>) -> Result<Piece, Refusal> {
    let codewords = q.bytes("codewords")?;
    Ok(Piece {
        epoch: q.number("epoch")?,
        kind: kind(q)?,
        index: q.number("index")?,
        codewords,
    })
}

/// A header of any numbers.
pub(super) fn header(q: &Request<'_>) -> Result<Header, Refusal> {
    Ok(Header {
        dh: PublicKey::from_bytes(&q.array("dh")?)?,
        pn: q.number("pn")?,
        n: q.number("n")?,
        pq_n: q.number("pq_n")?,
        piece: piece(q)?,
    })
}

fn header_decode(q: &Request<'_>) -> Reply {
    let (bytes, slots) = (q.bytes("header")?, Slots::new(q.number("slots")?)?);
    // The library cuts a header out of a message, where only one length is possible.
    if bytes.len() != 51 + slots.codeword_bytes() {
        return Err(Error::Malformed.into());
    }
    let header = Header::from_bytes(&bytes)?;
    let mut outputs = piece_outputs(&header.piece);
    for (name, number) in [("pn", header.pn), ("n", header.n), ("pq_n", header.pq_n)] {
        outputs.insert(name.into(), json!(number));
    }
    outputs.insert("dh".into(), json!(hexed(header.dh.as_bytes())));
    Ok(outputs)
}

fn piece_outputs(piece: &Piece) -> crate::format::Object {
    let mut outputs = crate::format::Object::new();
    outputs.insert("epoch".into(), json!(piece.epoch));
    outputs.insert("kind".into(), json!(piece.kind as u8));
    outputs.insert("index".into(), json!(piece.index));
    outputs.insert("codewords".into(), json!(hexed(&piece.codewords)));
    outputs
}

/// Calls a function that is generic over the number of codewords, for the numbers in use.
macro_rules! sized {
    ($k:expr, $function:ident($($argument:expr),*)) => {
        match $k {
            1 => $function::<1>($($argument),*),
            2 => $function::<2>($($argument),*),
            3 => $function::<3>($($argument),*),
            5 => $function::<5>($($argument),*),
            35 => $function::<35>($($argument),*),
            38 => $function::<38>($($argument),*),
            _ => return Err(wrong("object", "1, 2, 3, 5, 35 or 38 codewords")),
        }
    };
}

fn erasure_encode(q: &Request<'_>) -> Reply {
    fn encode<const K: usize>(object: &[u8], index: u16, count: usize) -> Vec<u8> {
        Coded::<K>::new([object, &[]]).codewords(index, 32 * count)
    }
    let (object, index, count) = (q.bytes("object")?, q.number("index")?, q.number("count")?);
    if !object.len().is_multiple_of(32) {
        return Err(wrong("object", "whole codewords"));
    }
    outputs! { "codewords": hexed(sized!(object.len() / 32, encode(&object, index, count))) }
}

fn erasure_decode(q: &Request<'_>) -> Reply {
    fn decode<const K: usize>(codewords: &[(u16, Vec<u8>)]) -> Option<Vec<u8>> {
        let mut decoder = Decoder::<K>::new();
        for (index, codeword) in codewords {
            if let Some(object) = decoder.complete(*index, codeword) {
                return Some(object.as_bytes().to_vec());
            }
            decoder.add(*index, codeword);
        }
        None
    }
    let pair = |item: &Value| {
        let index = item.get(0)?.as_u64()?.try_into().ok()?;
        Some((index, hex::decode(item.get(1)?.as_str()?).ok()?))
    };
    let codewords: Option<Vec<(u16, Vec<u8>)>> = q.items("codewords")?.iter().map(pair).collect();
    let codewords = codewords.ok_or_else(|| wrong("codewords", "pairs of index and codeword"))?;
    outputs! { "object": sized!(q.number::<usize>("k")?, decode(&codewords)).map(hexed) }
}

fn scka_start(q: &Request<'_>) -> Reply {
    let role = match q.number("role")? {
        0u8 => Role::Initiator,
        1 => Role::Responder,
        _ => return Err(wrong("role", "0 or 1")),
    };
    let authenticator = Authenticator::new(secret(q, "auth_root")?, secret(q, "auth_mac")?);
    let scka = ChunkedKem::new([0; 32], Slots::default(), role, authenticator);
    outputs! { "state": hexed(scka.to_vec()) }
}

fn scka(q: &Request<'_>, slots: Slots) -> Result<ChunkedKem, Refusal> {
    let (state, session_id) = (q.bytes("state")?, q.array("session_id")?);
    let mut input = Reader::new(&state);
    let scka = ChunkedKem::decode(&mut input, session_id, slots)?;
    input.finish()?;
    Ok(scka)
}

fn given_out(output: Option<EpochKey>) -> Value {
    output.map_or(
        Value::Null,
        |output| json!({ "epoch": output.epoch, "key": hexed(output.key.expose()) }),
    )
}

fn scka_send(q: &Request<'_>) -> Reply {
    let mut scka = scka(q, Slots::new(q.number("slots")?)?)?;
    let sent = drawing(q, |rng| scka.send(rng))?;
    let mut outputs = piece_outputs(&sent.piece);
    outputs.insert("epoch_key".into(), given_out(sent.output));
    outputs.insert("state".into(), json!(hexed(scka.to_vec())));
    Ok(outputs)
}

fn scka_receive(q: &Request<'_>) -> Reply {
    let piece = piece(q)?;
    let slots = u8::try_from(piece.codewords.len() / 32)
        .ok()
        .and_then(|slots| Slots::new(slots).ok());
    let mut scka = scka(
        q,
        slots.ok_or_else(|| wrong("codewords", "1 to 38 codewords"))?,
    )?;
    let output = scka.receive(&piece)?;
    outputs! { "state": hexed(scka.to_vec()), "epoch_key": given_out(output) }
}
