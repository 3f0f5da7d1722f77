"""Each session has ids of its own at its server, and gets its callers' own ones back."""

import json

import msgspec
import pytest

from tests.torhaus.upstream.pipes import Memo, session
from torhaus.mcp.message import MAX_ID, Incoming, encode, notification_text, read_incoming
from torhaus.model.ports import Notice
from torhaus.model.session import Session
from torhaus.upstream.whose import AtCaller, anothers, at_caller, at_server, calling_off, is_answer

ALICE, CAROL = session("one", "alice"), session("two", "carol")
NUMBERS = [0, 1, 2, 1000, 2**31 - 1, 2**31, 2**32, 2**53 - 1, -1, -(2**31), -(2**53)]
HUGE = [2**53, 2**63, 2**64 - 1, -(2**53) - 1, 10**400]
TEXTS = [
    "",
    "1",
    "-1",
    "a",
    "é\n\u2028",
    "torhaus-",
    "#1",
    ".",
    "null",
    "\ud7ff\U0001f600",
    "x" * 900,
]
IDS = [encode(each) for each in (*NUMBERS, *HUGE, *TEXTS)]


def there(id_text: bytes, session: Session = ALICE) -> object:
    return json.loads(at_server(id_text, session))


@pytest.mark.parametrize("id_text", IDS, ids=range(len(IDS)))
def test_the_caller_sees_his_own_id_again(id_text: bytes) -> None:
    assert at_caller(at_server(id_text, ALICE), ALICE) == id_text


def test_no_two_ids_of_a_session_are_the_same_at_the_server() -> None:
    own = {at_server(each, ALICE) for each in IDS}

    assert len({json.dumps(json.loads(each)) for each in own}) == len(IDS)
    assert len({str(json.loads(each)) for each in own}) == len(IDS)  # some servers write 1 as "1"


@pytest.mark.parametrize("id_text", IDS, ids=range(len(IDS)))
def test_another_session_has_another_one_for_the_same(id_text: bytes) -> None:
    assert there(id_text, ALICE) != there(id_text, CAROL)


@pytest.mark.parametrize("id_text", IDS, ids=range(len(IDS)))
def test_it_is_the_same_after_a_restart_and_at_another_gateway(id_text: bytes) -> None:
    assert there(id_text, session("one", "alice")) == there(id_text, ALICE)


def test_what_they_are_stays_so_in_the_next_version() -> None:
    """A stream that began before an update is resumed after it."""
    assert at_server(b"1", ALICE) == b"116802628"
    assert at_server(b'"1"', ALICE) == b'"torhaus-2995e1efbe36104c.1"'


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_stays_one_that_is_no_longer(number: int) -> None:
    sent = there(encode(number))

    assert isinstance(sent, int)
    assert (sent < 0) == (number < 0)
    for most in (2**31, 2**32, 2**53):
        if -most <= number < most:
            assert -most <= sent < most


@pytest.mark.parametrize("number", HUGE, ids=range(len(HUGE)))
def test_a_number_that_few_read_exactly_becomes_a_text(number: int) -> None:
    assert str(there(encode(number))).endswith(f"#{number}")


def test_the_longest_id_has_room_for_what_is_added() -> None:
    assert len(at_server(b'"%b"' % (b"x" * (MAX_ID - 2)), ALICE)) < 2 * MAX_ID


@pytest.mark.parametrize(
    "spell",
    [
        lambda id: id,
        lambda id: b"%b.0" % id,
        lambda id: b'"%b"' % id,
        lambda id: b"%b.0e0" % id,
    ],
    ids=["as it was", "a float", "a text", "an exponent"],
)
@pytest.mark.parametrize("number", [0, 7, -7])
def test_numbers_are_known_however_the_server_spells_them(spell, number: int) -> None:
    assert at_caller(spell(at_server(b"%d" % number, ALICE)), ALICE) == b"%d" % number


def test_letters_are_known_when_the_server_escapes_them() -> None:
    assert at_caller(at_server(b'"a"', ALICE).replace(b"t", b"\\u0074"), ALICE) == b'"a"'


@pytest.mark.parametrize("id_text", [b'"1"', b'"a"', encode(2**53)])
def test_a_text_of_another_session_is_nobodys_here(id_text: bytes) -> None:
    assert at_caller(at_server(id_text, CAROL), ALICE) is None


@pytest.mark.parametrize(
    "odd",
    [b"null", b"true", b"[1]", b"{}", b"1.5", b"1e999", b'"server-error"', b'""', b"[" * 9000],
)
def test_what_was_no_id_of_ours_stays_as_it_is(odd: bytes) -> None:
    assert at_caller(odd, ALICE) == odd


def test_a_text_that_only_looks_like_ours_is_nobodys() -> None:
    own = at_server(b'"a"', ALICE)

    assert at_caller(own.replace(b".a", b"?a"), ALICE) is None
    assert at_caller(b'"torhaus-probe-1"', ALICE) is None


# -- notifications --------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [b"1", b'"1"', b"-4", encode(2**60)])
def test_a_cancellation_names_the_request_as_the_server_knows_it(asked: bytes) -> None:
    params = encode({"requestId": msgspec.Raw(asked), "reason": "é", "_meta": {"a": [1]}})

    told = json.loads(calling_off(notification_text("notifications/cancelled", params), ALICE))

    assert told == {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": there(asked), "reason": "é", "_meta": {"a": [1]}},
    }


@pytest.mark.parametrize("asked", [b"null", b"true", b"1.5", b"[1]", b"{}"])
def test_a_cancellation_of_what_is_no_request_goes_as_it_is(asked: bytes) -> None:
    body = notification_text("notifications/cancelled", b'{"requestId":%b}' % asked)

    assert calling_off(body, ALICE) == body


@pytest.mark.parametrize(
    "body",
    [
        notification_text("notifications/cancelled", b""),
        notification_text("notifications/cancelled", b"{}"),
        notification_text("notifications/progress", b'{"progressToken":1,"requestId":1}'),
        b'{"jsonrpc":"2.0","id":1,"result":{"requestId":1}}',
    ],
    ids=["no params", "no id", "another", "an answer"],
)
def test_nothing_else_is_changed(body: bytes) -> None:
    assert calling_off(body, ALICE) == body


# -- streams that are resumed ---------------------------------------------------------------------


def shown(body: bytes, method: str | None = None, **more: object) -> Notice | None:
    memo = Memo()
    found = read_incoming(body).id
    id = None if found is None else bytes(found)
    AtCaller(memo, ALICE).notice(Notice(body=body, method=method, id=id, **more))  # type: ignore[arg-type]
    return memo.notices[0] if memo.notices else None


@pytest.mark.parametrize("member", [b'"result":{"a":1}', b'"error":{"code":-1,"message":"no"}'])
@pytest.mark.parametrize("id_text", [b"1", b'"1"', encode(2**60)])
def test_an_answer_on_a_stream_has_its_callers_id(id_text: bytes, member: bytes) -> None:
    body = b'{"jsonrpc":"2.0","id":%b,%b}'

    notice = shown(body % (at_server(id_text, ALICE), member), event_id="e7", retry=5)

    assert notice == Notice(body=body % (id_text, member), id=id_text, event_id="e7", retry=5)


def test_an_answer_of_another_session_goes_to_nobody() -> None:
    assert shown(b'{"jsonrpc":"2.0","id":%b,"result":{}}' % at_server(b'"1"', CAROL)) is None


def test_an_error_without_an_id_stays_without() -> None:
    body = b'{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"no"}}'

    assert shown(body) == Notice(body=body, id=b"null")


@pytest.mark.parametrize(
    ("body", "method"),
    [
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}', "ping"),
        (
            b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
            "notifications/cancelled",
        ),
        (
            b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}',
            "notifications/progress",
        ),
    ],
)
def test_what_the_server_says_by_itself_has_its_own_ids(body: bytes, method: str) -> None:
    notice = shown(body, method)

    assert notice is not None
    assert (notice.body, notice.method) == (body, method)


# -- whose answer it is ---------------------------------------------------------------------------


def failed(id: bytes) -> Incoming:
    return read_incoming(b'{"jsonrpc":"2.0","id":%b,"error":{"code":1,"message":"x"}}' % id)


def gone_well(id: bytes) -> Incoming:
    return read_incoming(b'{"jsonrpc":"2.0","id":%b,"result":{}}' % id)


@pytest.mark.parametrize(
    ("id", "is_anothers"),
    [
        (b"7", False),
        (b"7.0", False),
        (b'"7"', False),
        (b"8", True),
        (b"-8", True),
        (b"8.5", True),
        (b'"8"', True),
        (b'"-8"', True),
        (at_server(b'"7"', ALICE), True),
        (b'"torhaus-probe-1"', True),
        (b'"server-error"', False),
        (b'""', False),
        (b"null", False),
        (b"0", False),
        (b"-1", False),
    ],
)
def test_an_error_is_anothers_where_its_id_is_a_requests(id: bytes, is_anothers: bool) -> None:
    assert anothers(failed(id), b"7") is is_anothers


@pytest.mark.parametrize("id", [b"8", b"0", b"null", b'"server-error"', b"true"])
def test_a_result_is_anothers_whatever_else_it_is_called(id: bytes) -> None:
    assert anothers(gone_well(id), b"7")


def test_a_result_without_an_id_is_nobodys() -> None:
    assert anothers(read_incoming(b'{"jsonrpc":"2.0","result":{}}'), b"7")
    assert not anothers(read_incoming(b'{"jsonrpc":"2.0","error":{}}'), b"7")


@pytest.mark.parametrize("id_text", IDS, ids=range(len(IDS)))
def test_an_answer_of_another_session_is_none_and_says_so(id_text: bytes) -> None:
    wanted = at_server(id_text, ALICE)

    for other in (failed(at_server(id_text, CAROL)), gone_well(at_server(id_text, CAROL))):
        assert not is_answer(other, wanted)
        assert anothers(other, wanted)
