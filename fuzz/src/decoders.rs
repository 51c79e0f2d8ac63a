//! Every decoder (spec section 1.1): total; what it takes encodes to the same bytes again (M-EN-02); what it refuses is
//! `Malformed` or `Version` (M-EN-01, M-EN-03).

use marline::hazmat::codec::{Decode, Encode, Reader};
use marline::hazmat::frame::Frame;
use marline::hazmat::hash::prf;
use marline::hazmat::initial::{FirstFlight, InitialMessage, PrekeyIds, Sealed};
use marline::hazmat::manifest::{Manifest, SignedManifest, SignedPrekey};
use marline::hazmat::message::{Header, Parts};
use marline::hazmat::prekey::{PrekeySecret, PublicationState, Record};
use marline::hazmat::scka::ChunkedKem;
use marline::hazmat::{self, aead, dh, erasure, kem768, kem1024, labels};
use marline::{
    Account, Contact, Error, HybridSignature, IdentityId, IdentityKey, IdentityKeyPair, Padding,
    PrekeyBundle, Result, Role, Session, Slots, StateKey, Subject,
};

use crate::common::{NOW, SeededRng};
use crate::planted;

/// What a decoder did: the encoding of what it took, or its error.
pub type Decoder = fn(&[u8]) -> Result<Vec<u8>>;

/// What comes over the network, or is inside what does.
pub const WIRE: [(&str, Decoder); 29] = [
    ("bundle", |bytes| {
        PrekeyBundle::from_bytes(bytes).map(|bundle| bundle.to_bytes())
    }),
    ("signed manifest", again::<SignedManifest>),
    ("manifest", again::<Manifest>),
    ("record", again::<Record>),
    ("initial message", initial_message),
    ("first flight", again::<FirstFlight>),
    ("sealed identity", again::<Sealed>),
    ("prekey ids", again::<PrekeyIds>),
    ("signed prekey", again::<SignedPrekey>),
    ("message, 1 slot", parts::<1>),
    ("message, 4 slots", parts::<4>),
    ("message, 38 slots", parts::<38>),
    ("header", again::<Header>),
    ("frame", |bytes| {
        Frame::from_bytes(bytes).map(|frame| frame.to_plaintext().to_vec())
    }),
    ("padding", padding),
    ("codewords", again::<erasure::Decoder<35>>),
    ("key object", again::<erasure::Decoder<38>>),
    ("armor", armor),
    ("identity key", again::<IdentityKey>),
    ("identity id", again::<IdentityId>),
    ("subject", again::<Subject>),
    ("signature", again::<HybridSignature>),
    ("x25519 key", again::<dh::PublicKey>),
    ("kem768 key", again::<kem768::EncapsulationKey>),
    ("kem1024 key", again::<kem1024::EncapsulationKey>),
    ("role", again::<Role>),
    ("slots", again::<Slots>),
    ("option", again::<Option<u32>>),
    ("bool", again::<bool>),
];

/// What comes from a store. Sessions, accounts and contacts can also be used, whatever is in them.
pub const STATES: [(&str, Decoder); 12] = [
    ("session", |bytes| {
        Session::from_state(bytes).map(|session| session.to_state().to_vec())
    }),
    ("account", |bytes| {
        Account::from_state(bytes).map(|account| account.to_state().to_vec())
    }),
    ("contact", |bytes| {
        Contact::from_state(bytes).map(|contact| contact.to_state().to_vec())
    }),
    ("session, used", session),
    ("account, used", account),
    ("contact, used", contact),
    ("agreement", agreement),
    ("publication", again::<PublicationState>),
    ("prekey", again::<PrekeySecret>),
    ("identity key pair", again::<IdentityKeyPair>),
    ("sealed", sealed),
    ("forged seal", forged),
];

/// One input: the first byte chooses the decoder.
pub fn check(decoders: &[(&str, Decoder)], input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    let (name, decoder) = decoders[usize::from(*choice) % decoders.len()];
    let bytes = match bytes {
        // The control: a codec that overlooks a byte at the end of a bundle.
        [kept @ .., 0xa5] if planted() => kept,
        bytes => bytes,
    };
    match decoder(bytes) {
        Ok(encoded) => assert!(encoded == input[1..], "{name}: not canonical"),
        Err(error) => assert!(
            matches!(error, Error::Malformed | Error::Version),
            "{name}: {error}"
        ),
    }
}

fn again<T: Decode + Encode>(bytes: &[u8]) -> Result<Vec<u8>> {
    let value = T::from_bytes(bytes)?;
    let encoded = value.to_vec();
    assert_eq!(encoded.len(), value.encoded_len());
    Ok(encoded)
}

fn initial_message(bytes: &[u8]) -> Result<Vec<u8>> {
    let message = InitialMessage::from_bytes(bytes)?;
    assert_eq!(message.flight.to_vec(), message.flight_bytes);
    Ok([message.flight_bytes, message.message].concat())
}

fn parts<const SLOTS: u8>(bytes: &[u8]) -> Result<Vec<u8>> {
    let parts = Parts::from_bytes(bytes, Slots::new(SLOTS)?)?;
    let head = [&[1, 2][..], parts.nonce, parts.header_ct].concat();
    assert_eq!(head, parts.before_body);
    Ok([&head, parts.body_ct].concat())
}

/// A padded plaintext is the text, one marker, zeros; and padding is undone by unpadding.
fn padding(bytes: &[u8]) -> Result<Vec<u8>> {
    for padding in [Padding::default(), Padding::None, Padding::Block(160)] {
        let padded = hazmat::pad(padding, bytes);
        assert_eq!(padded.len(), padding.padded_len(bytes.len()));
        assert_eq!(hazmat::unpad(&padded), Ok(bytes.len()));
    }
    match hazmat::unpad(bytes) {
        Ok(length) => {
            let mut expected = bytes[..length].to_vec();
            expected.push(0x80);
            expected.resize(bytes.len(), 0);
            Ok(expected)
        }
        // Inside the encryption there is one error.
        Err(Error::Authentication) => Err(Error::Malformed),
        Err(error) => Err(error),
    }
}

/// What the command-line tool reads: one form for one content.
fn armor(bytes: &[u8]) -> Result<Vec<u8>> {
    // The tool takes any line ending; what is compared is the content.
    if let Ok((label, content)) = pem_rfc7468::decode_vec(bytes) {
        let text = pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, &content);
        let text = text.map_err(|_| Error::Limit)?;
        let again = pem_rfc7468::decode_vec(text.as_bytes());
        assert!(again.is_ok_and(|again| again == (label, content)));
        return Ok(bytes.to_vec());
    }
    Err(Error::Malformed)
}

fn agreement(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut input = Reader::new(bytes);
    let kem = ChunkedKem::decode(&mut input, [3; 32], Slots::STANDARD)?;
    input.finish()?;
    Ok(kem.to_vec())
}

/// A message that the session `bytes` may or may not take: its own, or somebody's.
const MESSAGE: [u8; 400] = {
    let mut message = [7; 400];
    (message[0], message[1]) = (1, 2);
    message
};

fn session(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut session = Session::from_state(bytes)?;
    let state = session.to_state().to_vec();
    let rng = &mut SeededRng::new(7);
    let _ = (session.facts(), session.export_secret(b"", b"", 32));
    assert!(session.decrypt(&MESSAGE).is_err());
    for _ in 0..2 {
        if let Ok(message) = session.encrypt(b"text", rng) {
            let before = session.to_state();
            assert!(session.decrypt(&message).is_err(), "its own message");
            assert!(session.to_state() == before || session.facts().failed);
        }
    }
    session.maintain(NOW);
    stays(&session.to_state(), |bytes| {
        Session::from_state(bytes).map(|session| session.to_state().to_vec())
    });
    Ok(state)
}

fn account(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut account = Account::from_state(bytes)?;
    let state = account.to_state().to_vec();
    let _ = (account.due(NOW), account.one_time_prekeys_left());
    let _ = account.publish(1, NOW, &mut SeededRng::new(7));
    let _ = account.delete_expired(NOW);
    stays(&account.to_state(), |bytes| {
        Account::from_state(bytes).map(|account| account.to_state().to_vec())
    });
    Ok(state)
}

fn contact(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut contact = Contact::from_state(bytes)?;
    let state = contact.to_state().to_vec();
    let _ = contact.sessions().count();
    assert!(contact.receive(&MESSAGE).is_err());
    let _ = contact.send(b"text", &mut SeededRng::new(7));
    contact.maintain(NOW);
    contact.reject();
    stays(&contact.to_state(), |bytes| {
        Contact::from_state(bytes).map(|contact| contact.to_state().to_vec())
    });
    Ok(state)
}

/// A state that was used is one that decodes, to the same bytes. The control: it is written one byte short.
fn stays(used: &[u8], again: Decoder) {
    let written = &used[..used.len() - usize::from(planted())];
    assert!(
        again(written).is_ok_and(|again| again == used),
        "not its own state"
    );
}

/// Sealed states as they are: only who has the key makes one.
fn sealed(bytes: &[u8]) -> Result<Vec<u8>> {
    let key = StateKey::new(&mut [7; 32]);
    for error in [
        Session::import(&key, bytes, 0).err(),
        Account::import(&key, bytes, 0).err(),
        Contact::import(&key, bytes, 0).err(),
    ] {
        assert!(matches!(
            error,
            Some(Error::Authentication | Error::Malformed | Error::Version)
        ));
    }
    Err(Error::Malformed)
}

/// Any bytes under a right seal: what the import says is what the state's own decoder says.
fn forged(bytes: &[u8]) -> Result<Vec<u8>> {
    let kind = bytes.get(1).map_or(3, |kind| (*kind).clamp(1, 3));
    let salt = [9; 32];
    let generation = bytes.get(2..10).unwrap_or(&[0; 8]);
    let head = [&[1, kind][..], generation, &salt].concat();
    let mut blob = [&head, bytes].concat();
    let key = prf::<32>(labels::STATE_KEY, &[&[7; 32], &salt]);
    aead::seal(&key, &aead::ZERO_NONCE, &head, &mut blob, head.len())?;
    let key = StateKey::new(&mut [7; 32]);
    let (imported, plain) = match kind {
        1 => (
            Session::import(&key, &blob, 0).map(|state| state.to_state()),
            Session::from_state(bytes).map(|state| state.to_state()),
        ),
        2 => (
            Account::import(&key, &blob, 0).map(|state| state.to_state()),
            Account::from_state(bytes).map(|state| state.to_state()),
        ),
        _ => (
            Contact::import(&key, &blob, 0).map(|state| state.to_state()),
            Contact::from_state(bytes).map(|state| state.to_state()),
        ),
    };
    assert_eq!(imported, plain);
    imported.map(|state| state.to_vec())
}
