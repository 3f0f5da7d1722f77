"""Answers for callers of the other era."""

import json

import pytest

from tests.torhaus.upstream.webs import INITIALIZE
from torhaus.model.outcome import Answer
from torhaus.model.ports import UpstreamError
from torhaus.upstream.crossing import to_legacy, to_modern


def test_a_stateless_caller_gets_what_its_era_requires():
    answer = to_modern("tools/list", Answer(result=b'{"tools":[]}'), INITIALIZE, {})

    found = json.loads(answer.result)
    assert found["resultType"] == "complete"
    assert (found["ttlMs"], found["cacheScope"]) == (0, "private")
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "old"


def test_a_server_that_never_said_who_it_is_stays_unnamed():
    answer = to_modern("tools/call", Answer(result=b'{"content":[]}'), b"[]", {})

    assert json.loads(answer.result) == {"content": [], "resultType": "complete"}


@pytest.mark.parametrize(
    ("method", "code", "expected", "status"),
    [
        ("tools/call", -32601, -32601, 404),
        ("resources/read", -32002, -32602, 200),
        ("tools/call", -32602, -32602, 200),
        ("tools/call", -32021, -32021, 400),
    ],
)
def test_errors_get_the_code_and_status_of_the_newer_era(method, code, expected, status):
    answer = to_modern(method, Answer(error=b'{"code":%d,"message":"m"}' % code), INITIALIZE, {})

    assert json.loads(answer.error)["code"] == expected
    assert answer.status == status


def test_a_session_caller_gets_nothing_it_does_not_know():
    text = b'{"content":[],"resultType":"complete","ttlMs":5,"cacheScope":"public"}'

    answer = to_legacy("tools/call", Answer(result=text))

    assert json.loads(answer.result) == {"content": []}


def test_a_result_that_only_talks_of_questions_passes():
    text = b'{"content":[{"type":"text","text":"\\"input_required\\""}],"x":"input_required"}'

    assert to_legacy("tools/call", Answer(result=text)).result is not None


def test_an_error_that_cannot_be_written_again_stays_as_it_is():
    text = b'{"code":-32602,"message":"m","data":1e999}'

    assert to_legacy("resources/read", Answer(error=text)).error == text


def test_a_resource_that_is_not_there_has_the_older_code():
    answer = to_legacy("resources/read", Answer(error=b'{"code":-32602,"message":"m"}'))

    assert json.loads(answer.error)["code"] == -32002


def test_a_result_that_cannot_be_read_is_the_servers_fault():
    deep = Answer(result=b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}")

    for change in (to_legacy, lambda m, a: to_modern(m, a, INITIALIZE, {})):
        with pytest.raises(UpstreamError, match="result that cannot be read"):
            change("tools/call", deep)
