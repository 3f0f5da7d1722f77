"""Lists of many servers in one."""

import asyncio
import json
import time
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, request, run, settled
from tests.torhaus.gate.aggregate.crowd import Crowd, tool
from tests.torhaus.scripted import listing
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.lists import MAX_WHOLES
from torhaus.mcp.message import CallerError
from torhaus.model.ports import LedgerError, UpstreamError

TOOLS = "tools/list"


async def ask(crowd: Crowd, guest: Guest | None = None, **params: Any) -> Any:
    guest = crowd.guest() if guest is None else guest
    return json.loads(await crowd.many.listed(guest, request(TOOLS, params)))


def named(result: Any) -> list[str]:
    return [each["name"] for each in result["tools"]]


def test_the_order_is_the_configurations_and_then_the_servers():
    async def story() -> None:
        crowd = Crowd("tea", "docs")

        result = await ask(crowd)

        assert named(result) == [
            "tea__list_issues",
            "tea__get__it",
            "docs__list_issues",
            "docs__get__it",
        ]
        assert (result["resultType"], result["cacheScope"], result["ttlMs"]) == (
            "complete",
            "private",
            0,
        )
        assert "_meta" not in result

    run(story())


def test_a_dead_and_a_hanging_server_cost_the_deadline_once():
    async def story() -> None:
        crowd = Crowd().tells(deadline=0.9)
        crowd.members["docs"].hangs = True

        async def gone(ask: Any, sink: Any) -> Any:
            raise UpstreamError("it is gone")

        crowd.members["tea"].script = gone
        began = time.perf_counter()
        first = await ask(crowd)
        middle = time.perf_counter()
        second = await ask(crowd)
        ended = time.perf_counter()

        assert named(first) == named(second) == ["github__list_issues", "github__get__it"]
        assert first["_meta"]["torhaus/unavailable"] == {
            "docs": "docs did not answer within 0.9 s",
            "tea": "tea cannot answer: it is gone",
        }
        assert middle - began >= 0.9
        assert ended - middle < 0.8
        await crowd.many.close()

    run(story())


def test_a_server_that_comes_back_is_asked_again_after_a_while():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=0.05)
        crowd.members["docs"].hangs = True
        await ask(crowd)
        await crowd.many.close()
        crowd.members["docs"].hangs = False

        soon = await ask(crowd)
        crowd.clock.turn(11)
        later = await ask(crowd)

        assert "_meta" in soon
        assert named(later) == ["docs__list_issues", "docs__get__it"]

    run(story())


def test_a_list_that_was_late_is_there_the_next_time():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=0.05)

        async def slow(ask: Any, sink: Any) -> Any:
            if ask.method != TOOLS:
                return await crowd.members["docs"].plays(ask, sink)
            await gate.wait()
            return await crowd.members["docs"].plays(ask, sink)

        gate = asyncio.Event()
        crowd.members["docs"].script = slow
        first = await ask(crowd)
        gate.set()
        await settled(50)

        assert "_meta" in first
        assert named(await ask(crowd)) == ["docs__list_issues", "docs__get__it"]

    run(story())


def test_a_fresh_list_is_not_fetched_but_decided_and_recorded_again():
    async def story() -> None:
        crowd = Crowd()
        await ask(crowd)
        before, fetched = len(crowd.ledger.noted), crowd.members["docs"].methods()

        again = await ask(crowd)

        assert len(named(again)) == 6
        assert crowd.members["docs"].methods() == fetched
        new = crowd.ledger.noted[before:]
        assert [(each.mcp_server, each.operation, each.result.cached) for each in new] == [
            (name, TOOLS, True) for name in ("github", "docs", "tea")
        ]

    run(story())


@pytest.mark.parametrize("later", ["time", "notice", "rights", "rules"])
def test_a_list_is_fetched_anew_when_it_may_be_another(later: str):
    async def story() -> None:
        crowd, by = Crowd("docs"), DANA
        await ask(crowd)
        fetched = len(crowd.members["docs"].asked)

        match later:
            case "time":
                crowd.clock.turn(16)
            case "notice":
                crowd.many.shelf.changed("docs", "notifications/tools/list_changed")
            case "rights":
                by = msgspec.structs.replace(DANA, email="other@example.org")
            case "rules":
                crowd.many.forget()
        await ask(crowd, crowd.guest(by))

        assert len(crowd.members["docs"].asked) > fetched

    run(story())


def test_a_servers_own_word_on_how_long_its_list_holds_is_passed_on():
    async def story() -> None:
        crowd = Crowd("docs")
        crowd.members["docs"].more[TOOLS] = crowd_answer(ttlMs=60_000)

        first = await ask(crowd)
        crowd.clock.turn(20)
        second = await ask(crowd)

        assert (first["ttlMs"], second["ttlMs"]) == (60_000, 40_000)

    run(story())


def crowd_answer(**more: Any) -> Any:
    return listing(tool("x"), **more)


def test_pages_go_on_with_a_cursor_that_is_its_callers_alone():
    async def story() -> None:
        crowd = Crowd().tells(page=4)

        first = await ask(crowd)
        second = await ask(crowd, cursor=first["nextCursor"])

        assert (len(named(first)), len(named(second))) == (4, 2)
        assert "nextCursor" not in second
        assert len({*named(first), *named(second)}) == 6
        other = msgspec.structs.replace(DANA, id="u-other")
        for guest, cursor in [
            (crowd.guest(other), first["nextCursor"]),
            (crowd.guest(ALICE), first["nextCursor"]),
            (crowd.guest(client="another"), first["nextCursor"]),
            (crowd.guest(), first["nextCursor"][:-2] + "AA"),
            (crowd.guest(), ""),
            (crowd.guest(), 5),
        ]:
            with pytest.raises(CallerError, match="begin again"):
                await ask(crowd, guest, cursor=cursor)

    run(story())


def test_a_cursor_ends_with_the_list_it_is_of():
    async def story() -> None:
        crowd = Crowd().tells(page=4)
        cursor = (await ask(crowd))["nextCursor"]
        fresh = msgspec.structs.replace(DANA)  # the same person under new rules

        with pytest.raises(CallerError, match="begin again"):
            await ask(crowd, crowd.guest(fresh), cursor=cursor)
        crowd.many.forget()
        with pytest.raises(CallerError, match="begin again"):
            await ask(crowd, cursor=cursor)

    run(story())


def test_all_pages_of_a_server_are_in_the_list():
    async def story() -> None:
        crowd = Crowd("docs")

        async def paged(ask: Any, sink: Any) -> Any:
            at = json.loads(ask.params).get("cursor")
            return listing(
                tool(f"t{at or 0}"), **({} if at == "2" else {"nextCursor": str(int(at or 0) + 1)})
            )

        crowd.members["docs"].script = paged

        assert named(await ask(crowd)) == ["docs__t0", "docs__t1", "docs__t2"]

    run(story())


def test_no_list_leaves_without_its_records():
    async def story() -> None:
        crowd = Crowd()
        await ask(crowd)
        crowd.ledger.refuses = True

        with pytest.raises(LedgerError):
            await ask(crowd)

    run(story())


def test_servers_without_such_things_are_not_missing():
    async def story() -> None:
        crowd = Crowd()

        result = json.loads(await crowd.many.listed(crowd.guest(), request("prompts/list")))

        assert (result["prompts"], "_meta" in result) == ([], False)

    run(story())


def test_a_thousand_fresh_tools_of_twenty_servers_cost_little():
    async def story() -> None:
        crowd = Crowd(*(f"s{number}" for number in range(20)))
        for member in crowd.members.values():
            member.tools = [tool(f"tool_{n}", description="does " * 20) for n in range(50)]
        await ask(crowd)
        costs = []
        for _ in range(20):
            began = time.process_time()
            await crowd.many.listed(crowd.guest(), request(TOOLS))
            costs.append(time.process_time() - began)

        assert len(named(await ask(crowd))) == 1000
        assert sorted(costs)[10] < 0.005

    run(story())


def test_the_oldest_list_makes_room_for_new_ones():
    async def story() -> None:
        crowd = Crowd("docs").tells(page=1)
        cursors = [(await ask(crowd, crowd.guest(client=f"c{n}")))["nextCursor"] for n in range(70)]
        crowd.members["docs"].tools = [tool("a"), tool("b")]
        for number in range(70):
            by = msgspec.structs.replace(DANA, id=f"u{number}")
            await ask(crowd, crowd.guest(by))

        with pytest.raises(CallerError, match="begin again"):
            await ask(crowd, crowd.guest(client="c0"), cursor=cursors[0])

    run(story())


def test_what_a_client_was_shown_is_known_when_many_others_have_listed():
    async def story() -> None:
        crowd = Crowd()
        lists, docs = crowd.many.lists, crowd.servers["docs"]
        first = crowd.guest(client="first")
        await ask(crowd, first)
        before = lists.last(first, docs, "tools/list")

        for number in range(MAX_WHOLES + 1):
            await ask(crowd, crowd.guest(client=f"c{number}"))

        assert before is not None
        assert lists.last(first, docs, "tools/list") == before
        assert lists.last(crowd.guest(client="else"), docs, "tools/list") is None
        lists.clear()
        assert lists.last(first, docs, "tools/list") is None

    run(story())


def test_a_list_under_way_is_not_for_other_rights():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=0.05)
        crowd.members["docs"].hangs = True
        await ask(crowd)

        crowd.many.forget()
        await ask(crowd, crowd.guest(msgspec.structs.replace(DANA)))

        assert crowd.members["docs"].methods() == [TOOLS, TOOLS]
        await crowd.many.close()

    run(story())


def test_a_list_that_no_server_was_asked_for_leaves_a_record():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=0.05)
        crowd.members["docs"].hangs = True
        await ask(crowd)
        before = len(crowd.ledger.noted)

        await ask(crowd)

        noted = [(each.mcp_server, each.operation) for each in crowd.ledger.noted[before:]]
        assert noted == [("*", TOOLS)]
        await crowd.many.close()

    run(story())


def test_a_server_that_is_late_is_listed_from_what_was_accepted_and_not_from_what_changed():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=0.05, fresh=0.0)
        docs = crowd.members["docs"]
        docs.tools = [tool("list_issues"), tool("get__it"), tool("new_one")]
        await ask(crowd)
        docs.tools[1] = tool("get__it", description="Something else now.")
        docs.tools.append(tool("later"))
        await ask(crowd)
        docs.hangs = True
        crowd.clock.turn(3700)

        late = await ask(crowd)
        soon = await ask(crowd)
        await crowd.many.close()

        assert named(late) == named(soon) == ["docs__list_issues", "docs__new_one"]
        why = "docs did not answer within 0.05 s: what was known of it is listed"
        assert late["_meta"]["torhaus/unavailable"] == {"docs": why}
        assert late["ttlMs"] == 0

    run(story())


def test_whoever_may_see_nothing_of_a_late_server_sees_nothing_of_it():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=0.05, fresh=0.0)
        await ask(crowd)
        crowd.members["docs"].hangs = True
        crowd.clock.turn(3700)

        assert named(await ask(crowd, crowd.guest(BOB))) == []
        await crowd.many.close()

    run(story())


def test_a_late_server_that_turns_out_to_be_down_is_listed_no_more():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=0.05, fresh=0.0)
        await ask(crowd)
        crowd.members["docs"].hangs = True
        crowd.clock.turn(3700)
        assert named(await ask(crowd)) != []
        await crowd.many.close()

        async def gone(ask: Any, sink: Any) -> Any:
            raise UpstreamError("it is gone")

        crowd.members["docs"].script = gone
        crowd.clock.turn(11)

        assert named(await ask(crowd)) == []

    run(story())
