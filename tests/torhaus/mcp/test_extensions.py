import json
import re
from pathlib import Path
from typing import Any

from torhaus.mcp.eras import initialize_from_discover
from torhaus.mcp.extensions import APPS, EXTENSIONS, TASKS, across, declared, in_front_of_many
from torhaus.mcp.message import encode
from torhaus.mcp.versions import CAPABILITIES_KEY

DOCS = Path(__file__).resolve().parents[3] / "docs" / "compatibility.md"
BOTH = {"tasks": {}, "roots": {}, "extensions": {TASKS: {}, APPS: {"a": 1}, "x.y/z": {}}}


def test_between_the_eras_only_what_is_relayed_there_passes() -> None:
    assert across(BOTH) == {"roots": {}, "extensions": {APPS: {"a": 1}}}
    assert across({"extensions": {TASKS: {}}}) == {}
    assert across({"extensions": 3}) == {}
    assert across(None) == {}


def test_in_front_of_many_servers_it_depends_on_the_era() -> None:
    apps = {APPS: {"a": 1}}

    assert in_front_of_many(BOTH, legacy=True) == {"roots": {}, "extensions": apps}
    modern = in_front_of_many(BOTH, legacy=False)
    assert modern == {"roots": {}, "extensions": {TASKS: {}, **apps}}


def test_the_documentation_says_what_the_table_says() -> None:
    rows = re.findall(r"^\| `(io\.[^`]+)`[^|]*\|(.+)\|$", DOCS.read_text(), re.MULTILINE)
    told = {name: [cell.strip() == "yes" for cell in cells.split("|")] for name, cells in rows}

    assert told == {
        name: [True, each.across, each.many_modern, each.many_legacy]
        for name, each in EXTENSIONS.items()
    }


def test_a_client_with_a_session_hears_of_apps_of_a_stateless_server() -> None:
    hello = encode({"capabilities": {"tools": {}, "extensions": {APPS: {}, TASKS: {}}}})

    told = json.loads(initialize_from_discover(hello, "2025-11-25"))

    assert told["capabilities"] == {"tools": {}, "extensions": {APPS: {}}}


def test_a_client_knows_the_extensions_that_its_request_declares() -> None:
    able: Any
    for able in ({}, {"extensions": {APPS: {}}}, {"extensions": [TASKS]}, 7, None):
        assert not declared({"_meta": {CAPABILITIES_KEY: able}}, TASKS)
    assert not declared({"_meta": 7}, TASKS)
    assert not declared({}, TASKS)
    assert declared({"_meta": {CAPABILITIES_KEY: {"extensions": {TASKS: {}}}}}, TASKS)
