"""How many streams one caller may have open."""

from typing import cast

import msgspec
import pytest

from torhaus.edge.exchange import Exchange
from torhaus.edge.serving import Stays
from torhaus.edge.streams import MOST, Streams
from torhaus.edge.visitor import Visitor
from torhaus.mcp.message import CallerError
from torhaus.model.people import Principal


class Listener(msgspec.Struct, frozen=True):
    visitor: Visitor


def one_of(email: str) -> Stays:
    visitor = Visitor(Principal(id=email, email=email), b"key")
    return cast(Stays, Listener(visitor))


def exchanges(count: int) -> list[Exchange]:
    return [cast(Exchange, object()) for _ in range(count)]


def test_whoever_has_too_many_is_refused_another_one_and_others_are_not() -> None:
    streams = Streams()
    for exchange in exchanges(MOST):
        streams[exchange] = one_of("alice@example.com")
    more, others = exchanges(2)

    with pytest.raises(CallerError, match="close one") as refused:
        streams[more] = one_of("alice@example.com")
    streams[others] = one_of("bob@example.com")

    assert refused.value.status == 429
    assert more not in streams
    assert len(streams) == MOST + 1


def test_one_that_ends_makes_room() -> None:
    streams = Streams()
    opened = exchanges(MOST)
    for exchange in opened:
        streams[exchange] = one_of("alice@example.com")

    del streams[opened[0]]
    assert streams.pop(opened[1]) is not None
    assert streams.pop(opened[1]) is None
    for exchange in exchanges(2):
        streams[exchange] = one_of("alice@example.com")

    assert len(streams) == MOST


def test_a_stream_that_is_told_of_again_counts_once() -> None:
    streams = Streams()
    (exchange,) = exchanges(1)
    for _ in range(MOST + 1):
        streams[exchange] = one_of("alice@example.com")

    assert list(streams) == [exchange]
