"""Reading servers' messages and changing as little as possible in them."""

import json

import pytest

from torhaus.model.ports import UpstreamError
from torhaus.upstream import envelope


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[]",
        b"1",
        b"null",
        b'{"jsonrpc":"2.0","id":1,"result":{"a":"\xff"}}',
        b'{"jsonrpc":"2.0","id":1.5,"result":{}}',
        b'{"jsonrpc":"2.0","id":true,"result":{}}',
        b'{"jsonrpc":"2.0","id":[1],"result":{}}',
        b'{"jsonrpc":"2.0","id":1,"result":{}}{"x":1}',
        b'{"jsonrpc":"2.0","id":1,"result":{"a":NaN}}',
        b'{"method":1}',
        b'{"id":1,"result":' + b"[" * 200_000,
    ],
)
def test_what_is_not_a_message_is_garbage(line):
    with pytest.raises(envelope.GarbageError):
        envelope.read(line)


def test_payloads_stay_as_they_came():
    message = envelope.read(b' {"id": "a", "method": "m", "params": {"b" : 1e2, "b": 1} }\r')

    assert (message.id, message.method) == ("a", "m")
    assert bytes(message.params) == b'{"b" : 1e2, "b": 1}'
    assert bytes(message.result) == b""


@pytest.mark.parametrize("token", [b'"x"', b"7", b"1.0", b"null", b'{"a":1}'])
def test_any_token_of_a_caller_is_replaced_by_ours(token):
    params = b'{"name":"t","arguments":{"n":1.50},"_meta":{"progressToken":%b,"k":"v"}}' % token
    changed, own = envelope.with_token(params, 42)

    assert own == token
    assert b'"arguments":{"n":1.50}' in changed
    assert json.loads(changed)["_meta"] == {"progressToken": 42, "k": "v"}


@pytest.mark.parametrize(
    "params",
    [b"", b"{}", b'{"_meta":{}}', b'{"_meta":5}', b'{"arguments":{"_meta":{"progressToken":1}}}'],
)
def test_params_without_a_token_stay_as_they_are(params):
    assert envelope.with_token(params, 42) == (params, None)


@pytest.mark.parametrize(
    ("head", "tail", "found"),
    [
        (b'{"jsonrpc":"2.0","id":12,"result":{"x', b'x"}}', 12),
        (b'{ "id" : 12 , "result": "', b'"}', 12),
        (b'{"result":{"x', b'x"},"jsonrpc":"2.0","id":12}', 12),
        (b'{"result":{"x', b'x"},"id":12,"jsonrpc":"2.0"}\r', 12),
        (b'{"result":{"id":12,', b'"id":12}}', None),
        (b'{"jsonrpc":"2.0","method":"m","params":{"id":12,', b"}}", None),
    ],
)
def test_the_id_of_a_lost_answer_is_read_from_its_ends(head, tail, found):
    assert envelope.lost_id(head, tail) == found


def test_ids_that_say_the_same_are_the_same():
    assert envelope.canonical(b'"\\u0061"') == envelope.canonical(b' "a" ') == b'"a"'
    assert envelope.canonical(b"1") != envelope.canonical(b'"1"')
    assert envelope.canonical(b"null") is None
    assert envelope.canonical(b"{") is None


def test_an_error_needs_its_shape():
    assert envelope.error_message(b'{"code":1,"message":"no","data":{}}') == "no"
    with pytest.raises(UpstreamError):
        envelope.error_message(b'"no"')


@pytest.mark.parametrize("result", [b"[]", b"{}", b'{"protocolVersion":1}'])
def test_nonsense_opens_no_session(result):
    with pytest.raises(envelope.GarbageError):
        envelope.opened(result)


@pytest.mark.parametrize("value", [b"1", b"1e999", b"null", b"[" * 900 + b"]" * 900])
def test_a_text_is_nothing_else(value):
    values = envelope.fields(b'{"uri":%b,"level":"info"}' % value)

    assert envelope.text_of(values, "uri") is None
    assert envelope.text_of(values, "level") == "info"
