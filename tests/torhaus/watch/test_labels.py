import msgspec
import pytest

from tests.torhaus.audit.scene import GITHUB, call
from torhaus.model.names import normal
from torhaus.watch.labels import MAX_NAMES, OTHER, Labels


def nothing(_server: str) -> tuple[str, ...]:
    return ()


@pytest.mark.parametrize("name", ["canary-1b9f", "", "x" * 1000, "tools/call"])
def test_what_callers_invent_is_something_else(name: str):
    assert Labels().of(call(operation=name), nothing) is OTHER


def test_what_the_server_lists_keeps_its_name():
    labels = Labels()

    assert labels.of(call(operation="search"), lambda server: {"search"}) == "search"
    assert labels.of(call(operation="search"), nothing) == "search"  # and does not lose it
    assert labels.of(call(operation="hinted", hints={"readOnlyHint": True}), nothing) == "hinted"


def test_a_tool_of_the_shipped_table_has_three_spellings():
    server = msgspec.structs.replace(GITHUB, classes={normal("get_me"): ()})
    labels = Labels()

    found = [
        labels.of(call(operation=name, server=server), nothing)
        for name in ("get_me", "getMe", "GET_ME", "gEt_me", "get_me")
    ]

    assert found == ["get_me", "getMe", "GET_ME", OTHER, "get_me"]


def test_methods_of_the_protocol_are_known():
    labels = Labels()

    for name, found in (("resources/read", "resources/read"), ("canary/1b9f", OTHER)):
        assert labels.of(call(method=name, operation=name), nothing) == found


def test_of_endless_names_some_are_kept():
    labels = Labels()

    every = [f"t{n}" for n in range(MAX_NAMES + 9)]

    names = {labels.of(call(operation=name), lambda _: every) for name in every}

    assert len(names) == MAX_NAMES + 1
