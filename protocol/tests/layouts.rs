//! Structures against their layouts in sections 3.3, 4.1 and 5.4, put together by hand: decoding gives the fields, encoding
//! the bytes, and the stated ranges are exactly those that are taken.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::sync::OnceLock;

use common::{SeededRng, accounts};
use marline::Error;
use marline::hazmat::codec::{Decode, Encode};
use marline::hazmat::initial::{FirstFlight, InitialMessage, PrekeyIds};
use marline::hazmat::manifest::Manifest;
use marline::hazmat::message::{Header, Piece};
use proptest::prelude::*;

/// An identity key: its Ed25519 half must be a point.
static IDENTITY: OnceLock<Vec<u8>> = OnceLock::new();

fn identity() -> Vec<u8> {
    accounts(&mut SeededRng::new(1)).0.identity().to_vec()
}

/// Section 5.4 by hand.
fn header_bytes(
    dh: &[u8; 32],
    numbers: [u32; 4],
    kind: u8,
    index: u16,
    codewords: &[u8],
) -> Vec<u8> {
    let mut bytes = dh.to_vec();
    numbers
        .iter()
        .for_each(|number| bytes.extend(number.to_be_bytes()));
    bytes.push(kind);
    bytes.extend(index.to_be_bytes());
    bytes.extend(codewords);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn headers_have_the_layout_of_section_5_4(
        mut dh: [u8; 32], pn: u32, n: u32, pq_n: u32, epoch: u32, kind in 0u8..4, index: u16, slots in 1usize..39, fill: u8,
    ) {
        dh[31] &= 0x7f;
        let codewords = vec![fill; 32 * slots];
        let bytes = header_bytes(&dh, [pn, n, pq_n, epoch], kind, index, &codewords);
        let small = [pn, n, pq_n, epoch].iter().all(|number| *number < 1 << 31);
        let valid = small && epoch > 0 && kind < 3 && (kind > 0 || (index == 0 && fill == 0));
        match Header::from_bytes(&bytes) {
            Ok(header) => {
                prop_assert!(valid);
                prop_assert_eq!(header.to_vec(), bytes);
                prop_assert_eq!(header.dh.as_bytes(), &dh);
                prop_assert_eq!((header.pn, header.n, header.pq_n), (pn, n, pq_n));
                let piece = Piece { epoch, kind: common::kind(kind), index, codewords };
                prop_assert_eq!(header.piece, piece);
            }
            Err(error) => {
                prop_assert!(!valid);
                prop_assert_eq!(error, Error::Malformed);
            }
        }
    }

    #[test]
    fn manifests_have_the_layout_of_section_3_3(
        subject in prop::collection::vec(any::<u8>(), 0..256),
        numbers: (u64, u64, u64), id: u32, mut x25519: [u8; 32], kem_hash: [u8; 32], count: u16, root: [u8; 32],
    ) {
        x25519[31] &= 0x7f;
        let identity = IDENTITY.get_or_init(identity);
        let (generation, not_before, not_after) = numbers;
        let bytes = [
            &[1][..], identity, &[subject.len() as u8], &subject,
            &generation.to_be_bytes(), &not_before.to_be_bytes(), &not_after.to_be_bytes(),
            &id.to_be_bytes(), &x25519, &kem_hash, &count.to_be_bytes(), &root,
        ].concat();
        let valid = not_before < not_after && (1..=1_024).contains(&count);
        let decoded = Manifest::from_bytes(&bytes);
        prop_assert_eq!(decoded.is_ok(), valid);
        if let Ok(manifest) = decoded {
            prop_assert_eq!(manifest.to_vec(), bytes);
            prop_assert_eq!(manifest.subject.as_bytes(), subject);
            prop_assert_eq!((manifest.generation, manifest.not_before, manifest.not_after), numbers);
            prop_assert_eq!((manifest.signed.id, manifest.signed.kem_hash), (id, kem_hash));
            prop_assert_eq!(manifest.signed.x25519.as_bytes(), &x25519);
            prop_assert_eq!((manifest.onetime_count, manifest.root), (count, root));
        }
    }

    #[test]
    fn first_flights_have_the_layout_of_section_4_1(
        signed: u32, onetime: Option<u32>, slots: u8, mut ephemeral: [u8; 32], fill: u8,
        sealed in prop::collection::vec(any::<u8>(), 0..100), message in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        ephemeral[31] &= 0x7f;
        let id = onetime.map_or(vec![0], |id| [&[1][..], &id.to_be_bytes()].concat());
        let flight = [
            &[1, 1][..], &signed.to_be_bytes(), &id, &[slots], &ephemeral, &[fill; 1_568],
            &(sealed.len() as u16).to_be_bytes(), &sealed,
        ].concat();
        let decoded = FirstFlight::from_bytes(&flight);
        prop_assert_eq!(decoded.is_ok(), (1..=38).contains(&slots));
        if let Ok(decoded) = decoded {
            prop_assert_eq!(decoded.to_vec(), flight.clone());
            prop_assert_eq!(decoded.prekeys, PrekeyIds { signed, onetime });
            prop_assert_eq!((decoded.slots.get(), &decoded.sealed), (slots, &sealed));
            prop_assert_eq!(decoded.ephemeral.as_bytes(), &ephemeral);
            let whole = [&flight[..], &message].concat();
            let initial = InitialMessage::from_bytes(&whole).unwrap();
            prop_assert_eq!((initial.flight_bytes, initial.message), (&flight[..], &message[..]));
        }
    }
}
