import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torhaus.cast import ENVELOPE
from tests.torhaus.scripted import dumps
from torhaus.mcp import eras
from torhaus.mcp.versions import CAPABILITIES_KEY, MODERN, VERSION_KEY

INFO = {"name": "up", "version": "1"}
NAMES = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=6).filter(
    lambda name: name not in ("resultType", "ttlMs", "cacheScope")
)
FOREIGN = st.dictionaries(
    NAMES,
    st.integers() | st.text(st.characters(exclude_categories=["Cs"])) | st.lists(st.booleans()),
    max_size=4,
)


# -- params -----------------------------------------------------------------------------------


@given(FOREIGN, FOREIGN)
def test_the_envelope_is_all_that_legacy_params_lose(params: dict[str, Any], meta: dict[str, Any]):
    sent = {**params, "_meta": {**meta, **ENVELOPE, "io.modelcontextprotocol/logLevel": "info"}}

    there = json.loads(eras.to_legacy_params(dumps(sent)))

    assert there == ({**params, "_meta": meta} if meta else params)


@given(FOREIGN, FOREIGN)
def test_the_envelope_is_all_that_modern_params_gain(params: dict[str, Any], meta: dict[str, Any]):
    sent = {**params, "_meta": meta} if meta else params

    there = json.loads(
        eras.to_modern_params(
            dumps(sent), capabilities=b'{"roots":{}}', client_info=b'{"name":"c"}', log_level="info"
        )
    )

    assert there == {
        **params,
        "_meta": {
            **meta,
            VERSION_KEY: MODERN,
            CAPABILITIES_KEY: {"roots": {}},
            "io.modelcontextprotocol/clientInfo": {"name": "c"},
            "io.modelcontextprotocol/logLevel": "info",
        },
    }


def test_a_caller_cannot_smuggle_an_envelope_of_its_own_across():
    sent = dumps({"_meta": {VERSION_KEY: "1999", CAPABILITIES_KEY: {"sampling": {}}}})

    meta = json.loads(eras.to_modern_params(sent, capabilities=b"", client_info=b""))["_meta"]

    assert meta == {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}


def test_absent_params_become_an_envelope_and_back_nothing():
    there = eras.to_modern_params(b"", capabilities=b"{}", client_info=b"")

    assert json.loads(there) == {"_meta": ENVELOPE}
    assert eras.to_legacy_params(there) == b"{}"
    assert eras.to_legacy_params(b"") == b""


@pytest.mark.parametrize("meta", [None, 7, "x"])
def test_params_with_an_odd_meta_stay_as_they_are(meta: object):
    sent = dumps({"_meta": meta, "a": 1})

    assert eras.to_legacy_params(sent) == sent


# -- results ----------------------------------------------------------------------------------


@given(FOREIGN, st.sampled_from(["tools/call", "tools/list", "resources/read"]))
def test_a_result_keeps_its_fields_across_both_eras(result: dict[str, Any], method: str):
    modern = eras.to_modern_result(method, dumps(result), dumps(INFO))

    assert json.loads(modern).items() >= result.items()
    assert json.loads(eras.to_legacy_result(modern)) == result


@pytest.mark.parametrize("method", sorted(eras.CACHEABLE))
def test_the_cacheable_six_gain_the_strictest_cache_hints(method: str):
    there = json.loads(eras.to_modern_result(method, b"{}", None))

    assert there == {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}


def test_other_results_gain_no_cache_hints():
    assert json.loads(eras.to_modern_result("tools/call", b"{}", None)) == {
        "resultType": "complete"
    }


def test_what_a_modern_result_says_of_itself_stays():
    said = {"resultType": "input_required", "ttlMs": 9, "_meta": {eras.SERVER_INFO: {"name": "x"}}}

    there = json.loads(eras.to_modern_result("tools/list", dumps(said), dumps(INFO)))

    assert there == {**said, "cacheScope": "private"}


def test_structured_content_is_not_searched_for_protocol_fields():
    content = {"ttlMs": 5, "resultType": "mine", "cacheScope": "x"}
    sent = dumps({"structuredContent": content, "resultType": "complete"})

    assert json.loads(eras.to_legacy_result(sent)) == {"structuredContent": content}


def test_meta_of_others_stays_on_legacy_results():
    sent = dumps({"_meta": {eras.SERVER_INFO: INFO, "trace": 1}})

    assert json.loads(eras.to_legacy_result(sent)) == {"_meta": {"trace": 1}}


@pytest.mark.parametrize("result", [b"[]", b"7", b'"x"', b"null"])
def test_a_result_that_is_no_object_passes_as_it_is(result: bytes):
    assert eras.to_modern_result("tools/list", result, dumps(INFO)) == result
    assert eras.to_legacy_result(result) == result


# -- errors -----------------------------------------------------------------------------------


def test_a_missing_resource_has_the_code_of_its_era():
    legacy, modern = (
        dumps({"code": code, "message": "m", "data": {}}) for code in (-32002, -32602)
    )

    assert json.loads(eras.to_modern_error("resources/read", legacy)) == json.loads(modern)
    assert json.loads(eras.to_legacy_error("resources/read", modern)) == json.loads(legacy)


@pytest.mark.parametrize("error", [b'{"code":-32602}', b'{"code":-32002}', b"[]"])
def test_the_codes_of_other_methods_stay(error: bytes):
    assert eras.to_modern_error("tools/call", error) == error
    assert eras.to_legacy_error("tools/call", error) == error


# -- openings ---------------------------------------------------------------------------------


def test_a_legacy_server_is_discovered_by_what_it_said_when_it_was_opened():
    opened = {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {"listChanged": True, "x": 1}, "tasks": {}, "completions": {}},
        "serverInfo": INFO,
        "instructions": "be kind",
    }

    there = json.loads(eras.discover_from_initialize(dumps(opened)))

    assert there == {
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": {"tools": {"listChanged": True, "x": 1}, "completions": {}},
        "ttlMs": 0,
        "cacheScope": "private",
        "instructions": "be kind",
        "_meta": {eras.SERVER_INFO: INFO},
    }


def test_a_modern_server_is_opened_by_what_it_lets_discover():
    found = {
        "capabilities": {"resources": {"subscribe": True}, "extensions": {"x": {}}},
        "_meta": {eras.SERVER_INFO: INFO},
    }

    there = json.loads(eras.initialize_from_discover(dumps(found), "2025-06-18"))

    assert there == {
        "protocolVersion": "2025-06-18",
        "capabilities": {"resources": {"subscribe": True}},
        "serverInfo": INFO,
    }


@pytest.mark.parametrize(
    ("capabilities", "names"),
    [
        ({}, set()),
        ([], set()),
        ({"tools": {"listChanged": 1}, "prompts": True, "resources": {"subscribe": "yes"}}, set()),
        ({"tools": {"listChanged": True}}, {"toolsListChanged"}),
        (
            {"prompts": {"listChanged": True}, "resources": {"subscribe": True}},
            {"promptsListChanged", "resourceSubscriptions"},
        ),
    ],
)
def test_only_what_a_server_says_it_announces_is_asked_of_it(capabilities: object, names: set[str]):
    assert eras.announced(dumps({"capabilities": capabilities})) == names


@pytest.mark.parametrize("said", [b"{}", b"[]", b"null", b'{"_meta":1,"capabilities":[]}'])
def test_an_opening_that_says_nothing_still_opens(said: bytes):
    opened = json.loads(eras.initialize_from_discover(said, "2025-06-18"))
    found = json.loads(eras.discover_from_initialize(said))

    assert opened["capabilities"] == found["capabilities"] == {}
    assert opened["serverInfo"]["name"] == "upstream"
