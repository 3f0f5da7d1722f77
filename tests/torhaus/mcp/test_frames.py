import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.mcp.frames import LONGEST, LOOSE, cut, proved
from torhaus.mcp.message import CallerError, Request, encode, read

CALL = {"name": "echo", "arguments": {"text": "hello"}}
ORDERS = (
    ("jsonrpc", "id", "method", "params"),
    ("method", "params", "jsonrpc", "id"),
    ("jsonrpc", "method", "id", "params"),
    ("method", "params", "id", "jsonrpc"),
    ("id", "jsonrpc", "method", "params"),
)
COMPACT, SPACED = (",", ":"), (", ", ": ")


def body(
    id: object = 7,
    params: object = CALL,
    order: tuple[str, ...] = ORDERS[0],
    separators: tuple[str, str] = COMPACT,
    **more: object,
) -> bytes:
    whole = {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}
    written = {name: whole[name] for name in order} | more
    return json.dumps(written, separators=separators).encode()


def request(text: bytes) -> Request:
    found = read(text)
    assert isinstance(found, Request)
    return found


def frame(text: bytes) -> bytes:
    """The frame of a body that may be recognised."""
    parts = cut(text)
    assert parts is not None
    assert proved(parts[0], request(text))
    return parts[0]


def recognised(text: bytes, known: bytes) -> bool:
    """Whether `text` is taken for the request `known`, but for its id."""
    parts, first = cut(text), cut(known)
    if parts is None or first is None or not proved(first[0], request(known)):
        return False
    return parts[0] == first[0]


# -- what is recognised ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("separators", [COMPACT, SPACED])
@pytest.mark.parametrize("ids", [(1, 2), (7, 123456789), ("a-1", "a-2"), (0, 10), (5, "five")])
def test_the_same_with_another_id_is_recognised(
    order: tuple[str, ...], separators: tuple[str, str], ids: tuple[object, object]
):
    one, two = (body(each, order=order, separators=separators) for each in ids)

    assert frame(one) == frame(two)
    assert (cut(two) or ())[1] == encode(ids[1])


@pytest.mark.parametrize("name", LOOSE)
@pytest.mark.parametrize("order", ORDERS)
def test_what_clients_make_anew_for_each_call_makes_no_other_call(
    name: str, order: tuple[str, ...]
):
    bodies = [
        body(3, {**CALL, "_meta": {"other": 1, name: each}}, order) for each in (1, 2, "toolu_01X")
    ]

    assert len({frame(each) for each in bodies}) == 1


def test_a_notification_is_never_recognised():
    told = body(params={"name": "echo", "arguments": {"id": 7}}, order=ORDERS[0])
    told = told.replace(b'"id":7,"method"', b'"method"')
    parts = cut(told)

    assert not isinstance(read(told), Request)
    assert parts is not None
    assert not proved(parts[0], request(body()))


def test_both_of_them_together_too():
    meta = [{name: f"{name[:5]}-{n}" for name in LOOSE} for n in (1, 2)]

    one, two = (body(n, {**CALL, "_meta": each}) for n, each in enumerate(meta, 5))

    assert frame(one) == frame(two)


# -- what is not ----------------------------------------------------------------------------------

NEAR = [
    body(params={**CALL, "arguments": {"text": "hellO"}}),
    body(params={**CALL, "arguments": {"text": "hello "}}),
    body(params={**CALL, "arguments": {"text": "hello", "more": 1}}),
    body(params={**CALL, "name": "echo2"}),
    body(params={"arguments": CALL["arguments"], "name": "echo"}),
    body(params={**CALL, "_meta": {}}),
    body(separators=SPACED),
    body(order=ORDERS[1]),
    body(extra=1),
    body() + b" ",
    b" " + body(),
    body() + body(),
    body() + b"\0",
    body()[:-1],
    body()[:-1] + b',"id":8}',
    body()[:-1] + b',"method":"tools/list"}',
    body().replace(b'"name"', b'"name":"other","name"'),
    body().replace(b"hello", b"hell\\u006f"),
    body().replace(b"hello", b"\xff"),
    body().replace(b'"id":7', b'"id":7,"id":8'),
    body().replace(b'"id":7', b'"id":07'),
    body().replace(b'"id":7', b'"id":7.0'),
    body().replace(b'"id":7', b'"id":7e1'),
    body().replace(b'"id":7', b'"id":-7'),
    body().replace(b'"id":7', b'"id":null'),
    body().replace(b'"id":7', b'"id":[7]'),
    body().replace(b'"id":7', b'"id":true'),
    body().replace(b'"id":7', b'"id":{"a":7}'),
    body().replace(b'"id":7', b'"id":"a\\"b"'),
    body().replace(b'"id":7', b'"id":"a\\u0062"'),
    body().replace(b'"id":7', b'"id":\xd9\xa7'),
    body().replace(b'"id":7', b'"id":' + b"7" * 16),
    body().replace(b'"id":7', b'"Id":7'),
    body().replace(b'"id":7', b'"id":\0'),
    body().replace(b"tools/call", b"tools/list"),
    body().replace(b"2.0", b"2.1"),
]


@pytest.mark.parametrize("text", NEAR)
@pytest.mark.parametrize("order", ORDERS)
def test_whatever_is_near_is_not_recognised(text: bytes, order: tuple[str, ...]):
    if order != ORDERS[0] and text in (body(order=order), body(separators=SPACED)):
        pytest.skip("it is the same there")

    assert not recognised(text, body(8, order=order))


@pytest.mark.parametrize(
    "arguments",
    [
        {"id": 7},
        {"a": {"id": 7}},
        {"text": '","id":7}'},
        {"text": '"id":7}'},
        {"text": '{"jsonrpc":"2.0","id":7,'},
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_an_id_among_the_arguments_is_an_argument(arguments: object, order: tuple[str, ...]):
    def asked(value: object) -> bytes:
        return body(3, {"name": "echo", "arguments": value}, order)

    other = json.loads(json.dumps(arguments).replace("7", "8"))

    assert not recognised(asked(other), asked(arguments))


@pytest.mark.parametrize("name", LOOSE)
@pytest.mark.parametrize("value", [5, 314159265358979, "314159265358979"])
@pytest.mark.parametrize(
    "around",
    [
        lambda loose: {"name": "echo", "arguments": loose},
        lambda loose: {"name": "echo", "arguments": {"deep": [loose]}},
        lambda loose: {"name": "echo", "arguments": {}, **loose},
        lambda loose: {"name": "echo", "arguments": loose, "_meta": {}},
        lambda loose: {"name": "echo", "_meta": {}, "arguments": loose},
        lambda loose: {"name": "echo", "_meta": {"deep": loose}, "arguments": loose},
        lambda loose: {"name": "echo", "arguments": {"_meta": loose}},
        lambda loose: {"name": "echo", "_meta": {"inner": loose}},
        lambda loose: {"name": "echo", "arguments": json.dumps(loose)},
    ],
)
def test_members_of_that_name_elsewhere_tell_calls_apart(name: str, value: object, around: Any):
    one, two = body(3, around({name: value})), body(3, around({name: 6}))

    assert not recognised(two, one)


def test_a_written_out_name_hides_no_argument_behind_it():
    hidden = name = LOOSE[0]
    spelt = body(3, {"name": "echo", "_meta": {"x": 1}, "arguments": {hidden: 5}}).replace(
        b'"x"', b'"\\u0070' + name[1:].encode() + b'"'
    )

    assert "progressToken" in request(spelt).params["_meta"]
    assert not recognised(spelt.replace(b":5}", b":6}"), spelt)


@pytest.mark.parametrize("value", [5.5, -1, True, None, [1], {"a": 1}, "ä", "x" * 65, 'a"b', ""])
def test_loose_members_of_other_kinds_tell_calls_apart(value: object):
    one = body(3, {**CALL, "_meta": {"progressToken": value}})

    assert not recognised(one, body(3, {**CALL, "_meta": {"progressToken": 1}}))


def test_long_bodies_are_read_each_time():
    long = body(params={**CALL, "arguments": {"text": "x" * LONGEST}})

    assert cut(long) is None


def test_the_number_that_fills_holes_proves_nothing_where_it_stands_already():
    filling = 314159265358979
    for text in (body(filling), body(params={**CALL, "arguments": {"n": filling}})):
        parts = cut(text)

        assert parts is not None
        assert not proved(parts[0], request(text))


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"id":1}', b'"id":1}', b'{"jsonrpc":"2.0","id":', b"\xff" * 9]
)
def test_what_is_no_request_has_no_frame_that_could_be_proved(text: bytes):
    parts = cut(text)

    assert parts is None or not proved(parts[0], request(body()))


# -- whatever comes -------------------------------------------------------------------------------

WORDS = st.sampled_from(["id", "name", "_meta", "progressToken", "x", "arguments", "ä", '"', "\\"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | WORDS | st.sampled_from([1.0, "7", "1,"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
PARAMS = st.fixed_dictionaries(
    {"name": WORDS},
    optional={"arguments": VALUES, "_meta": VALUES, "id": VALUES, "progressToken": VALUES},
)
BODIES = st.builds(
    body,
    st.integers(0, 12) | WORDS,
    PARAMS,
    st.sampled_from(ORDERS),
    st.sampled_from([COMPACT, SPACED]),
)


def loosened(found: Request) -> tuple[str, bytes]:
    params = dict(found.params)
    if isinstance(params.get("_meta"), dict):
        params["_meta"] = {k: v for k, v in params["_meta"].items() if k not in LOOSE}
    return found.method, encode(params)


@given(BODIES, BODIES, st.integers(0, 400), st.sampled_from(list(b'0123456789",:{}[]\\ aid\0')))
def test_two_bodies_of_one_frame_are_one_request(
    known: bytes, other: bytes, at: int, byte: int
) -> None:
    changed = bytearray(known)
    changed[at % len(changed)] = byte
    first = cut(known)
    if first is None or not proved(first[0], request(known)):
        return

    for text in (other, bytes(changed)):
        parts = cut(text)
        if parts is not None and parts[0] == first[0]:
            same = request(text)
            assert same.id == parts[1]
            assert loosened(same) == loosened(request(known))


@given(st.binary(max_size=80))
def test_any_bytes_can_be_cut(text: bytes) -> None:
    parts = cut(text)

    if parts is not None:
        try:
            found = read(text)
        except CallerError:
            found = None
        assert not isinstance(found, Request) or proved(parts[0], found) in (True, False)
