//! Errors, named for what the caller does about them.

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong with a device.
///
/// Each change is one transaction: after an error none of it is in the file. [`crate::Device::maintain`] makes several, of
/// which those before the error stay. When [`crate::Device::flush`] or opening fails, what was committed stays
/// committed (opening brings an older schema up to date, [`crate::Device::open_restored`] forgets the sessions).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What the protocol says about a message, a bundle or a session: see [`marline::Error`].
    #[error(transparent)]
    Protocol(#[from] marline::Error),
    /// The passphrase or key is wrong.
    #[error("wrong passphrase or key")]
    WrongKey,
    /// The passphrase parameters, asked for or stored, are outside of what is safe.
    #[error("passphrase parameters outside the allowed range")]
    Parameters,
    /// The file is older than one seen before: a restored backup or a cloned machine. See [`crate::Device::open_restored`].
    #[error("rollback: the file is older than one that was used here before")]
    Rollback,
    /// No contact, message or bundle of that name.
    #[error("not found")]
    NotFound,
    /// The name is taken, or the device exists already.
    #[error("exists already")]
    Exists,
    /// Not a name: 1 to 255 bytes without control characters.
    #[error("not a valid name")]
    Name,
    /// No room on the disk (or above [`crate::Options::max_bytes`]): make room, try again.
    #[error("disk full")]
    DiskFull,
    /// The file or its directory cannot be written.
    #[error("read only")]
    ReadOnly,
    /// The file is damaged, or was altered without the key: restore a backup.
    #[error("the file is damaged")]
    Corrupt,
    /// Another process holds the file for longer than the time limit: try again.
    #[error("the file is in use by another process")]
    Busy,
    /// Somebody else changed the state first: try again. (Not with the embedded store.)
    #[error("the state has moved on")]
    Conflict,
    /// Not a device of ours, or of a newer version.
    #[error("not a device file of a known version")]
    Schema,
    /// Any other failure of the file or the operating system.
    #[error("storage: {0}")]
    Storage(String),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::*;
        match error.sqlite_error_code() {
            Some(DiskFull) => Self::DiskFull,
            Some(ReadOnly) => Self::ReadOnly,
            Some(DatabaseCorrupt) => Self::Corrupt,
            Some(DatabaseBusy | DatabaseLocked) => Self::Busy,
            Some(NotADatabase) => Self::Schema,
            Some(CannotOpen | PermissionDenied) => Self::Storage("cannot open the file".into()),
            _ => Self::Storage(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::*;
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => Self::DiskFull,
            ReadOnlyFilesystem | PermissionDenied => Self::ReadOnly,
            NotFound => Self::NotFound,
            AlreadyExists => Self::Exists,
            _ => Self::Storage(error.to_string()),
        }
    }
}
