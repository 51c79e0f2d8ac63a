//! Test vectors of the Marline protocol: the format, the generator, the checker, and the runner that drives any
//! implementation as a child process. `vectors/README.md` describes format and protocol.

pub mod anatomy;
pub mod check;
pub mod cross;
pub mod cross_contacts;
pub mod draws;
pub mod driver;
pub mod format;
pub mod generate;
pub mod process;
pub mod runner;
pub mod set;
pub mod trace;
