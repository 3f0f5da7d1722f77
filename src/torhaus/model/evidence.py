"""What proves that no audit record was changed, added or taken away, and where each one is.

A segment is a file of JSON lines: one `SegmentHead`, then records, and a `Checkpoint` from time to
time. A checkpoint's `chain` is the SHA-256 of every octet from the beginning of the checkpoint's
line before it (for the first: of the file) up to its own line. So each block is proved by itself,
and each covers what the one before it said.

The journal is a file of signed lines, one for everything that happens to whole files: it is the
list of what there is, and each line names the digest of the one before. Times are those of
records: `2025-10-20T14:23:11.234Z`. Digests are SHA-256, hexadecimal; a line's includes its break.
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

    `crc`: CRC-32 of each record's line since the checkpoint before, without its break, 4 octets
    each, big endian, in base64. They prove nothing; they tell which line it is that the chain
    says was changed.
    """

    at: str
    records: int
    chain: str
    crc: str


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag="begun"):
    """A segment has its head; its first record comes after this.

    Without it, a segment that was never sealed could be removed and nobody would know.
    """

    segment: str


class Left(msgspec.Struct, frozen=True, kw_only=True, tag="left"):
    """The process that wrote a segment goes on in another: this one takes nothing any more.

    `octets`: of it that were acknowledged. What is behind them was told to have failed, and is no
    record, however much it looks like one.
    """

    segment: str
    octets: int


class Sealed(msgspec.Struct, frozen=True, kw_only=True, tag="sealed", omit_defaults=True):
    """A segment is whole: nothing is added any more. `first`, `last`: times of its records.

    `chain`: of its last checkpoint. `proof`: `kept` (by the process that wrote it), `recovered`
    (that process died; what its checkpoints say is true, and the `unproved` newest records came
    after the last of them), `found` (an older version wrote it, without checkpoints), `broken`
    (it is not what its checkpoints say, or never began: `why`). A broken one is left where it is.
    """

    segment: str
    records: int
    octets: int
    chain: str
    sha256: str
    first: str
    last: str
    proof: str = "kept"
    unproved: int = 0
    why: str = ""


class Written(msgspec.Struct, frozen=True, kw_only=True, tag="written", omit_defaults=True):
    """A day file holds records of these segments; those that are wholly in files may go.

    `file`: `day=2025-10-20/NODE-0000000001.parquet`, its name in every tier. `segments`: how many
    of its records come from which. `replaces`: day files whose records it took over.
    """

    file: str
    day: str
    records: int
    octets: int
    sha256: str
    first: str
    last: str
    segments: dict[str, int]
    replaces: tuple[str, ...] = ()


class Moved(msgspec.Struct, frozen=True, kw_only=True, tag="moved", omit_defaults=True):
    """A day file is now in `tier` (`hot`, `warm`, `cold` or `archive`), at `place`.

    `place`: `local`, or the URL of the bucket it is in, without credentials.
    """

    file: str
    tier: str
    place: str
    storage_class: str = ""


class Deleted(msgspec.Struct, frozen=True, kw_only=True, tag="deleted"):
    """The tombstone of a day file or a segment: what it was stays in the journal.

    `why`: a sentence.
    """

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


Event = Begun | Left | Sealed | Written | Moved | Deleted | Held | Released


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`number` counts from 1. `previous`: the digest of the line before, empty for the first."""

    number: int
    at: str
    node: str
    previous: str
    event: Event


class LiveChain(msgspec.Struct, frozen=True, kw_only=True):
    """The newest checkpoint of a segment that is being written."""

    records: int
    chain: str


class JournalHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to keep elsewhere: with it, nobody can cut the end off or begin all over again.

    `number`, `digest`: of the journal's newest line. `live`: by segment.
    """

    number: int
    digest: str
    at: str
    node: str
    live: dict[str, LiveChain]


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the journal, or a head. `entry`: JSON text, spliced in as it was signed.

    `key`: the first 32 digits of the public key's digest. `signature`: Ed25519, base64.
    """

    entry: msgspec.Raw
    key: str
    signature: str
