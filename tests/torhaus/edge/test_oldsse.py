"""The address for clients of 2024-11-05: who gets a stream, and whose messages it takes."""

import json

import pytest

from tests.torhaus.cast import run, settled
from tests.torhaus.edge.doors import INITIALIZE, legacy, modern, open_house
from tests.torhaus.edge.oldies import Oldie, message, oldie
from tests.torhaus.gate.aggregate.crowd import open_place
from torhaus.config.settings import Settings
from torhaus.edge.oldsse import MOST


def test_a_session_is_had_on_one_stream() -> None:
    async def story() -> None:
        async with open_house() as house:
            old = await oldie(house)

            opened = await old.begin()
            called = await old.ask("tools/call", {"name": "list_issues"}, "a")

            assert opened["result"]["protocolVersion"] == "2025-11-25"
            assert called["id"] == "a"
            assert called["result"]["content"][0]["text"] == "tools/call list_issues"
            assert house.records() == [("initialize", "success"), ("list_issues", "success")]

    run(story())


def test_the_gate_decides_as_everywhere() -> None:
    async def story() -> None:
        async with open_house() as house:
            old = await oldie(house, "bob-key")
            await old.begin()

            refused = await old.ask("tools/call", {"name": "create_issue"})

            assert refused["result"]["isError"] is True
            assert house.records()[-1] == ("create_issue", "denied")

    run(story())


@pytest.mark.parametrize("key", [None, "wrong"])
def test_a_stranger_gets_no_stream(key: str | None) -> None:
    async def story() -> None:
        async with open_house() as house:
            stranger = Oldie(await house.connect(key, "/mcp/github/sse"), await house.connect())

            status, headers = await stranger.open()

            assert status == 401
            assert b"www-authenticate" in headers

    run(story())


@pytest.mark.parametrize("key", [None, "wrong", "bob-key", "mallory-key"])
def test_only_whose_stream_it_is_can_send_on_it(key: str | None) -> None:
    async def story() -> None:
        async with open_house() as house:
            old = await oldie(house)
            await old.begin()
            other = await house.connect(key, old.address)

            answer = await other.ask(legacy("tools/call", {"name": "list_issues"}))

            assert answer.status == (404 if key and "-" in key else 401)
            assert [each for each, _ in house.records()] == ["initialize", "invalid"][
                : 1 + (answer.status == 404)
            ]

    run(story())


def test_an_address_is_worth_nothing_with_a_flipped_bit_or_at_another_server() -> None:
    async def story() -> None:
        async with open_house() as house:
            old = await oldie(house)
            flipped = old.address[:-9] + ("A" if old.address[-9] != "A" else "B")
            flipped += old.address[-8:]
            addresses = [flipped, old.address.replace("/github/", "/"), old.address[:-1], "/x"]

            statuses = []
            for address in addresses[:3]:
                caller = await house.connect(target=address)
                statuses.append((await caller.ask(legacy("ping"))).status)

            assert statuses == [404, 404, 404]

    run(story())


def test_a_post_without_a_stream_is_told_to_open_one() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect(target="/mcp/github/sse")

            answer = await caller.ask(legacy("initialize", INITIALIZE))

            assert answer.status == 405
            assert "open a stream" in message(answer)

    run(story())


def test_other_methods_and_other_kinds_are_refused() -> None:
    async def story() -> None:
        async with open_house() as house:
            old = await oldie(house)
            caller = await house.connect(target="/mcp/github/sse")

            deleted = await caller.ask(b"", method="DELETE")
            plain = await caller.ask(b"", {"accept": "application/json"}, "GET")
            typed = await old.mouth.ask(legacy("ping"), {"content-type": "text/plain"})

            assert (deleted.status, plain.status, typed.status) == (405, 406, 415)

    run(story())


def test_there_is_no_stream_of_a_server_that_is_none_or_not_his() -> None:
    async def story() -> None:
        async with open_house() as house:
            none = Oldie(await house.connect(target="/mcp/nothing/sse"), await house.connect())
            his = Oldie(await house.connect("mallory-key", "/mcp/github/sse"), none.mouth)

            statuses = [(await none.open())[0], (await his.open())[0]]

            assert statuses == [404, 404]
            assert house.edge.open_streams == {}

    run(story())


def test_a_caller_has_so_many_streams_and_no_more() -> None:
    async def story() -> None:
        async with open_house() as house:
            olds = [await oldie(house) for _ in range(MOST)]
            more = Oldie(await house.connect(target="/mcp/github/sse"), olds[0].mouth)

            full, _ = await more.open()
            others = await oldie(house, "bob-key")
            olds[0].ear.client.close()
            await settled(20)
            again = await oldie(house)

            assert full == 429
            assert others.address
            assert again.address

    run(story())


def test_a_client_of_both_eras_is_told_to_begin_a_session() -> None:
    async def story() -> None:
        async with open_house() as house:
            old = await oldie(house)

            answer = await old.post(modern("server/discover", id=7))
            told = await old.heard()
            opened = await old.begin()

            assert answer.status == 202
            assert (told["id"], told["error"]["code"]) == (7, -32601)
            assert "result" in opened

    run(story())


def test_what_is_no_message_is_refused_where_it_was_sent() -> None:
    async def story() -> None:
        async with open_house() as house:
            old = await oldie(house)

            broken = await old.post(b"{")
            unknown = await old.ask("tools/list")

            assert broken.status == 400
            assert unknown["error"]["message"].startswith("the Mcp-Session-Id header is missing")

    run(story())


def test_many_servers_have_one_stream_too() -> None:
    async def story() -> None:
        async with open_place() as place:
            old = Oldie(await place.come(), await place.come())
            old.ear.target += "/sse"
            await old.open()
            opened = await old.begin()

            listed = await old.ask("tools/list", id="l")

            assert opened["result"]["serverInfo"]["name"] == "torhaus"
            assert "docs__get__it" in json.dumps(listed)
            old.ear.client.close()
            await settled(20)
            assert len(place.edge.many.fronts) == 0

    run(story())


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("host", "evil.example.com", 421), ("origin", "https://evil.example.com", 403)],
)
def test_other_hosts_and_pages_of_others_come_to_neither(
    header: str, value: str, status: int
) -> None:
    async def story() -> None:
        async with open_house(settings=Settings(host="127.0.0.1")) as house:
            old = await oldie(house)
            ear = await house.connect(target="/mcp/github/sse")

            got = await ear.ask(b"", {header: value}, "GET")
            posted = await old.mouth.ask(legacy("ping"), {header: value})

            assert (got.status, posted.status) == (status, status)

    run(story())
