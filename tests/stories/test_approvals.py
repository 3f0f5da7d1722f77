"""Calls that somebody else must agree to, over HTTP: what is not agreed to reaches no server."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stories.caller import Answer, Caller, legacy, modern, routing
from tests.stories.consent import (
    NOTE,
    POLICY,
    CarefulTown,
    code,
    create,
    fetched,
    form_of,
    pending,
    posted,
    sent,
)
from tests.stories.town import KEYS
from tests.stories.upstream import Upstream, within


@pytest.fixture(autouse=True)
def nothing_sent(upstream: Upstream) -> None:
    upstream.seen.clear()


# -- the way it is meant -----------------------------------------------------------------------


def test_a_call_runs_once_somebody_has_agreed(careful: CarefulTown, upstream: Upstream) -> None:
    before = careful.count()

    held = pending(create(careful, title="first"))

    assert sent(upstream) == 0
    assert "lead" in held.text
    assert "Changes need a second pair of eyes" in held.text
    assert held.id in held.text
    assert held.url in held.text
    assert careful.decide(held.id, "approve", comment="fine")[0] == 200

    assert "create_note" in create(careful, title="first").text
    assert sent(upstream) == 1
    assert within(60, lambda: careful.ends(held.id)[-1:] == ["approval.used"])
    assert careful.ends(held.id) == ["approval.requested", "approval.approved", "approval.used"]
    calls = [each for each in careful.new(before) if each["operation"] == "create_note"]
    assert [each["result"]["status"] for each in calls] == ["pending", "success"]
    assert [each["access_control"]["approval"] for each in calls] == [held.id, held.id]
    assert [each["access_control"]["allowed"] for each in calls] == [False, True]


def test_the_same_request_is_found_again_before_anybody_decides(careful: CarefulTown) -> None:
    assert pending(create(careful, title="same")).id == pending(create(careful, title="same")).id


def test_a_denial_and_its_reason_reach_the_caller(careful: CarefulTown, upstream: Upstream) -> None:
    held = pending(create(careful, title="no"))
    careful.decide(held.id, "deny", comment="not today")

    answer = create(careful, title="no")

    assert code(answer) == "approval_denied"
    assert "bob@example.com: not today" in answer.text
    assert sent(upstream) == 0


def test_a_decision_on_the_link_s_page_counts(careful: CarefulTown, upstream: Upstream) -> None:
    held = pending(create(careful, title="page"))
    _, page = fetched(held.url)

    status, _ = posted(held.url, form=form_of(page), key=KEYS["BOB_KEY"], decision="approve")

    assert status == 200
    assert "create_note" in create(careful, title="page").text
    assert sent(upstream) == 1


def test_a_waiting_call_goes_on_the_moment_somebody_agrees(
    patient: CarefulTown, upstream: Upstream
) -> None:
    with patient.caller() as caller:
        caller.send(caller.request(*caller.call("create_note", NOTE)))
        id = waiting(patient)
        began = time.monotonic()
        patient.decide(id, "approve")

        assert "create_note" in caller.answer().text

    assert time.monotonic() - began < 25  # of the half minute it would wait
    assert sent(upstream) == 1


def nobody_waits(town: CarefulTown) -> bool:
    return "mcp_gateway_waiting_calls 0.0" in (town.get("/metrics") or "")


def waiting(town: CarefulTown) -> str:
    """The id of the one request that waits for Bob."""
    found: list[str] = []

    def there() -> bool:
        found[:] = [
            each["id"] for each in town.api("GET", "/approvals?state=pending", "BOB", {})[1]
        ]
        return bool(found)

    assert within(60, there)
    return found[0]


def test_tools_that_need_approval_are_listed(careful: CarefulTown) -> None:
    with careful.caller() as caller:
        listed = caller.ask(modern("tools/list"), routing("tools/list"))

    assert "create_note" in [each["name"] for each in listed.message["result"]["tools"]]


def test_reading_asks_nobody(careful: CarefulTown) -> None:
    with careful.caller() as caller:
        assert "get_note" in caller.tool("get_note").text


def test_fifty_calls_at_once_reach_the_server_once(
    careful: CarefulTown, upstream: Upstream
) -> None:
    held = pending(create(careful, title="fifty"))
    careful.decide(held.id, "approve")
    lines = [careful.caller() for _ in range(50)]
    barrier = threading.Barrier(50)

    def call(caller: Caller) -> Answer:
        with caller:
            barrier.wait()
            return caller.tool("create_note", {**NOTE, "title": "fifty"})

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(call, lines))

    assert sent(upstream) == 1
    done = [each for each in answers if "isError" not in each.message["result"]]
    assert len(done) == 1
    for other in answers:
        if other is not done[0]:
            meta = other.message["result"]["_meta"]
            used = meta.get("torhaus/verdict", {}).get("code") == "approval_used"
            assert used or meta["torhaus/approval"]["state"] == "pending"
    assert careful.state(held.id) == "used"
    assert careful.ends(held.id).count("approval.used") == 1


# -- sessions, streams, ends -------------------------------------------------------------------


def test_a_caller_who_cancels_withdraws_his_request(
    patient: CarefulTown, upstream: Upstream
) -> None:
    with patient.caller() as caller, patient.caller() as other:
        caller.begin()
        other.session = caller.session
        caller.send(caller.request(*caller.call("create_note", NOTE, id="wait")))
        id = waiting(patient)

        told = other.ask(
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "wait"}}
        )

        assert told.status == 202
        assert b"result" not in caller.answer().body
        assert within(60, lambda: patient.state(id) == "cancelled")
        assert patient.ends(id)[-1] == "approval.cancelled"
        assert sent(upstream) == 0
        seen = [each.message.get("method") for each in upstream.seen]
        assert "notifications/cancelled" not in seen  # the server never heard of the call


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_caller_who_hangs_up_finds_his_approval_again(
    era: str, patient: CarefulTown, upstream: Upstream
) -> None:
    with patient.caller() as caller:
        if era == "legacy":
            caller.begin()
        caller.send(caller.request(*caller.call("create_note", NOTE)))
        id = waiting(patient)

    assert within(60, lambda: nobody_waits(patient))  # the gate has seen that he is gone
    patient.decide(id, "approve")

    assert patient.state(id) == "approved"
    assert sent(upstream) == 0
    assert "create_note" in create(patient).text
    assert sent(upstream) == 1


def test_a_caller_whose_key_is_taken_away_waits_no_longer(
    patient: CarefulTown, upstream: Upstream
) -> None:
    with patient.caller() as caller:
        caller.send(caller.request(*caller.call("create_note", NOTE)))
        waiting(patient)
        users = [each for each in patient.config["users"] if each["email"] != "alice@example.com"]
        began = time.monotonic()
        patient.changed(users=users)

        told = caller.answer().message["result"]

    # Refused when it looked again, or cut off when the rules changed: whichever came first.
    assert told["isError"] is True
    assert "no_access" in str(told) or "your access has ended" in str(told)
    assert time.monotonic() - began < 25
    assert sent(upstream) == 0


def test_a_waiting_call_does_not_keep_the_gateway_from_stopping(
    patient: CarefulTown, upstream: Upstream
) -> None:
    with patient.caller() as caller:
        caller.send(caller.request(*caller.call("create_note", NOTE)))
        waiting(patient)
        began = time.monotonic()

        assert patient.stop() == 0

        assert time.monotonic() - began < 25
        assert pending(caller.answer()).text.startswith("Pending")
    assert sent(upstream) == 0


def test_nobody_makes_the_gateway_wait_for_him_without_end(patient: CarefulTown) -> None:
    lines = [patient.caller() for _ in range(21)]
    for number, caller in enumerate(lines):
        caller.send(caller.request(*caller.call("create_note", {"number": number})))
        if number < 20:
            assert within(60, lambda n=number: len(_open(patient)) > n)

    assert pending(lines[20].answer()).text.startswith("Pending")  # told at once to come back
    for caller in lines:
        caller.close()


def _open(town: CarefulTown) -> list[object]:
    found: list[object] = town.api("GET", "/approvals?state=pending&limit=100", "BOB", {})[1]
    return found


def test_a_caller_with_a_progress_token_hears_that_he_waits(patient: CarefulTown) -> None:
    params = {"name": "create_note", "arguments": NOTE, "_meta": {"progressToken": "p1"}}
    with patient.caller() as caller:
        caller.begin()
        caller.send(caller.request(legacy("tools/call", params)))
        status, headers = caller.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        first = next(caller.chunks())

        assert b"notifications/progress" in first
        assert b'"progressToken":"p1"' in first
        assert b"waiting for lead to agree" in first


def test_an_approved_read_is_not_answered_from_the_cache(
    changing: CarefulTown, upstream: Upstream
) -> None:
    changing.changed(policies=[{**POLICY, "applies_to": [{"role": "developer"}]}])
    for _ in range(2):
        with changing.caller(server="cached") as caller:
            held = pending(caller.tool("list_notes", {"q": "x"}))
            changing.decide(held.id, "approve")
            assert "list_notes" in caller.tool("list_notes", {"q": "x"}).text

    assert len(upstream.calls("list_notes")) == 2


def test_without_a_database_nothing_that_needs_approval_passes(
    changing: CarefulTown, upstream: Upstream
) -> None:
    held = pending(create(changing))
    changing.decide(held.id, "approve")
    with sqlite3.connect(changing._database()) as found:
        found.execute("ALTER TABLE approvals RENAME TO elsewhere")

    answer = create(changing)

    assert code(answer) == "approval_unavailable"
    assert sent(upstream) == 0
    assert "elsewhere" not in answer.text
    with changing.caller() as caller:
        assert "get_note" in caller.tool("get_note").text
