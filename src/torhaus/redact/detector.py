"""What a detector is, and when it is worth running."""

from collections.abc import Callable
from enum import StrEnum
from re import Pattern

import msgspec


class Level(StrEnum):
    """SECRETS: tokens and keys. PERSONAL: data about people and their money."""

    SECRETS = "secrets"
    PERSONAL = "personal"


class Span(msgspec.Struct, frozen=True, gc=False):
    """`text[start:end]` is to be masked as `kind`; `number`: it must stay a JSON number."""

    start: int
    end: int
    kind: str
    number: bool = False


class Text(msgspec.Struct, frozen=True, gc=False):
    """A text and the same in small letters, character by character."""

    text: str
    low: str


Gate = Callable[[Text], bool]
Find = Callable[[Text], list[Span]]


class Detector(msgspec.Struct, frozen=True):
    """`gate` says cheaply whether `find` can find anything; most texts pass no gate.

    Both take time linear in the text, whatever it holds.
    """

    kinds: frozenset[str]
    level: Level
    gate: Gate
    find: Find


def reading(text: str) -> Text:
    low = text.lower()
    if len(low) != len(text):
        low = text.replace("\u0130", "i").lower()  # the one letter that becomes two
    return Text(text, low)


def words(*needles: str) -> Gate:
    """The text holds one of these, in any case."""

    def gate(text: Text) -> bool:
        low = text.low
        return any(needle in low for needle in needles)

    return gate


def holds(needle: str) -> Gate:
    """The text holds this, in this case."""

    def gate(text: Text) -> bool:
        return needle in text.text

    return gate


def always(text: Text) -> bool:  # noqa: ARG001 -- a gate
    """Looking costs as little as a gate would."""
    return True


def marks(pattern: Pattern[str]) -> Gate:
    """`pattern` begins with one plain character: that is what makes looking for it cheap."""
    search = pattern.search

    def gate(text: Text) -> bool:
        return search(text.text) is not None

    return gate
