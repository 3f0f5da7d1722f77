"""What is to become a day file, and what has: words to and from the process that makes it."""

import msgspec


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed segment. `without`: days of its records that are in day files already."""

    name: str
    path: str
    records: int
    octets: int
    sha256: str
    without: tuple[str, ...] = ()


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A day file that another one takes over."""

    name: str
    path: str
    records: int
    octets: int
    sha256: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Make day files of segments, one a day; or one of several. `folder`: empty, to work in."""

    folder: str
    segments: tuple[Source, ...] = ()
    merge: tuple[Part, ...] = ()
    memory: str = "512MB"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A day file that was made and proved, at `path` in the folder; no journal knows it yet."""

    path: str
    day: str
    records: int
    octets: int
    sha256: str
    first: str
    last: str
    segments: dict[str, int] = {}


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """`refused`: what could not be used, by name, and why: sentences. It stays as it is."""

    drafts: tuple[Draft, ...] = ()
    refused: dict[str, str] = {}
