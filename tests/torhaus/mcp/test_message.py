import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.mcp.codes import INVALID_REQUEST, PARSE_ERROR
from torhaus.mcp.message import (
    MAX_DEPTH,
    CallerError,
    Message,
    Notification,
    Request,
    Response,
    encode,
    error_object,
    error_text,
    misspelt,
    notification_text,
    read,
    request_text,
    result_text,
    twins,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = (
    st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=5)
WRITERS = st.builds(
    dict,
    ensure_ascii=st.booleans(),
    indent=st.sampled_from([None, 0, 2, "\t", "\r\n"]),
    separators=st.sampled_from([(",", ":"), (", ", ": "), (" ,", "\t: ")]),
)


MESSAGE = Request | Notification | Response


def request_with(params: object, **writer: Any) -> bytes:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return json.dumps(message, **writer).encode()


def refused(body: bytes) -> CallerError:
    with pytest.raises(CallerError) as caught:
        read(body)
    assert caught.value.status == 400
    return caught.value


def outcome(body: bytes) -> Message | CallerError:
    try:
        return read(body)
    except CallerError as error:
        return error


# -- whatever comes ---------------------------------------------------------------------------


@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_are_a_message_or_a_refusal(body: bytes):
    assert isinstance(outcome(body), MESSAGE | CallerError)


@given(
    st.dictionaries(
        st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "x"]),
        VALUES | st.just("2.0") | st.just("ping"),
    ),
    WRITERS,
)
def test_any_json_is_a_message_or_a_refusal(value: dict[str, Any], writer: dict[str, Any]):
    value = {"jsonrpc": "2.0", **value}
    found = outcome(json.dumps(value, **writer).encode())

    assert isinstance(found, MESSAGE | CallerError)
    if isinstance(found, CallerError) and found.id is not None:
        assert json.loads(found.id) == value["id"]


@given(OBJECTS, WRITERS)
def test_what_has_no_duplicates_is_accepted_and_written_again_with_equal_value(
    params: dict[str, Any], writer: dict[str, Any]
):
    message = read(request_with(params, **writer))

    assert isinstance(message, Request)
    assert message.params == params
    assert json.loads(message.payload) == params


@st.composite
def duplicated(draw: st.DrawFn) -> str:
    """The text of an object in which one key stands twice, at some level."""
    members = draw(st.lists(st.tuples(TEXT, VALUES), min_size=1, max_size=4))
    key = draw(st.sampled_from(members))[0]
    members.insert(draw(st.integers(0, len(members))), (key, draw(VALUES)))
    ascii_only, pad = draw(st.booleans()), draw(st.sampled_from(["", " ", "\n", "\t\r"]))
    text = ",".join(
        f"{pad}{json.dumps(name, ensure_ascii=ascii_only)}{pad}:{pad}{json.dumps(value)}"
        for name, value in members
    )
    text = "{" + text + "}"
    for wrap in draw(
        st.lists(st.sampled_from(['{"x":%s}', '[0,%s,"\\":"]', '[{"y":1},%s]']), max_size=3)
    ):
        text = wrap.replace("%s", text)
    return text


@given(duplicated())
def test_a_key_that_stands_twice_anywhere_is_refused(params: str):
    params = params if params.startswith("{") else f'{{"z":{params}}}'
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}'

    assert "twice" in str(refused(body.encode()))


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"\\u0061":2}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"":1,"":2}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":{"b":1,"c":2},"a":{}}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\\"a":1,"\\"a":1}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\\\\":1,"\\\\" :1}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\\/":1,"/":1}}',
    ],
)
def test_duplicates_are_found_in_any_spelling(body: bytes):
    assert "twice" in str(refused(body))


def test_a_string_that_looks_like_keys_is_no_duplicate():
    params = {"a": '"a":1,"a":2', "b": ['":', '\\":']}

    assert read(request_with(params)).params == params  # type: ignore[union-attr]


# -- numbers and text -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [b"1e400", b"-1e400", b"NaN", b"Infinity", b"-Infinity", b"1" + b"0" * 5000, b"01", b"+1"],
)
def test_a_number_that_cannot_travel_is_refused(value: bytes):
    body = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"n":%b}}' % value

    assert refused(body).code == PARSE_ERROR


@pytest.mark.parametrize(
    "value", [b'"\\ud800"', b'"\\udc00x"', b'"\xed\xa0\x80"', b'"\xff"', b'"a\nb"']
)
def test_text_that_is_not_unicode_is_refused(value: bytes):
    for body in (b'{"jsonrpc":"2.0","method":"x","params":{"t":%b}}', b'{"jsonrpc":"2.0",%b:1}'):
        assert refused(body % value).code == PARSE_ERROR


@pytest.mark.parametrize("digits", [19, 20, 40, 300, 4200])
def test_large_integers_keep_every_digit(digits: int):
    number = 10**digits - 3

    message = read(
        b'{"jsonrpc":"2.0","id":%d,"method":"x","params":{"n":%d}}' % (number % 10**40, number)
    )

    assert isinstance(message, Request)
    assert message.payload == b'{"n":%d}' % number
    assert message.id == b"%d" % (number % 10**40)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_their_value(number: float):
    message = read(request_with({"n": number}))

    assert isinstance(message, Request)
    again = json.loads(message.payload)["n"]
    assert math.copysign(1, again) == math.copysign(1, number)
    assert again == number


# -- depth ------------------------------------------------------------------------------------


def nested(levels: int, left: bytes = b"[", right: bytes = b"]") -> bytes:
    inner = left * levels + right * levels
    return b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"v":%b}}' % inner


def test_the_deepest_allowed_body_is_read():
    assert isinstance(read(nested(MAX_DEPTH - 2)), Request)


@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, 900, 100_000])
def test_a_deeper_one_is_refused(levels: int):
    error = refused(nested(levels))

    assert error.code == PARSE_ERROR
    assert "deeper" in str(error)


def test_an_unclosed_pit_is_refused():
    assert refused(b"[" * 1_000_000).code == PARSE_ERROR
    assert refused(b'{"a":' * 300_000).code == PARSE_ERROR


def test_brackets_in_strings_and_side_by_side_are_no_depth():
    params = {"s": "[{" * 500, "escaped": '\\"[[' * 200, "wide": [[]] * 500}

    assert read(request_with(params)).params == params  # type: ignore[union-attr]


# -- the envelope -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", PARSE_ERROR),
        (b"hello", PARSE_ERROR),
        (b"\xef\xbb\xbf{}", PARSE_ERROR),
        (b'{"jsonrpc":"2.0","id":1,"method":"x"} {}', PARSE_ERROR),
        (b"[]", INVALID_REQUEST),
        (b'[{"jsonrpc":"2.0","id":1,"method":"x"}]', INVALID_REQUEST),
        (b'"x"', INVALID_REQUEST),
        (b"null", INVALID_REQUEST),
        (b"{}", INVALID_REQUEST),
        (b'{"id":1,"method":"x"}', INVALID_REQUEST),
        (b'{"jsonrpc":"1.0","id":1,"method":"x"}', INVALID_REQUEST),
        (b'{"jsonrpc":2.0,"id":1,"method":"x"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":null,"method":"x"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":true,"method":"x"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"x"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":{},"method":"x"}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":""}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"%b"}' % (b"m" * 257), INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":"%b","method":"x"}' % (b"i" * 1023), INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":[]}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","params":null}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"x","result":{}}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","result":{}}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"result":[]}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"error":"no"}', INVALID_REQUEST),
    ],
)
def test_what_is_no_message_is_refused(body: bytes, code: int):
    assert refused(body).code == code


def test_a_refusal_names_the_request_where_its_id_could_be_read():
    assert refused(b'{"jsonrpc":"2.0","id":"a7","method":"x","params":3}').id == b'"a7"'


@pytest.mark.parametrize("id_text", [b"0", b"-7", b'"7"', b"7", b'""', '"grüße"'.encode()])
def test_an_id_keeps_its_type(id_text: bytes):
    message = read(b'{"jsonrpc":"2.0","id":%b,"method":"x"}' % id_text)

    assert isinstance(message, Request)
    assert message.id == id_text


def test_absent_params_stay_absent():
    message = read(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')

    assert message == Request(b"1", "ping", {}, b"")


def test_a_message_without_an_id_is_a_notification():
    message = read(b'{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1}}')

    assert message == Notification("notifications/x", {"a": 1}, b'{"a":1}')


@pytest.mark.parametrize("member", ["result", "error"])
def test_an_answer_of_a_client_is_a_response(member: str):
    body = b'{"jsonrpc":"2.0","id":"th.x","%b":{"a":1}}' % member.encode()

    assert read(body) == Response("th.x", member, b'{"a":1}')


# -- keys that differ only in case ------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "twin"),
    [
        ({"repo": 1, "Repo": 2}, "Repo"),
        ({"a": [{"x": {"key": 1, "KEY": 2}}]}, "KEY"),
        ({"k": 1, "\u212a": 2}, "\u212a"),
        ({"s": 1, "\u017f": 2}, "\u017f"),
        ({"repo": 1, "repos": 2, "nested": {"repo": 1}}, None),
        ([1, "a", None], None),
        ({}, None),
    ],
)
def test_twins_are_found_at_every_level(value: object, twin: str | None):
    assert twins(value) == twin


def test_a_deep_value_does_not_exhaust_the_stack():
    value: Any = {"a": 1, "A": 2}
    for _ in range(50_000):
        value = [value]

    assert twins(value) == "A"


# -- what travels on --------------------------------------------------------------------------


@given(TEXT.filter(bool), OBJECTS, st.integers() | TEXT)
def test_what_is_written_can_be_read(method: str, params: dict[str, Any], id: int | str):
    request = read(request_text(encode(id), method, encode(params)))

    assert request == Request(encode(id), method, params, encode(params))


def test_texts_without_params_have_none():
    assert request_text(b"1", "ping", b"") == b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    assert notification_text("n", b"") == b'{"jsonrpc":"2.0","method":"n"}'


def test_results_and_errors_carry_their_ids():
    assert json.loads(result_text(b'"a"', b"{}")) == {"jsonrpc": "2.0", "id": "a", "result": {}}
    error = error_text(None, error_object(-1, 'say "no"', b"[1]"))
    assert json.loads(error)["error"] == {"code": -1, "message": 'say "no"', "data": [1]}
    assert json.loads(error)["id"] is None
    assert "data" not in json.loads(error_object(-1, "no"))


@pytest.mark.parametrize("key", ["Name", "ARGUMENTS", "Uri", "taskid", "request\u017ftate"])
def test_a_decisive_key_in_another_spelling_is_found_even_alone(key: str):
    assert misspelt({"_meta": {}, key: 1}) == key


def test_right_and_foreign_spellings_are_none():
    assert misspelt({"name": 1, "arguments": {"Name": 2}, "requestState": 3, "names": 4}) is None
