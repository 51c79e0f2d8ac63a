"""What the library gives and takes: plain values."""
from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import List, Optional


@dataclass(frozen=True)
class Options:
    """Choices of a sender; 0 is the default."""

    padding: int = 0
    padding_size: int = 0
    slots: int = 0

    NONE = 1
    PADME = 2
    BLOCK = 3


@dataclass(frozen=True)
class Opened:
    """A plaintext with its authenticated sender: `identity`, and the name it claims, `subject`."""

    plaintext: bytes
    identity: bytes
    subject: bytes


@dataclass(frozen=True)
class Sealed:
    """A state to store, and the generation to remember: import refuses older ones."""

    sealed: bytes
    generation: int


@dataclass(frozen=True)
class Facts:
    """What there is to know about a session; see marline_facts in marline.h."""

    role: int
    slots: int
    epoch: int
    messages_since_epoch: int
    used_one_time_prekey: bool
    peer_has_answered: bool
    failed: bool
    skipped_classical: int
    skipped_post_quantum: int
    generation: int
    session_id: bytes
    peer_identity: bytes


class Trust(enum.IntEnum):
    """How far an author is trusted as a contact."""

    OTHER = 0
    UNVERIFIED = 1
    VERIFIED = 2


class EventKind(enum.IntEnum):
    """See MARLINE_EVENT_... in marline.h."""

    OTHER = 0
    NEW_SESSION = 1
    SESSION_RESET = 2
    SESSION_FAILED = 3
    SESSION_EVICTED = 4
    IDENTITY_CHANGED = 5
    UNREADABLE = 6


@dataclass(frozen=True)
class Event:
    """Something that the application, and mostly its user, is to be told."""

    kind: EventKind
    sends: bool
    session_id: bytes
    former_identity: bytes
    identity: bytes


@dataclass(frozen=True)
class Received:
    """What came out of a message to a contact; `opened` is None after a reset, or when an event says why."""

    opened: Optional[Opened]
    trust: Trust
    events: List[Event]
