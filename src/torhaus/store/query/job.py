"""What passes between the gateway and the process that answers one question."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.audit.holdings import Segment


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`segments` (by path), `days`: the files of this question, and all it can read.

    `people`: pseudonyms, and whom they mean. `memory`: in octets.
    """

    sql: str
    segments: tuple[Segment, ...]
    days: tuple[str, ...]
    rows: int
    octets: int
    seconds: float
    parameters: Mapping[str, str | int | float | bool | None] = {}
    people: Mapping[str, str] = {}
    memory: int = 512 << 20
    threads: int = 2

    @property
    def files(self) -> list[str]:
        return [*(each.name for each in self.segments), *self.days]


class Rows(msgspec.Struct, frozen=True, kw_only=True, tag="rows", forbid_unknown_fields=True):
    """`landlock`: the version of Landlock that held the process back; 0 where there is none."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool
    landlock: int


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag="failure", forbid_unknown_fields=True):
    """`code`: one of `Unanswered`, or `vanished`: a file was moved on meanwhile."""

    code: str
    why: str


Reply = Rows | Failure
