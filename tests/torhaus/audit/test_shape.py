import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.torhaus.audit.scene import ALICE, ALLOWED, AT, answered, call
from torhaus.audit.shape import (
    intent,
    interrupted,
    milliseconds,
    record,
    rejected,
    timestamp,
    verdict_fields,
)
from torhaus.model.outcome import (
    Abandoned,
    Answer,
    Answered,
    Failed,
    Held,
    Limited,
    Outcome,
    Refused,
)
from torhaus.model.people import Phase, Principal
from torhaus.model.record import NO_CALL, Record
from torhaus.model.verdict import Deny, Hold

DENIED = Deny("no_delete", "restricted", "developers may not delete")
HOLD = Hold("four eyes", "somebody must agree", ALLOWED)
HELD = Held(HOLD, "apr_1", Answer(result=b"{}"))
APPROVED = msgspec.structs.replace(ALLOWED, approved="apr_1")
TWELVE = b'{"structuredContent":{"issues":[%s]},"content":[]}' % b",".join([b"{}"] * 12)


def test_a_record_has_exactly_the_shape_the_product_text_prints():
    made = msgspec.structs.replace(record(call(), answered(TWELVE), AT, 0.234), call=NO_CALL)

    assert msgspec.json.encode(made) == (
        b'{"timestamp":"2025-10-20T14:23:11.234Z","request_id":"req_abc123xyz",'
        b'"user":{"email":"alice@example.org","role":"developer","ip":"192.168.1.100"},'
        b'"mcp_server":"github","operation":"list_issues",'
        b'"parameters":{"repo":"myorg/myrepo","state":"open","labels":["bug"]},'
        b'"result":{"status":"success","items":12,"cached":false,"duration_ms":234},'
        b'"access_control":{"policy_applied":"developer_read_only","allowed":true,'
        b'"reason":"developer may read"}}'
    )


def test_what_is_known_besides_stands_at_the_end():
    known = call(client="claude-code", protocol="2025-11-25", sent=55, trace="4bf9" * 8)

    text = msgspec.json.encode(record(known, answered(TWELVE), AT, 0.234, cost=0.001))

    assert text.endswith(
        b'"reason":"developer may read"},"call":{"client":"claude-code","protocol":"2025-11-25",'
        b'"sent":55,"received":83,"cost":0.001,"trace":"%b"}}' % (b"4bf9" * 8)
    )


def test_what_is_unknown_or_zero_is_left_out():
    assert msgspec.json.encode(record(call(), answered(), AT, 0.1).call) == b"{}"
    assert b'"call"' not in msgspec.json.encode(rejected(AT, "r", ALICE, "", "s", "no", 0.0))


def test_errors_have_a_size_and_refusals_none():
    assert record(call(), answered(error=b'{"code":1}'), AT, 0.1).call.received == 10
    assert record(call(), Refused(DENIED), AT, 0.1).call.received == 0
    assert record(call(), HELD, AT, 0.1).call.received == 0


def test_the_name_of_a_client_cannot_spoil_the_record():
    assert record(call(client="\ud800"), answered(), AT, 0.1).call.client == "?"


def test_an_intent_says_what_is_about_to_go_and_how_it_was_allowed():
    allowed = msgspec.structs.replace(APPROVED, rule="tech_lead", reason="tech leads may write")
    made = intent(call(client="x", protocol="p", sent=55), allowed, AT)

    assert made.phase == "intent"
    assert (made.result.status, made.result.duration_ms) == ("started", 0)
    assert made.access_control.approval == "apr_1"
    assert (made.access_control.policy_applied, made.access_control.allowed) == ("tech_lead", True)
    assert (made.call.client, made.call.protocol, made.call.sent) == ("x", "p", 55)
    assert made.timestamp == "2025-10-20T14:23:11.234Z"


def test_what_interrupted_a_call_changes_nothing_else_of_its_intent():
    made = intent(call(), ALLOWED, AT)

    end = interrupted(made)

    assert (end.phase, end.result.status) == ("outcome", "interrupted")
    assert msgspec.structs.replace(end, phase=made.phase, result=made.result) == made


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (answered(b'{"content":[]}'), "success"),
        (answered(b'{"content":[],"isError":false}'), "success"),
        (answered(b'{"content":[],"isError":true}'), "error"),
        (answered(error=b'{"code":-32602,"message":"no"}'), "error"),
        (answered(b"[]"), "error"),
        (answered(b"{"), "error"),
        (answered(), "error"),
        (Failed(ALLOWED, "the server is down"), "error"),
        (Refused(DENIED), "denied"),
        (Limited(ALLOWED, "100 per hour", 12.5), "limited"),
        (Abandoned(ALLOWED), "cancelled"),
        (HELD, "pending"),
    ],
)
def test_every_end_has_its_status(outcome: Outcome, status: str):
    assert record(call(), outcome, AT, 0.1).result.status == status


@pytest.mark.parametrize(
    "outcome",
    [
        HELD,
        Answered(APPROVED, Answer(result=b"{}")),
        Limited(APPROVED, "100 per hour", 12.5),
        Failed(APPROVED, "the server is down"),
        Refused(DENIED, "apr_1"),
        Abandoned(HOLD, "apr_1"),
        Abandoned(APPROVED, "apr_1"),
    ],
)
def test_every_end_names_the_approval_it_is_about(outcome: Outcome):
    assert b'"approval":"apr_1"' in msgspec.json.encode(record(call(), outcome, AT, 0.1))


def test_a_held_call_was_not_allowed_by_its_policy():
    fields = verdict_fields(HELD)

    assert (fields.policy_applied, fields.allowed) == ("four eyes", False)
    assert fields.reason == "somebody must agree"


def test_a_refusal_names_its_rule_and_reason():
    fields = verdict_fields(Refused(DENIED))

    assert (fields.policy_applied, fields.allowed) == ("no_delete", False)
    assert fields.reason == "developers may not delete"


def test_a_limited_call_says_which_limit():
    fields = verdict_fields(Limited(ALLOWED, "100 per hour", 12.5))

    assert fields.allowed
    assert fields.reason == "limit 100 per hour is used up, next call in 12 s"


def test_a_call_abandoned_after_a_refusal_was_not_allowed():
    assert not verdict_fields(Abandoned(DENIED)).allowed


def test_an_answer_from_the_cache_says_so():
    made = record(call(), Answered(ALLOWED, Answer(result=b"{}"), cached=True), AT, 0.1)

    assert made.result.cached


def test_several_roles_stand_side_by_side():
    roles = (Phase(roles=("developer", "tech-lead")),)
    carol = Principal(id="u2", email="carol@example.org", phases=roles)

    assert record(call(caller=carol), answered(b"{}"), AT, 0.1).user.role == "developer,tech-lead"


def test_a_huge_tool_name_is_cut():
    made = record(call(operation="x" * 1_000_000), answered(b"{}"), AT, 0.1)

    assert len(made.operation) == 256


def test_a_request_that_never_became_a_call_is_recorded():
    made = rejected(AT, "r1", ALICE, "10.0.0.1", "nowhere\n", "batches are not supported", 0.0015)

    assert made.operation == "invalid"
    assert made.result.status == "error"
    assert made.result.duration_ms == 1.5
    assert made.access_control.policy_applied == "invalid_request"
    assert not made.access_control.allowed
    assert made.access_control.reason == "batches are not supported"
    assert b"\n" not in msgspec.json.encode(made)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (AT, "2025-10-20T14:23:11.234Z"),
        (1760970191.9999, "2025-10-20T14:23:12.000Z"),
        (1760970192.0, "2025-10-20T14:23:12.000Z"),
    ],
)
def test_time_is_utc_with_milliseconds(at: float, text: str):
    assert timestamp(at) == text


@given(st.integers(0, 4_000_000_000), st.integers(0, 999))
def test_every_millisecond_survives_the_way_to_text(second: int, millis: int):
    assert timestamp(second + (millis + 0.2) / 1000).endswith(f".{millis:03d}Z")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.234, b"234"), (0.0012345678, b"1.235"), (0.0, b"0"), (float("nan"), b"null")],
)
def test_durations_are_short_numbers(seconds: float, text: bytes):
    assert msgspec.json.encode(milliseconds(seconds)) == text


_any_text = st.text(st.characters(codec=None), max_size=400)
_jsonish = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("token"), inner),
    max_leaves=20,
).map(msgspec.json.encode)
_any_bytes = st.binary() | _jsonish | _jsonish.map(lambda b: b.replace(b",", b",\r\n"))


@given(payload=_any_bytes, result=_any_bytes, text=_any_text, seconds=st.floats(0, 1e9))
@example(payload=b"[" * 100_000, result=b"[" * 100_000, text="\ud800", seconds=0.0)
@example(payload=b'{"a":\n1}', result=b'{"content":[{}]}', text="a\nb\x00", seconds=1.0)
@example(payload=b'{"a":1e400}', result=b'{"content":[1e400]}', text="\u2028", seconds=1.0)
def test_no_call_spoils_the_log(payload: bytes, result: bytes, text: str, seconds: float):
    made = record(
        call(payload=payload, operation=text, ip=text, id=text), answered(result), AT, seconds
    )

    line = msgspec.json.encode(made)

    assert line.splitlines() == [line]
    assert msgspec.json.decode(line) is not None
    again = msgspec.json.decode(line, type=Record)
    assert again == made
    assert msgspec.json.decode(msgspec.json.encode(again), type=Record) == made


def test_how_much_was_masked_is_recorded_where_anything_was():
    some = record(call(), answered(), AT, 0.1, 3)
    none = record(call(), answered(), AT, 0.1)

    assert msgspec.json.decode(msgspec.json.encode(some))["result"]["redacted"] == 3
    assert b"redacted" not in msgspec.json.encode(none)


@pytest.mark.parametrize("name", ["5f0c1d7b9a2e48069d1c77aa3b", "drop_everything"])
def test_an_invented_name_that_looks_like_a_secret_is_in_no_record(name: str):
    verdict = Deny("catalogue", "unknown_tool", f"Unknown tool: {name}")
    random = name[0] == "5"

    for made in (
        record(call(operation=name, invented=True), Refused(verdict), AT, 0.0),
        intent(call(operation=name, invented=True), ALLOWED, AT),
    ):
        assert (name in msgspec.json.encode(made).decode()) is not random
        assert made.operation == ("[redacted:unknown]" if random else name)
    listed = record(call(operation=name), Refused(verdict), AT, 0.0)
    assert listed.operation == name
