"""Requests under way, and what becomes of them when their caller must go."""

import asyncio

import msgspec
import pytest

from tests.torhaus.cast import ALICE, World, run, settled
from tests.torhaus.edge.doors import House, legacy, modern, open_house, routing, said, tool
from tests.torhaus.edge.lively import OTHER, TOKEN, Lively, token
from tests.torhaus.scripted import note, text
from torhaus.identity.keys import digest
from torhaus.model.access import Access, Permission
from torhaus.model.people import Phase, Principal
from torhaus.policy.scopes import permissions, scoped

PEOPLE = {"principals": {ALICE.id: ALICE}}


def bearer(key: str = TOKEN) -> dict[str, str | None]:
    return {"authorization": f"Bearer {key}", "apikey": None}


async def called(house: House, key: str = TOKEN, target: str = "/mcp/github") -> int:
    caller = await house.connect(None, target)
    body, headers = tool()
    return (await caller.ask(body, {**headers, **bearer(key)})).status


def test_a_token_is_let_in_where_it_is_for() -> None:
    async def story() -> None:
        live = Lively(token(audience="github"))
        async with open_house(live=live, **PEOPLE) as house:
            assert await called(house) == 200
            assert await called(house, target="/mcp/sentry") == 401
            assert await called(house, target="/mcp") == 401
            assert house.records()[0] == ("list_issues", "success")

    run(story())


def test_a_token_for_the_aggregate_is_good_at_every_server() -> None:
    async def story() -> None:
        async with open_house(live=Lively(token(audience="")), **PEOPLE) as house:
            assert await called(house) == 200

    run(story())


def test_a_head_that_is_known_is_let_in_no_longer_than_its_token() -> None:
    async def story() -> None:
        world = World().knows_the_tools()
        live = Lively(token(expires=world.clock() + 10))
        async with open_house(world, live=live, **PEOPLE) as house:
            caller = await house.connect(None)
            body, headers = tool()
            for _ in range(3):
                assert (await caller.ask(body, {**headers, **bearer()})).status == 200

            world.clock.turn(10)
            late = await caller.ask(body, {**headers, **bearer()})

            assert late.status == 401
            assert "is over" in said(late)["error"]["message"]

    run(story())


def test_a_head_that_is_known_is_let_in_no_longer_once_its_token_is_taken_away() -> None:
    async def story() -> None:
        live = Lively(token())
        async with open_house(live=live, **PEOPLE) as house:
            caller = await house.connect(None)
            body, headers = tool()
            for _ in range(3):
                assert (await caller.ask(body, {**headers, **bearer()})).status == 200

            live.end(token())

            assert (await caller.ask(body, {**headers, **bearer()})).status == 401

    run(story())


def test_a_key_of_the_file_ends_in_the_same_way() -> None:
    async def story() -> None:
        live = Lively()
        async with open_house(live=live, **PEOPLE) as house:
            caller = await house.connect()
            assert (await caller.ask(*tool())).status == 200
            live.why = "your access is suspended: ask an administrator"
            live.end_lease(digest("alice-key"))

            refused = await caller.ask(*tool())

            assert refused.status == 401
            assert "suspended" in said(refused)["error"]["message"]

    run(story())


def test_a_call_that_is_under_way_is_not_told_what_came_of_it() -> None:
    async def story() -> None:
        world = World().knows_the_tools()
        held, live = world.upstream.waits(), Lively(token())
        async with open_house(world, live=live, **PEOPLE) as house:
            caller = await house.connect(None)
            body, headers = tool()
            caller.send(body, {**headers, **bearer()})
            await held.came()

            live.end(token())
            house.edge.cut()
            answer = await caller.client.answer()

            assert answer.status == 401
            assert "may have been done" in said(answer)["error"]["message"]
            held.begun[0][2].set_result(text("done, and secret"))
            await settled()
            assert house.records()[-1] == ("list_issues", "success")
            body, headers = tool()
            caller.send(body, {**headers, **bearer()})
            after = await caller.client.answer()
            assert (after.status, b"secret" in after.body) == (401, False)

    run(story())


def test_a_stream_of_a_call_ends_in_its_middle() -> None:
    async def story() -> None:
        world = World().knows_the_tools()
        held, live = world.upstream.waits(), Lively(token())
        async with open_house(world, live=live, **PEOPLE) as house:
            caller = await house.connect(None)
            body, headers = tool()
            caller.send(body, {**headers, **bearer()})
            sink = await held.came()
            sink.notice(note("notifications/progress", {"progressToken": 1, "progress": 1}))
            await settled()

            live.end(token())
            house.edge.cut()
            sink.notice(note("notifications/progress", {"progressToken": 1, "progress": 2}))
            answer = await caller.client.answer()

            assert b'"progress":1' in answer.body
            assert b'"progress":2' not in answer.body
            assert "may have been done" in said(answer)["error"]["message"]
            held.begun[0][2].set_result(text("late"))

    run(story())


def test_calls_of_others_go_on() -> None:
    async def story() -> None:
        world = World().knows_the_tools()
        held, live = world.upstream.waits(), Lively(token())
        async with open_house(world, live=live, **PEOPLE) as house:
            caller, other = await house.connect(), await house.connect(None)
            body, headers = tool()
            caller.send(body, headers)
            await held.came()
            other.send(body, {**headers, **bearer()})
            while len(held.begun) < 2:
                await settled()

            live.end(token())
            house.edge.cut()
            for _, _, future in held.begun:
                future.set_result(text("done"))

            assert (await other.client.answer()).status == 401
            assert said(await caller.client.answer())["result"]["content"][0]["text"] == "done"

    run(story())


def test_a_listening_stream_ends_with_what_opened_it() -> None:
    async def story() -> None:
        world = World().knows_the_tools()
        forever = asyncio.Event()

        async def listening(*_: object) -> None:
            await forever.wait()

        world.upstream.listening = listening
        live = Lively(token())
        async with open_house(world, live=live, **PEOPLE) as house:
            opener, caller = await house.connect(), await house.connect(None)
            await opener.begin()
            caller.session = opener.session
            accept = {"accept": "text/event-stream", **bearer()}
            caller.send(b"", {**accept, "content-type": None}, "GET")
            while not house.edge.open_streams:
                await settled()

            live.end(token())
            house.edge.cut()
            await settled()

            assert not house.edge.open_streams

    run(story())


def test_a_listening_stream_ends_when_its_token_is_over() -> None:
    async def story() -> None:
        world = World().knows_the_tools()
        forever = asyncio.Event()

        async def listening(*_: object) -> None:
            await forever.wait()

        world.upstream.listening = listening
        live = Lively(token(expires=world.clock() + 10))
        async with open_house(world, live=live, **PEOPLE) as house:
            opener, caller = await house.connect(), await house.connect(None)
            await opener.begin()
            caller.session = opener.session
            headers = {"accept": "text/event-stream", **bearer(), "content-type": None}
            caller.send(b"", headers, "GET")
            while not house.edge.open_streams:
                await settled()
            house.edge.revoke(world.clock())
            assert house.edge.open_streams

            world.clock.turn(10)
            house.edge.revoke(world.clock())
            await settled()

            assert not house.edge.open_streams

    run(story())


def test_a_stream_ends_at_the_instant_its_token_does_and_not_at_the_next_look() -> None:
    async def story() -> None:
        world = World().knows_the_tools()
        forever = asyncio.Event()

        async def listening(*_: object) -> None:
            await forever.wait()

        world.upstream.listening = listening
        live = Lively(token(expires=world.clock() + 1.2))
        async with open_house(world, live=live, **PEOPLE) as house:
            opener, caller = await house.connect(), await house.connect(None)
            await opener.begin()
            caller.session = opener.session
            headers = {"accept": "text/event-stream", **bearer(), "content-type": None}
            caller.send(b"", headers, "GET")
            while not house.edge.open_streams:
                await settled()

            house.edge.revoke(world.clock())
            await asyncio.sleep(0.2)
            assert house.edge.open_streams  # it is looked at again before that
            world.clock.turn(1.1)
            house.edge.revoke(world.clock())
            assert house.edge.open_streams

            await asyncio.wait_for(caller.client.answer(), 60)

            assert not house.edge.open_streams

    run(story())


def test_a_token_that_another_process_issued_is_asked_about_and_let_in() -> None:
    async def story() -> None:
        live = Lively()
        live.elsewhere[token().digest] = token()
        async with open_house(live=live, **PEOPLE) as house:
            assert await called(house) == 200
            assert live.asked == 1
            assert await called(house) == 200
            assert live.asked == 1

    run(story())


def test_a_token_that_nobody_knows_is_asked_about_once() -> None:
    async def story() -> None:
        live = Lively()
        async with open_house(live=live, **PEOPLE) as house:
            assert await called(house, OTHER) == 401
            assert await called(house, OTHER) == 401
            assert await called(house, "no-token-of-ours") == 401
            assert live.asked == 1

    run(story())


def test_what_is_known_can_be_too_old_for_tokens_but_not_for_the_file() -> None:
    async def story() -> None:
        live = Lively(token())
        async with open_house(live=live, **PEOPLE) as house:
            assert await called(house) == 200
            live.until = 0.0

            caller = await house.connect(None)
            body, headers = tool()
            refused = await caller.ask(body, {**headers, **bearer()})

            assert refused.status == 503
            assert "database" in said(refused)["error"]["message"]
            assert await called(house, "alice-key") == 200

    run(story())


def test_a_call_with_scopes_and_one_without_never_share_a_verdict() -> None:
    """Not even where the call is known by its bytes, and answered from the cache."""

    every = Permission("*", "*", "*", "admin: *")
    dana = Principal(
        id="dana@example.org",
        email="dana@example.org",
        phases=(Phase(roles=("admin",), access={"*": Access(allows=(every,))}),),
    )
    held = scoped(dana, permissions(["github:issues:read"]))

    class Scoped(Lively):
        def acting(self, principal: Principal, credential: object) -> Principal:
            return held if getattr(credential, "scopes", ()) else principal

    async def story() -> None:
        free = token(email=dana.id)
        narrow = token(id="t2", digest=digest(OTHER), scopes=("github:issues:read",), email=dana.id)
        live = Scoped(free, narrow)
        async with open_house(live=live, principals={dana.id: dana}) as house:
            caller = await house.connect(None)
            cases = [("create_issue", TOKEN, None), ("create_issue", OTHER, True)]
            cases += [("list_issues", TOKEN, None), ("list_issues", OTHER, None)]
            for name, key, wrong in cases * 4:
                body = modern("tools/call", {"name": name, "arguments": {}})
                head = {**routing("tools/call", name), **bearer(key)}
                answer = said(await caller.ask(body, head))
                assert answer["result"].get("isError") is wrong, (name, key)

    run(story())


def test_what_waits_for_nobody_is_not_cut() -> None:
    async def story() -> None:
        async with open_house(live=Lively(), **PEOPLE) as house:
            house.edge.cut()
            house.edge.revoke(0.0)
            caller = await house.connect()
            assert (await caller.ask(legacy("ping"))).status == 200

    run(story())


def test_sessions_of_somebody_who_is_dismissed_never_work_again() -> None:
    async def story() -> None:
        async with open_house(live=Lively(), **PEOPLE) as house:
            caller, other = await house.connect(), await house.connect("bob-key")
            await caller.begin()
            await other.begin()

            house.edge.dismiss(ALICE.id)

            assert (await caller.ask(legacy("tools/list"))).status == 404
            assert (await other.ask(legacy("tools/list"))).status == 200

    run(story())


@pytest.mark.parametrize("refused", [True, False])
def test_a_call_that_is_refused_says_its_own_reason_though_the_rules_change(refused: bool) -> None:
    """Only its record is waited for: nothing was begun that could have been done."""

    async def story() -> None:
        world = World().knows_the_tools()
        async with open_house(world, **PEOPLE) as house:
            caller = await house.connect()
            world.ledger.hold()
            caller.send(*tool("create_issue" if refused else "list_issues"))
            while not world.ledger.noted:
                await settled()

            nobody = Principal(id=ALICE.id, email=ALICE.email)
            house.rules = msgspec.structs.replace(
                house.rules, principals={ALICE.id: nobody}, keys={digest("alice-key"): nobody}
            )
            house.edge.recall(world.clock())
            world.ledger.release()
            answer = await caller.client.answer()

            assert (b"access has ended" in answer.body) is not refused
            assert (b"may have been done" in answer.body) is not refused

    run(story())
