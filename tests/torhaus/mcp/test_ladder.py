from typing import Any

import pytest

from tests.torhaus.cast import ENVELOPE, request
from torhaus.mcp import codes, ladder
from torhaus.mcp.headers import encode
from torhaus.mcp.message import CallerError, Request
from torhaus.mcp.versions import CAPABILITIES_KEY, LEGACY, MODERN, VERSION_KEY
from torhaus.model.servers import Era


def headers(method: str, name: str | None = None, version: str = MODERN) -> dict[bytes, bytes]:
    sent = {ladder.VERSION: version.encode(), ladder.METHOD: method.encode()}
    if name is not None:
        sent[ladder.NAME] = encode(name).encode()
    return sent


def modern(method: str, **params: Any) -> Request:
    return request(method, params)


def with_meta(meta: object) -> Request:
    return request("tools/list", {"_meta": meta}, era=Era.LEGACY)


def refused(asked: Request, sent: dict[bytes, bytes]) -> CallerError:
    with pytest.raises(CallerError) as caught:
        ladder.check_modern(asked, sent)
    assert caught.value.id == asked.id
    return caught.value


# -- which era --------------------------------------------------------------------------------


def test_an_envelope_makes_a_request_modern_whatever_the_header_says():
    assert ladder.is_modern(modern("tools/list"), None)
    assert ladder.is_modern(modern("tools/list"), b"2025-11-25")


@pytest.mark.parametrize("version", [*LEGACY, None])
def test_without_one_a_legacy_version_or_none_is_legacy(version: str | None):
    header = None if version is None else version.encode()

    assert not ladder.is_modern(request("tools/list", {}, era=Era.LEGACY), header)


@pytest.mark.parametrize("version", [b"2026-07-28", b"2099-01-01", b"nonsense", b"", b"\xff"])
def test_any_other_version_is_judged_by_the_modern_rules(version: bytes):
    assert ladder.is_modern(request("tools/list", {}, era=Era.LEGACY), version)


@pytest.mark.parametrize("meta", [None, 7, [], "x", {"progressToken": 1}])
def test_other_meta_is_no_envelope(meta: object):
    assert not ladder.is_modern(with_meta(meta), None)


# -- the ladder -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "params", "name"),
    [
        ("tools/list", {}, None),
        ("tools/call", {"name": "list_issues"}, "list_issues"),
        ("prompts/get", {"name": "grüße"}, "grüße"),
        ("resources/read", {"uri": "file:///a b"}, "file:///a b"),
        ("tasks/get", {"taskId": "7"}, "7"),
        ("x/unknown", {}, None),
    ],
)
def test_a_request_whose_headers_agree_passes(
    method: str, params: dict[str, Any], name: str | None
):
    ladder.check_modern(modern(method, **params), headers(method, name))


@pytest.mark.parametrize(
    "meta",
    [None, {}, {VERSION_KEY: MODERN}, {CAPABILITIES_KEY: {}}, "x"],
)
def test_a_missing_envelope_comes_first(meta: object):
    error = refused(with_meta(meta), {})

    assert (error.code, error.status) == (codes.INVALID_PARAMS, 400)
    assert "_meta lacks" in str(error)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        headers("tools/call", "list_issues", version="2025-11-25"),
        headers("tools/list", "list_issues"),
        headers("Tools/Call", "list_issues"),
        headers("tools/call"),
        headers("tools/call", "List_Issues"),
        headers("tools/call", "create_issue"),
        {**headers("tools/call"), ladder.NAME: b"=?base64?bGlzdF9pc3N1ZXM?="},
        {**headers("tools/call"), ladder.NAME: b"\xff"},
    ],
)
def test_headers_that_do_not_say_the_same_as_the_body_are_a_mismatch(sent: dict[bytes, bytes]):
    error = refused(modern("tools/call", name="list_issues"), sent)

    assert (error.code, error.status) == (codes.HEADER_MISMATCH, 400)


def test_a_name_in_the_sentinel_is_compared_decoded():
    sent = {**headers("tools/call"), ladder.NAME: b"=?base64?bGlzdF9pc3N1ZXM=?="}

    ladder.check_modern(modern("tools/call", name="list_issues"), sent)


def test_a_name_that_is_no_text_never_matches():
    assert refused(modern("tools/call", name=7), headers("tools/call", "7")).code == -32020


@pytest.mark.parametrize("version", ["2099-01-01", "2025-11-25", ""])
def test_a_version_we_do_not_speak_is_named_back(version: str):
    asked = with_meta({**ENVELOPE, VERSION_KEY: version})

    error = refused(asked, headers("tools/list", version=version))

    assert (error.code, error.status) == (codes.UNSUPPORTED_VERSION, 400)
    assert error.data == b'{"supported":["2026-07-28"],"requested":"%b"}' % version.encode()


@pytest.mark.parametrize("version", [None, 20260728, [MODERN]])
def test_a_version_that_is_no_text_is_a_mismatch(version: object):
    asked = with_meta({**ENVELOPE, VERSION_KEY: version})

    assert refused(asked, headers("tools/list")).code == codes.HEADER_MISMATCH


def test_capabilities_must_be_an_object():
    asked = with_meta({**ENVELOPE, CAPABILITIES_KEY: []})

    assert refused(asked, headers("tools/list")).code == codes.INVALID_PARAMS


@pytest.mark.parametrize(
    "method", ["initialize", "ping", "logging/setLevel", "resources/subscribe"]
)
def test_a_removed_method_is_not_found(method: str):
    error = refused(modern(method), headers(method))

    assert (error.code, error.status) == (codes.METHOD_NOT_FOUND, 404)
