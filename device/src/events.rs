//! How events are kept in a row of the inbox.

use marline::{Event, IdentityId};

use crate::error::{Error, Result};
use crate::records::{Reader, Writer};

/// Writes events, each a number and what it tells.
pub(crate) fn write(events: &[Event], out: &mut Writer) {
    for event in events {
        match event {
            Event::NewSession { session_id, sends } => {
                out.u8(0);
                out.bytes(session_id);
                out.u8((*sends).into());
            }
            Event::SessionReset { session_id } => {
                out.u8(1);
                out.bytes(session_id);
            }
            Event::SessionFailed { session_id } => {
                out.u8(2);
                out.bytes(session_id);
            }
            Event::SessionEvicted { session_id } => {
                out.u8(3);
                out.bytes(session_id);
            }
            Event::IdentityChanged { from, to } => {
                out.u8(4);
                out.bytes(from.as_bytes());
                out.bytes(to.as_bytes());
            }
            // The enum may grow: a new event gets a number here.
            Event::Unreadable | _ => out.u8(5),
        }
    }
}

/// Reads what [`write`] wrote.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Event>> {
    let mut input = Reader::new(bytes);
    let mut events = Vec::new();
    while let Ok(number) = input.u8() {
        events.push(match number {
            0 => Event::NewSession {
                session_id: input.array()?,
                sends: match input.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Error::Corrupt),
                },
            },
            1 => Event::SessionReset {
                session_id: input.array()?,
            },
            2 => Event::SessionFailed {
                session_id: input.array()?,
            },
            3 => Event::SessionEvicted {
                session_id: input.array()?,
            },
            4 => Event::IdentityChanged {
                from: IdentityId::from_bytes(input.array()?),
                to: IdentityId::from_bytes(input.array()?),
            },
            5 => Event::Unreadable,
            _ => return Err(Error::Corrupt),
        });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_comes_back_as_it_was() {
        let session_id = [7; 32];
        let [from, to] = [[1; 32], [2; 32]].map(IdentityId::from_bytes);
        let all = [
            Event::NewSession {
                session_id,
                sends: true,
            },
            Event::NewSession {
                session_id,
                sends: false,
            },
            Event::SessionReset { session_id },
            Event::SessionFailed { session_id },
            Event::SessionEvicted { session_id },
            Event::IdentityChanged { from, to },
            Event::Unreadable,
        ];
        let mut out = Writer::new();
        write(&all, &mut out);
        let bytes = out.into_bytes();
        assert_eq!(read(&bytes).unwrap(), all);
        assert!(read(&bytes[..bytes.len() - 2]).is_err());
        assert!(read(&[9]).is_err());
    }
}
