"""The C library, loaded from inside the package, and the way from a status to an exception."""
import pathlib
from typing import Any

from cffi import FFI

_here = pathlib.Path(__file__).parent
ffi: Any = FFI()
ffi.cdef((_here / "marline.cdef.h").read_text())
lib: Any = ffi.dlopen(str(_here / "libmarline.so"))

if lib.marline_abi_version() != lib.MARLINE_ABI_VERSION:
    raise ImportError("libmarline.so has another ABI version than its header")


class Error(Exception):
    """Anything that the library refuses. `status` is the number, `name` its name in C."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.name: str = ffi.string(lib.marline_status_name(status)).decode()
        super().__init__(ffi.string(lib.marline_status_message(status)).decode())


class CallerError(Error):
    """The program made a mistake, or must do something else first."""


class DataError(Error):
    """Data from outside was refused: a message, a bundle, a stored state."""


class AuthenticationError(DataError):
    """Forged, corrupt, or meant for somebody else: drop it."""


class DuplicateError(DataError):
    """Delivered before: ignore it."""


class PrekeyError(DataError):
    """The prekeys of a first message are unknown or used: the peer needs a fresh bundle."""


class RollbackError(DataError):
    """Older than something seen before: a restored backup, or an attack."""


class StorageError(Error):
    """Storage failed."""


class EnvironmentFailure(Error):
    """No randomness or no memory."""


class InternalError(Error):
    """A mistake in the library."""


_classes = {1: CallerError, 2: DataError, 3: StorageError, 4: EnvironmentFailure, 5: InternalError}
_statuses = {
    lib.MARLINE_ERR_AUTHENTICATION: AuthenticationError,
    lib.MARLINE_ERR_DUPLICATE: DuplicateError,
    lib.MARLINE_ERR_UNKNOWN_PREKEY: PrekeyError,
    lib.MARLINE_ERR_PREKEY_USED: PrekeyError,
    lib.MARLINE_ERR_ROLLBACK: RollbackError,
}


def check(status: int) -> None:
    """Raises what a status says."""
    if status != lib.MARLINE_OK:
        kind = _statuses.get(status) or _classes[lib.marline_status_class(status)]
        raise kind(status)
