"""What a caller hears before an answer."""

import json
from typing import Any

import pytest

from torhaus.mcp.hearing import LOG, PROGRESS, Forward, Stateless, reaches
from torhaus.mcp.message import Request
from torhaus.mcp.versions import LOG_LEVEL_KEY


def stateless(**meta: Any) -> Stateless:
    return Stateless(Request(b"1", "tools/call", {"name": "x", "_meta": meta}, b""))


def body(method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()


@pytest.mark.parametrize(
    ("level", "threshold", "passes"),
    [
        ("debug", "info", False),
        ("info", "info", True),
        ("emergency", "debug", True),
        ("debug", None, True),
        (None, "error", True),
        ("odd", "error", True),
    ],
)
def test_levels_are_compared_by_severity(level, threshold, passes):
    assert reaches(level, threshold) is passes


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2, 1, 2.5], [1, 2, 2.5]),
        ([0, 0, 0], [0, 0, 0]),
        ([1, None, "2", True, 1], [1, None, "2", True, 1]),
    ],
)
def test_progress_does_not_go_back(said: list[Any], heard: list[Any]) -> None:
    forward = Forward()

    assert [each for each in said if forward.goes_on({"progress": each})] == heard


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        ({}, []),
        ({LOG_LEVEL_KEY: "warning"}, ["error"]),
        ({LOG_LEVEL_KEY: "debug"}, ["debug", "info", "error"]),
        ({LOG_LEVEL_KEY: "odd"}, ["debug", "info", "error"]),
        ({LOG_LEVEL_KEY: 7}, []),
    ],
)
def test_a_stateless_request_hears_the_log_that_it_asked_for(
    asked: dict[str, Any], heard: list[str]
) -> None:
    wants = stateless(**asked)

    said = ["debug", "info", "error"]
    assert [each for each in said if wants.passes(LOG, body(LOG, level=each))] == heard


def test_it_hears_progress_that_goes_on_and_all_else():
    wants = stateless()

    assert wants.passes(PROGRESS, body(PROGRESS, progressToken=1, progress=2))
    assert not wants.passes(PROGRESS, body(PROGRESS, progressToken=1, progress=1))
    assert wants.passes("notifications/x", b"?")


@pytest.mark.parametrize("text", [b"?", b"[]", b"{}", b'{"params": 1}', b'{"params": null}'])
def test_what_cannot_be_read_is_not_heard(text: bytes) -> None:
    assert not stateless(**{LOG_LEVEL_KEY: "debug"}).passes(LOG, text)
    assert not stateless().passes(PROGRESS, text)


def test_a_request_may_say_nothing_of_itself():
    assert not Stateless(Request(b"1", "x", {"_meta": 1}, b"")).passes(
        LOG, body(LOG, level="error")
    )
