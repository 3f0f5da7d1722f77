"""One server with a link for each account that acts there."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.torhaus.upstream import pipes
from tests.torhaus.upstream.pipes import Memo, run, session
from tests.torhaus.upstream.purses import Guarded, MemoryWallet, guarded, held, previous
from tests.torhaus.upstream.servers.http_server import HttpServer, http_server
from tests.torhaus.upstream.webs import configured, numbers
from torhaus.model.access import Glob
from torhaus.model.ports import NoStream, NotConnected, UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.servers import Acting, HttpAddress, OAuthAccess
from torhaus.upstream.accounts import IDLE, AccountsLink, Shown
from torhaus.upstream.autolink import Old
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.links import _offered, _old
from torhaus.upstream.stored import StoredWay

SHARED = (Glob("get*", re.compile("get.*")), Acting.SHARED)
USER = OAuthAccess(mode=Acting.USER, tools=(SHARED,))


def shown(token: str, of: str = "") -> Shown:
    return Shown((("Authorization", Secret(f"Bearer {token}")),), (Secret(token),), of)


class Tokens:
    """A `Way` with a token for some accounts, and another where one is refused."""

    def __init__(self, **tokens: str) -> None:
        self.tokens = {("" if name == "shared" else name): each for name, each in tokens.items()}
        self.next: dict[str, str] = {}
        self.answers: list[str] = []
        self.of = ""

    def at_hand(self, account: str) -> Shown | None:
        token = self.tokens.get(account)
        return None if token is None else shown(token, self.of)

    async def present(self, account: str) -> Shown:
        raise NotConnected(f"{account} has no account there")

    async def refused(self, account: str, shown_: Shown, denied: DeniedError) -> Shown | None:
        token = self.next.pop(account, None)
        if token is None:
            return None
        self.tokens[account] = token
        return shown(token)

    async def answered(self, account: str, shown_: Shown) -> None:
        self.answers.append(account)


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@contextlib.asynccontextmanager
async def opened(
    upstream: Guarded, way: Any, oauth: OAuthAccess | None = USER, **more: Any
) -> AsyncIterator[tuple[HttpServer, AccountsLink]]:
    async with http_server(upstream.script) as server:
        wanted = configured(server.url)
        assert isinstance(wanted.address, HttpAddress)
        address = msgspec.structs.replace(wanted.address, oauth=oauth)
        wanted = msgspec.structs.replace(wanted, address=address)
        old = Old(_old, _offered)
        link = AccountsLink(wanted, address, numbers(), old, way, **more)
        try:
            yield server, link
        finally:
            await link.shutdown()


async def who(link: AccountsLink, principal: str, tool: str = "write", **more: Any) -> Any:
    """Whom the server took the caller for, and the whole answer."""
    ask = msgspec.structs.replace(pipes.tool(tool, **more), principal=principal, name=tool)
    answer = await link.request(ask, Memo())
    assert answer.result is not None
    return json.loads(json.loads(answer.result)["content"][0]["text"])["who"]


MODERN = {"eras": ("modern",)}


def test_each_caller_acts_with_his_own_account():
    async def story():
        upstream = guarded(["alice-token-0123456789", "bob-token-0123456789"], **MODERN)
        way = Tokens(alice="alice-token-0123456789", bob="bob-token-0123456789")
        async with opened(upstream, way) as (_, link):
            found = await asyncio.gather(*(who(link, n) for n in ("alice", "bob", "alice")))

            assert found == ["alice", "bob", "alice"]

    run(story())


def test_tools_may_use_a_shared_account_and_others_the_callers():
    async def story():
        upstream = guarded(["alice-token-0123456789", "shared-token-0123456789"], **MODERN)
        way = Tokens(alice="alice-token-0123456789", shared="shared-token-0123456789")
        async with opened(upstream, way) as (_, link):
            assert await who(link, "alice", "get_issue") == "shared"
            assert await who(link, "alice", "create_issue") == "alice"
            assert await who(link, "bob", "get_issue") == "shared"

    run(story())


def test_without_an_account_nothing_reaches_the_server():
    async def story():
        upstream = guarded(["alice-token-0123456789"], **MODERN)
        async with opened(upstream, Tokens(alice="alice-token-0123456789")) as (_, link):
            with pytest.raises(NotConnected):
                await who(link, "mallory")

            assert upstream.shown == []

    run(story())


def test_a_call_that_is_refused_goes_again_with_the_next_credential():
    async def story():
        upstream = guarded(["alice-new-0123456789"], **MODERN)
        way = Tokens(alice="alice-old-0123456789")
        way.next["alice"] = "alice-new-0123456789"
        async with opened(upstream, way) as (_, link):
            assert await who(link, "alice") == "alice"
            assert way.answers == ["alice"]
            upstream.tokens.clear()
            with pytest.raises(DeniedError):
                await who(link, "alice")

    run(story())


def test_a_renewed_token_keeps_session_and_connection():
    async def story():
        upstream = guarded(["alice-one-0123456789", "alice-two-0123456789"])
        way = Tokens(alice="alice-one-0123456789")
        async with opened(upstream, way) as (_, link):
            front = session("s1", "alice")
            front.unopened = True
            assert await who(link, "alice", session=front) == "alice"
            opened_then = upstream.opened
            way.tokens["alice"] = "alice-two-0123456789"
            assert await who(link, "alice", session=front) == "alice"

            assert upstream.opened == opened_then
            assert upstream.shown[-1] == "alice-two-0123456789"

    run(story())


def test_no_answer_repeats_a_token_not_even_the_former_one():
    async def story():
        upstream = guarded(["alice-one-0123456789", "alice-two-0123456789"], **MODERN)
        way = Tokens(alice="alice-one-0123456789")
        async with opened(upstream, way) as (_, link):
            ask = msgspec.structs.replace(pipes.tool("write"), principal="alice")
            for token in ("alice-one-0123456789", "alice-two-0123456789"):
                way.tokens["alice"] = token
                answer = await link.request(ask, Memo())
                assert token.encode() not in (answer.result or b"")
                assert b"[redacted:gateway-secret]" in (answer.result or b"")

    run(story())


def test_in_one_session_two_accounts_have_sessions_of_their_own():
    async def story():
        upstream = guarded(["alice-token-0123456789", "shared-token-0123456789"])
        way = Tokens(alice="alice-token-0123456789", shared="shared-token-0123456789")
        async with opened(upstream, way) as (_, link):
            front = session("s1", "alice")
            front.unopened = True
            assert await who(link, "alice", "create", session=front) == "alice"
            assert await who(link, "alice", "get_it", session=front) == "shared"
            ids = set(upstream.sessions)
            await link.close(front)

            assert len(ids) == 2
            assert upstream.sessions & ids == set()

    run(story())


def test_links_that_nobody_uses_are_closed_and_opened_again():
    async def story():
        upstream = guarded(["alice-token-0123456789"], **MODERN)
        way, ticks = Tokens(alice="alice-token-0123456789"), Ticks()
        async with opened(upstream, way, clock=ticks) as (_, link):
            await who(link, "alice")
            ticks.now += IDLE
            link.sweep()
            assert len(link._owns) == 1
            ticks.now += 1
            link.sweep()
            assert link._owns == {}
            assert await who(link, "alice") == "alice"

    run(story())


def test_where_accounts_are_personal_there_is_nobody_to_check_with():
    async def story():
        upstream = guarded(["shared-token-0123456789"], **MODERN)
        way = Tokens(shared="shared-token-0123456789")
        async with opened(upstream, way) as (_, link):
            assert await link.check(1.0) == {}
        async with opened(upstream, way, OAuthAccess(mode=Acting.SHARED)) as (_, link):
            assert await link.check(1.0) == {"": None}
            assert link.state() == "ready"
        async with opened(upstream, Tokens(), OAuthAccess(mode=Acting.SHARED)) as (_, link):
            assert await link.check(1.0) == {}

    run(story())


def test_a_stored_credential_is_rotated_without_a_failed_call():
    async def story():
        old, new = "old-token-0123456789", "new-token-0123456789"
        upstream = guarded([old], **MODERN)
        wallet = MemoryWallet(held(old))
        async with opened(upstream, StoredWay("web", wallet), None) as (_, link):
            assert await who(link, "alice") == "old"
            wallet.helds = [held(new, version=2), previous(old)]
            assert await who(link, "alice") == "old"
            assert wallet.stood == [new]
            upstream.tokens = {new: "new"}
            assert await who(link, "alice") == "new"
            wallet.helds = []
            with pytest.raises(UpstreamError, match="torhaus secrets put"):
                await who(link, "alice")

    run(story())


def test_a_client_without_an_account_is_greeted_and_its_session_opens_later():
    async def story():
        upstream = guarded(["alice-token-0123456789"])
        way = Tokens()
        async with opened(upstream, way) as (_, link):
            hello = await link.request(pipes.ask("initialize", {}, who="alice"), Memo())
            front = session("s1", "alice")
            front.upstream_id = hello.session
            await link.post(front, "alice", b'{"jsonrpc":"2.0","method":"notifications/x"}')
            with pytest.raises(NoStream):
                await link.listen(front, None, Memo())
            with pytest.raises(NotConnected):
                await who(link, "alice", session=front)
            assert upstream.shown == []
            way.tokens["alice"] = "alice-token-0123456789"

            assert await who(link, "alice", session=front) == "alice"
            assert front.upstream_id in upstream.sessions

    run(story())


def test_another_account_of_the_same_person_goes_on_in_no_session_of_the_former() -> None:
    async def story():
        upstream = guarded(["work-token-0123456789", "home-token-0123456789"])
        way = Tokens(alice="work-token-0123456789")
        way.of = "vlt_1"
        async with opened(upstream, way) as (_, link):
            front = session("s1", "alice")
            front.unopened = True
            assert await who(link, "alice", session=front) == "work"
            former = front.upstream_id
            way.tokens["alice"], way.of = "home-token-0123456789", "vlt_2"

            assert await who(link, "alice", session=front) == "home"
            assert front.upstream_id != former

    run(story())
