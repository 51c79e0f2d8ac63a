//! The codec and every byte layout that leaves the process (spec sections 1.1, 4.1, 5.4).

pub mod codec;
pub mod frame;
pub mod initial;
pub mod message;
pub mod padding;
