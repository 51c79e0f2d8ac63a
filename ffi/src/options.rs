//! Choices with good defaults.

use marline::{Padding, Slots};

use crate::status::{MARLINE_ERR_ARGUMENT, Status};

/// Padding: Padmé with a floor of 64 bytes.
pub const MARLINE_PADDING_DEFAULT: u32 = 0;
/// Padding: one byte; lengths are visible.
pub const MARLINE_PADDING_NONE: u32 = 1;
/// Padding: Padmé (lengths of few significant bits, at most 12 % more), not below `padding_size` bytes.
pub const MARLINE_PADDING_PADME: u32 = 2;
/// Padding: to a multiple of `padding_size` bytes.
pub const MARLINE_PADDING_BLOCK: u32 = 3;

/// Slots: the default, which is MARLINE_SLOTS_STANDARD.
pub const MARLINE_SLOTS_DEFAULT: u32 = 0;
/// Slots: 32 bytes a message; a new post-quantum epoch every 145 messages of ping-pong.
pub const MARLINE_SLOTS_CONSTRAINED: u32 = 1;
/// Slots: 128 bytes a message; a new post-quantum epoch every 37 messages of ping-pong.
pub const MARLINE_SLOTS_STANDARD: u32 = 4;
/// Slots: 1,216 bytes a message; a new post-quantum epoch every 3 messages of ping-pong.
pub const MARLINE_SLOTS_IMMEDIATE: u32 = 38;

/// Choices of a sender, `= MARLINE_OPTIONS_INIT`. Zero always means the default; NULL is all defaults.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MarlineOptions {
    /// `sizeof(marline_options)`.
    pub struct_size: u32,
    /// MARLINE_PADDING_...; the receiver need not know.
    pub padding: u32,
    /// 0 to 65,535 bytes, for MARLINE_PADDING_PADME and MARLINE_PADDING_BLOCK (there not 0); else 0.
    pub padding_size: u32,
    /// MARLINE_SLOTS_... or any number from 1 to 38, when a session is initiated; else 0.
    pub slots: u32,
}
const _: () = assert!(size_of::<MarlineOptions>() == 16);

impl MarlineOptions {
    pub(crate) fn padding(&self) -> Result<Padding, Status> {
        let size = u16::try_from(self.padding_size).map_err(|_| MARLINE_ERR_ARGUMENT)?;
        match (self.padding, size) {
            (MARLINE_PADDING_DEFAULT, 0) => Ok(Padding::default()),
            (MARLINE_PADDING_NONE, 0) => Ok(Padding::None),
            (MARLINE_PADDING_PADME, floor) => Ok(Padding::Padme { floor }),
            (MARLINE_PADDING_BLOCK, 1..) => Ok(Padding::Block(size)),
            _ => Err(MARLINE_ERR_ARGUMENT),
        }
    }

    pub(crate) fn slots(&self) -> Result<Slots, Status> {
        if self.slots == MARLINE_SLOTS_DEFAULT {
            return Ok(Slots::default());
        }
        let slots = u8::try_from(self.slots).map_err(|_| MARLINE_ERR_ARGUMENT)?;
        Slots::new(slots).map_err(|_| MARLINE_ERR_ARGUMENT)
    }

    /// The padding of a message in a session, whose slots are chosen already.
    pub(crate) fn message_padding(&self) -> Result<Padding, Status> {
        if self.slots == MARLINE_SLOTS_DEFAULT {
            self.padding()
        } else {
            Err(MARLINE_ERR_ARGUMENT)
        }
    }
}
