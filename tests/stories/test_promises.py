"""What the product promises of calls: limits, cache, refusals, filtered lists, records."""

import re

import pytest

from tests.stories.caller import legacy, modern, routing
from tests.stories.town import Town
from tests.stories.upstream import Upstream, within


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_limit_is_said_to_the_model_in_seconds(era: str, town: Town) -> None:
    who = "ALICE" if era == "modern" else "CAROL"
    with town.caller(who, server="limited") as caller:
        if era == "legacy":
            caller.begin()
        for number in range(2):
            assert not caller.tool("get_note", {"n": number}).message["result"].get("isError")
        before = town.count()

        answer = caller.tool("get_note", {"n": 3})

        assert answer.status == 200
        assert answer.message["result"]["isError"] is True
        assert "limit" in answer.text.lower()
        seconds = int(re.search(r"Wait (\d+) seconds", answer.text)[1])  # type: ignore[index]
        assert 3500 < seconds <= 3600
        assert answer.message["result"]["_meta"]["torhaus/limit"]["retryAfterMs"] == seconds * 1000
        assert town.outcome(before) == [("get_note", "limited")]


def test_one_callers_limit_is_not_anothers(town: Town) -> None:
    with town.caller("BOB", server="limited") as bob:
        assert not bob.tool("get_note", {"n": "bob"}).message["result"].get("isError")


def test_the_server_sees_one_of_many_equal_reads(town: Town, upstream: Upstream) -> None:
    before = town.count()
    upstream.seen.clear()
    with town.caller("ALICE", server="cached") as alice, town.caller("BOB", server="cached") as bob:
        bob.begin()

        texts = {each.tool("list_notes", {"of": "both"}).text for each in (alice, alice, bob, bob)}

        assert len(texts) == 1
        assert len(upstream.calls("list_notes")) == 1
        cached = [
            each["result"]["cached"]
            for each in town.new(before)
            if each["operation"] == "list_notes"
        ]
        assert cached == [False, True, True, True]


def test_writes_and_errors_are_never_from_the_cache(town: Town, upstream: Upstream) -> None:
    upstream.seen.clear()
    with town.caller(server="cached") as caller:
        for _ in range(2):
            caller.tool("create_note", {"same": True})
            caller.tool("get_500")

    assert len(upstream.calls("create_note")) == 2
    assert len(upstream.calls("get_500")) == 2


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_denied_write_says_why_and_never_reaches_the_server(
    era: str, town: Town, upstream: Upstream
) -> None:
    with town.caller("BOB") as bob:
        if era == "legacy":
            bob.begin()
        upstream.seen.clear()
        before = town.count()

        answer = bob.tool("create_note", {"title": "no"})

        assert answer.status == 200
        assert answer.message["result"]["isError"] is True
        assert upstream.calls("create_note") == []
        record = town.new(before)[-1]
        assert record["result"]["status"] == "denied"
        assert record["access_control"]["allowed"] is False
        assert record["access_control"]["reason"] == answer.text
        assert record["user"]["email"] == "bob@example.com"


def test_lists_show_what_their_caller_may_use(town: Town) -> None:
    names = {}
    for who in ("ALICE", "BOB"):
        with town.caller(who) as caller:
            answer = caller.ask(modern("tools/list"), routing("tools/list"))
            names[who] = {each["name"] for each in answer.message["result"]["tools"]}

    assert {"create_note", "delete_note"} <= names["ALICE"]
    assert {"get_note", "list_notes"} <= names["BOB"]
    assert not {"create_note", "delete_note"} & names["BOB"]


def test_who_may_do_nothing_gets_nowhere(town: Town, upstream: Upstream) -> None:
    upstream.seen.clear()
    before = town.count()
    with town.caller("MALLORY") as mallory:
        begun = mallory.ask(legacy("initialize", {"protocolVersion": "2025-11-25"}))
        listed = mallory.ask(modern("tools/list"), routing("tools/list"))
        called = mallory.tool("get_note")

    assert begun.status == listed.status == called.status == 200
    assert "permission" in begun.error["message"]
    assert "result" not in listed.message
    assert called.message["result"]["isError"] is True
    assert upstream.asked() == []
    assert [status for _, status in town.outcome(before)] == ["denied"] * 3


def test_events_of_a_call_come_before_its_answer(town: Town) -> None:
    with town.caller() as caller:
        caller.begin()
        answer = caller.tool("get_chatty")

    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.body.index(b'"one"') < answer.body.index(b'"two"') < answer.body.index(b'"three"')


def test_who_takes_json_only_gets_json_only(town: Town) -> None:
    with town.caller() as caller:
        caller.begin()
        body, _ = caller.call("get_chatty")
        answer = caller.ask(body, {"accept": "application/json"})

    assert answer.headers["content-type"] == "application/json"
    assert answer.text == "three"


def test_a_message_to_a_listener_arrives(town: Town, old_upstream: Upstream) -> None:
    old_upstream.listeners.clear()
    with town.caller(server="old") as caller:
        caller.begin()
        caller.listen()
        assert within(60, lambda: len(old_upstream.listeners) == 1)

        talk = old_upstream.listeners[0]
        talk.event(talk.note("to whom it may concern"))

        chunks = caller.chunks()
        assert next(chunks) == b":\n\n"
        assert b"to whom it may concern" in next(chunks)
