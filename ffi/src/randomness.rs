//! Randomness: the operating system's, per call. No hook exists outside of the testing build.

#[cfg(feature = "dangerous_testing")]
pub(crate) use crate::testing::Os;
#[cfg(not(feature = "dangerous_testing"))]
pub(crate) use getrandom::SysRng as Os;
