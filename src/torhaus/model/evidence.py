"""What proves that no audit record was changed, added or taken away, and where each one is.

A segment is a file of JSON lines: one `SegmentHead`, then records, and a `Checkpoint` from time to
time. With `c0 = SHA-256(the head's line)`, a checkpoint's `chain` is
`ci = SHA-256(ci-1 || the lines since the checkpoint before)`, line breaks included.

The journal is a file of signed lines, one for everything that happens to whole files: it is the
list of what there is, and each line names the digest of the one before. Times are those of
records: `2025-10-20T14:23:11.234Z`. Digests are SHA-256, hexadecimal.
"""

import msgspec


class SegmentHead(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a segment, under `segment`. `name`: its file's, without a directory."""

    name: str
    node: str
    began: str
    version: int = 1


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A line under `checkpoint`. `records`: how many stand before it in the whole segment.

    `crc`: CRC-32 of each record's line since the checkpoint before, 4 octets each, big endian,
    in base64. They prove nothing; they tell which line it is that the chain says was changed.
    """

    at: str
    records: int
    chain: str
    crc: str


class Sealed(msgspec.Struct, frozen=True, kw_only=True, tag="sealed"):
    """A segment is whole: nothing is added any more. `first`, `last`: times of its records."""

    segment: str
    records: int
    octets: int
    chain: str
    sha256: str
    first: str
    last: str


class Written(msgspec.Struct, frozen=True, kw_only=True, tag="written"):
    """A day file holds the records of these segments; they are about to be removed.

    `file`: `day=2025-10-20/NODE-0000000001.parquet`, its name in every tier.
    """

    file: str
    day: str
    records: int
    octets: int
    sha256: str
    first: str
    last: str
    segments: tuple[str, ...]


class Moved(msgspec.Struct, frozen=True, kw_only=True, tag="moved"):
    """A day file is now in `tier` (`hot`, `warm`, `cold` or `archive`), at `place`.

    `place`: `local`, or the URL of the bucket it is in, without credentials.
    """

    file: str
    tier: str
    place: str
    storage_class: str = ""


class Deleted(msgspec.Struct, frozen=True, kw_only=True, tag="deleted"):
    """The tombstone of a day file: what it was stays in the journal. `why`: a sentence."""

    file: str
    why: str


class Held(msgspec.Struct, frozen=True, kw_only=True, tag="held"):
    """Nothing of these days (both included) is deleted until the hold is released."""

    hold: str
    first_day: str
    last_day: str
    by: str
    why: str


class Released(msgspec.Struct, frozen=True, kw_only=True, tag="released"):
    hold: str
    by: str
    why: str


Event = Sealed | Written | Moved | Deleted | Held | Released


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`number` counts from 1. `previous`: the digest of the line before, empty for the first."""

    number: int
    at: str
    node: str
    previous: str
    event: Event


class SignedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the journal. `entry`: JSON text, spliced in as it was signed.

    `key`: the first 16 digits of the public key's digest. `signature`: Ed25519, base64.
    """

    entry: msgspec.Raw
    key: str
    signature: str
