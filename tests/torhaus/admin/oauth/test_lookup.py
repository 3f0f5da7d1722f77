import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.oauth.lobby import CURSOR, Lobby, play
from tests.torhaus.cast import run
from torhaus.admin.oauth.lookup import Lookup
from torhaus.identity.oauth.known import KNOWN
from torhaus.model.fetch import Fetched, FetchError
from torhaus.model.oauth import AuthorizationServer, Client
from torhaus.model.ports import StateError

URL = "https://client.example/oauth/client.json"
OPEN = AuthorizationServer(fetch=True)


class Web:
    """Answers with one document, and remembers who was asked."""

    def __init__(self, status: int = 200, age: str = "", **changes: Any) -> None:
        told = {"client_id": URL, "client_name": "C", "redirect_uris": ["http://localhost/cb"]}
        headers = {"cache-control": age} if age else {}
        self.answer: Fetched | None = Fetched(status, headers, json.dumps(told | changes).encode())
        self.asked: list[str] = []

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, named: Any = (), limit: int = 0
    ) -> Fetched:
        self.asked.append(url)
        assert limit == 65536
        if self.answer is None:
            raise FetchError("that address is private")
        return self.answer

    async def post(self, url: str, form: Any, headers: Any = None, **more: Any) -> Fetched:
        raise AssertionError("documents are read, never posted to")


def lookup(at: Lobby, server: AuthorizationServer = OPEN, web: Web | None = None) -> Lookup:
    fetch = web or Web()
    return Lookup(
        office=at.hall.office, server=lambda: server, clock=at.hall.clock, fetch=lambda: fetch
    )


def test_an_id_names_one_client_wherever_it_is_known(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        own = Client(id="agent", kind="file", name="Agent", redirect_uris=())
        await at.register(CURSOR)
        found = lookup(at, AuthorizationServer(clients=(own,)))

        assert await found.find("agent") is own
        registered = await found.find("dcr_1")
        assert registered is not None
        assert registered.redirect_uris == CURSOR.redirect_uris
        for id in KNOWN:
            assert await found.find(id) is KNOWN[id]
        for id in ("", "dcr_9", "x" * 600, URL):
            assert await found.find(id) is None

    run(play(tmp_path, story))


def test_nothing_is_fetched_unless_the_file_says_so(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        web = Web()

        assert await lookup(at, AuthorizationServer(), web).find(URL) is None
        assert await lookup(at, AuthorizationServer(documents=False), web).find(URL) is None
        for id in KNOWN:
            await lookup(at, OPEN, web).find(id)
        assert web.asked == []

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    ("age", "seconds"),
    [("", 300), ("no-store", 300), ("max-age=10", 300), ("public, max-age=600", 600)],
)
def test_a_document_is_believed_for_as_long_as_it_says(
    age: str, seconds: float, tmp_path: Path
) -> None:
    async def story(at: Lobby) -> None:
        web = Web(age=age)
        found = lookup(at, web=web)

        first = await found.find(URL)
        at.hall.clock.turn(seconds - 1)
        assert await found.find(URL) is first
        assert first is not None
        assert len(web.asked) == 1
        at.hall.clock.turn(1)
        await found.find(URL)
        assert len(web.asked) == 2

    run(play(tmp_path, story))


def test_a_document_is_never_believed_for_more_than_a_day(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        web = Web(age="max-age=99999999")
        found = lookup(at, web=web)
        await found.find(URL)
        at.hall.clock.turn(86400)

        await found.find(URL)

        assert len(web.asked) == 2

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    "changes", [{"status": 404}, {"client_id": URL + "x"}, {"redirect_uris": ["javascript:1"]}]
)
def test_a_document_that_cannot_be_used_is_not_tried_again_at_once(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    async def story(at: Lobby) -> None:
        web = Web(**changes)
        found = lookup(at, web=web)

        assert await found.find(URL) is None
        assert await found.find(URL) is None
        assert len(web.asked) == 1
        at.hall.clock.turn(60)
        await found.find(URL)
        assert len(web.asked) == 2

    run(play(tmp_path, story))


def test_what_cannot_be_fetched_is_no_client(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        web = Web()
        web.answer = None

        assert await lookup(at, web=web).find(URL) is None

    run(play(tmp_path, story))


def test_only_so_many_documents_are_kept(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        web = Web()
        found = lookup(at, web=web)
        good = web.answer
        assert good is not None
        for number in range(300):
            id = f"{URL}{number}"
            body = good.body.replace(URL.encode(), id.encode())
            web.answer = msgspec.structs.replace(good, body=body)
            at.hall.clock.turn(5.0)
            assert await found.find(id) is not None

        assert len(found._documents) == 256

    run(play(tmp_path, story))


def test_nobody_makes_us_fetch_without_end(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        web = Web(status=404)
        found = lookup(at, web=web)

        for number in range(100):
            with suppress(StateError):
                await found.find(f"{URL}{number}", f"192.0.2.{number}")

        assert len(web.asked) == 60
        with pytest.raises(StateError, match="try again in a minute"):
            await found.find(f"{URL}x", "198.51.100.1")
        at.hall.clock.turn(60)
        await found.find(f"{URL}x", "198.51.100.1")
        assert len(web.asked) == 61

    run(play(tmp_path, story))


def test_one_address_keeps_others_from_nothing(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        web = Web()
        found = lookup(at, web=web)
        for number in range(100):
            with suppress(StateError):
                await found.find(f"{URL}{number}", f"2001:db8::{number}")

        assert len(web.asked) == 15
        assert await found.find(URL, "192.0.2.1") is not None

    run(play(tmp_path, story))


def test_what_strangers_name_makes_no_client_unknown(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        web = Web(age="max-age=86400")
        found = lookup(at, web=web)
        known = await found.find(URL, "192.0.2.1")
        good, web.answer = web.answer, None

        for number in range(300):
            at.hall.clock.turn(5)
            with suppress(StateError):
                await found.find(f"{URL}{number}", "198.51.100.1")

        web.answer = good
        asked = len(web.asked)
        assert await found.find(URL, "192.0.2.1") == known
        assert len(web.asked) == asked
        assert len(found._unusable) == 256

    run(play(tmp_path, story))


@pytest.mark.parametrize("down", [None, Fetched(503, {}, b"")])
def test_a_host_that_is_down_for_a_while_turns_no_client_into_a_stranger(
    down: Fetched | None, tmp_path: Path
) -> None:
    async def story(at: Lobby) -> None:
        web = Web()
        found = lookup(at, web=web)
        known = await found.find(URL)
        web.answer = down

        at.hall.clock.turn(300)
        assert await found.find(URL) == known
        at.hall.clock.turn(86400)
        assert await found.find(URL) is None

    run(play(tmp_path, story))


def test_a_document_that_was_withdrawn_is_believed_no_longer(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        web = Web()
        found = lookup(at, web=web)
        assert await found.find(URL) is not None
        web.answer = Fetched(404, {}, b"")

        at.hall.clock.turn(300)
        assert await found.find(URL) is None

    run(play(tmp_path, story))
