//! What a thief reads who has copied a device's state and breaks X25519, by slots: how fast the post-quantum strand heals.

use getrandom::SysRng;
use marline::{Session, Slots};

use crate::measure::Point;
use crate::{Outcome, Pair};

/// Slots that are looked at; the presets are 1, 4 and 38.
const SLOTS: [u8; 7] = [1, 2, 4, 8, 13, 19, 38];

/// Messages both ways, in ping-pong, from the theft of the responder's state to the last one that the thief reads, on average
/// over `thefts` moments in an epoch of both sides.
fn until_healed(slots: Slots, thefts: usize) -> Outcome<f64> {
    let round = 300 / usize::from(slots.get()).min(20) + 10;
    let mut read = 0;
    for theft in 0..thefts {
        let mut pair = Pair::after_turns(slots, 2 + theft * round / thefts / 2 * 2)?;
        let mut copy = pair.responder.to_state();
        let mut last = 0;
        for message in 1.. {
            if message % 2 == 0 {
                pair.turn(true, b"a message")?;
                continue;
            }
            let sent = pair.initiator.encrypt(b"a message", &mut SysRng)?;
            let live = Session::from_state(&pair.responder.to_state())?;
            let mut thief = Session::from_state(&copy)?.with_classical_part_of(live);
            if thief.decrypt(&sent).is_ok() {
                copy = thief.to_state();
                last = message;
            } else if message > last + round {
                break;
            }
            let _opened = pair.responder.decrypt(&sent)?;
        }
        read += last;
    }
    Ok(read as f64 / thefts as f64)
}

/// Slots, and messages until healed.
///
/// # Errors
/// Those of the messages.
pub fn exposure(thefts: usize) -> Outcome<Vec<Point>> {
    let point = |slots| Ok((f64::from(slots), until_healed(Slots::new(slots)?, thefts)?));
    SLOTS.into_iter().map(point).collect()
}
