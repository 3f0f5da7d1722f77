"""What rules have masked is masked on every way out of the gate, and for nobody else."""

import json

import msgspec
import pytest

from tests.torhaus.cast import ALICE, Window, keeping, limited, run, settled
from tests.torhaus.gate.veiled import (
    BLIND,
    LEAKY,
    MASKED,
    RULE,
    all_of,
    everything,
    result,
    rules,
    said,
    world,
)
from tests.torhaus.redact.samples import CARD, GITHUB, JWT, MAIL
from tests.torhaus.scripted import dumps, note, text
from torhaus.gate.masking import VeiledSink
from torhaus.model.outcome import Answer, Answered, Failed, Refused
from torhaus.model.ports import UpstreamError
from torhaus.model.redaction import Pattern
from torhaus.policy.permission import parse

# -- results ---------------------------------------------------------------------------------------


def test_a_result_is_masked_for_whom_rules_say_so_and_for_nobody_else():
    async def story() -> None:
        there = world()
        there.upstream.answers(text(LEAKY, structuredContent={"a": [GITHUB], "card": int(CARD)}))

        masked = await there.admit(there.tool("list_issues", by=BLIND))
        whole = await there.admit(there.tool("list_issues", by=ALICE))

        assert said(masked) == MASKED
        assert result(masked)["structuredContent"] == {"a": ["[redacted:github-token]"], "card": 0}
        assert said(whole) == LEAKY
        assert [record.result.redacted for record in there.ledger.noted] == [4, 0]
        assert there.meter.masked == [("github", {"github-token": 2, "email": 1, "card": 1})]

    run(story())


def test_an_answer_without_secrets_is_passed_on_as_it_is():
    async def story() -> None:
        there = world()
        answer = text("12 issues")
        there.upstream.answers(answer)

        outcome = await there.admit(there.tool("list_issues", by=BLIND))

        assert isinstance(outcome, Answered)
        assert outcome.answer.result is answer.result
        assert there.meter.masked == []
        assert b"redacted" not in msgspec.json.encode(there.ledger.noted[0])

    run(story())


def test_the_cache_keeps_what_the_server_said_and_gives_each_what_he_may_see():
    async def story() -> None:
        there = world(caching=keeping(60.0))
        there.upstream.answers(text(LEAKY))
        for by in (BLIND, ALICE, BLIND, ALICE):
            outcome = await there.admit(there.tool("list_issues", by=by))

            assert said(outcome) == (MASKED if by is BLIND else LEAKY)

        assert [record.result.cached for record in there.ledger.noted][2:] == [True, True]

    run(story())


def test_an_answer_shared_with_others_is_masked_too():
    async def story() -> None:
        there = world(caching=keeping(60.0))
        held = there.upstream.waits()
        first = there.begin(there.tool("list_issues", by=BLIND, id=1))
        await held.came()
        second = there.begin(there.tool("list_issues", by=BLIND, id=2))
        await settled()
        held.answer(text(LEAKY))

        assert said(await first) == MASKED
        assert said(await second) == MASKED
        assert len(there.upstream.calls()) == 1

    run(story())


def test_errors_are_masked_and_keep_their_codes():
    async def story() -> None:
        there = world()
        error = dumps({"code": -32000, "message": LEAKY, "data": {"password": "x"}})
        there.upstream.answers(Answer(error=error))

        outcome = await there.admit(there.tool("list_issues", by=BLIND))

        assert isinstance(outcome, Answered)
        assert json.loads(outcome.answer.error or b"") == {
            "code": -32000,
            "message": MASKED,
            "data": {"password": "[redacted:password]"},
        }

    run(story())


def test_the_reason_of_a_failure_is_masked():
    async def story() -> None:
        there = world()
        there.upstream.fails(UpstreamError(f"it said: {LEAKY}"))

        outcome = await there.admit(there.tool("list_issues", by=BLIND))

        assert isinstance(outcome, Failed)
        assert outcome.reason == f"github cannot answer: it said: {MASKED}"
        assert GITHUB not in everything(there)

    run(story())


@pytest.mark.parametrize("method", ["resources/read", "prompts/get", "completion/complete"])
def test_results_of_other_methods_are_masked(method: str):
    async def story() -> None:
        there = world()
        sees = (*BLIND.phases[0].on("github").allows, parse("github:*", "all"))
        by = limited(BLIND, allows=sees)
        params = {"uri": "x://y", "name": "n", "ref": {"type": "ref/prompt", "name": "n"}}
        there.upstream.answers(Answer(result=dumps({"contents": [{"text": LEAKY}]})))

        outcome = await there.admit(there.asking(method, params, by=by))

        assert result(outcome) == {"contents": [{"text": MASKED}]}

    run(story())


def test_a_long_answer_is_masked_while_others_go_on():
    async def story() -> None:
        there = world()
        there.upstream.answers(text("x" * 300_000 + f" {LEAKY}"))
        masked = there.begin(there.tool("list_issues", by=BLIND))
        await settled()

        still_busy = not masked.done()
        outcome = await masked

        assert still_busy
        assert said(outcome).endswith(MASKED)
        assert there.ledger.noted[0].result.redacted == 2

    run(story())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"content":[],"password":"\xff"}', "withheld"),
        (b'{"a":"' + b"x" * (17 * 1024 * 1024) + b'"}', "longer than 16 MiB"),
    ],
)
def test_what_cannot_be_checked_is_withheld_and_says_so(answer: bytes, expected: str):
    async def story() -> None:
        there = world()
        there.upstream.answers(Answer(result=answer))

        outcome = await there.admit(there.tool("list_issues", by=BLIND))

        assert result(outcome)["isError"] is True
        assert expected in said(outcome)
        assert RULE in said(outcome)
        assert there.ledger.statuses() == ["error"]

    run(story())


def test_an_error_that_cannot_be_checked_is_withheld():
    async def story() -> None:
        there = world()
        there.upstream.answers(Answer(error=b'{"code":1,"message":"\xff"}'))

        outcome = await there.admit(there.asking("resources/read", {"uri": "x"}, by=all_of(BLIND)))

        assert isinstance(outcome, Answered)
        assert b"withheld" in (outcome.answer.error or b"")

    run(story())


def test_lists_are_the_servers_own_and_stay():
    async def story() -> None:
        there = world()

        outcome = await there.admit(there.asking("tools/list", by=BLIND))

        assert result(outcome)["tools"]
        assert there.meter.masked == []

    run(story())


def test_what_the_protocol_compares_stays():
    async def story() -> None:
        there = world()
        asked = {"resultType": "input_required", "requestState": JWT, "inputRequests": {"a": MAIL}}
        there.upstream.answers(Answer(result=dumps(asked)))

        first = result(await there.admit(there.tool("list_issues", by=BLIND)))
        again = {"requestState": first["requestState"], "inputResponses": {"a": {"b": GITHUB}}}
        await there.admit(there.tool("list_issues", by=BLIND, extra=again))

        sent = json.loads(there.upstream.calls()[-1].params)
        assert first["inputRequests"] == {"a": "[redacted:email]"}
        assert sent["requestState"] == JWT
        assert sent["inputResponses"] == {"a": {"b": "[redacted:github-token]"}}

    run(story())


# -- patterns, refusals ----------------------------------------------------------------------------


def test_configured_patterns_hold_from_the_moment_they_are_in_force():
    async def story() -> None:
        there = world()
        there.upstream.answers(text("CUST-123456"))

        before = await there.admit(there.tool("list_issues", by=BLIND))
        there.rules = rules(BLIND, patterns=(Pattern("customer", r"CUST-\d{6}"),))
        after = await there.admit(there.tool("list_issues", by=BLIND))

        assert (said(before), said(after)) == ("CUST-123456", "[redacted:customer]")

    run(story())


def test_a_refused_call_is_still_refused():
    async def story() -> None:
        there = world()

        outcome = await there.admit(there.tool("create_issue", {"title": "x"}, by=BLIND))

        assert isinstance(outcome, Refused)
        assert there.upstream.calls() == []

    run(story())


def test_a_veiled_sink_hands_on_everything_where_there_is_no_veil():
    there, front = world(), Window()
    relay = there.relay(there.tool("list_issues"), front)
    sink = VeiledSink(relay, lambda: None)
    sink.throttle = print

    sink.opened()
    sink.notice(note("notifications/message", {"data": GITHUB}))

    assert relay.throttle is sink.throttle is print
    assert front.open
    assert front.messages()[0]["params"]["data"] == GITHUB
