import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, DANA
from tests.torhaus.admin.oauth.lobby import BACK, CURSOR, OTHER, Lobby, play
from tests.torhaus.cast import run
from torhaus.admin.oauth.acts import Denied
from torhaus.admin.oauth.issuing import narrowed
from torhaus.admin.oauth.tokens import Tokened
from torhaus.identity.keys import digest
from torhaus.model.announcement import Kind


def test_a_code_gives_tokens_for_the_one_server(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()

        assert isinstance(tokens, Tokened)
        assert tokens.access.startswith("tht_")
        assert tokens.refresh.startswith("thr_")
        assert (tokens.seconds, tokens.audience) == (900, "github")
        (issued,) = at.hall.effects[-1].issued
        assert issued.digest == digest(tokens.access)
        assert (issued.email, issued.audience) == (ALICE.email, "github")
        assert await at.lives(tokens.access)
        async with at.hall.office.read() as desk:
            client = await desk.clients.get(CURSOR.id)
        assert client is not None
        assert client.used is not None
        assert at.ends()[-1] == ("token.issued", "success")

    run(play(tmp_path, story))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"code": "other"}, "invalid_grant"),
    ({"code": "cöde"}, "invalid_grant"),
    ({"client": OTHER}, "invalid_grant"),
    ({"redirect_uri": "http://localhost:3119/callback"}, "invalid_grant"),
    ({"verifier": "w" * 43}, "invalid_grant"),
    ({"verifier": ""}, "invalid_grant"),
    ({"verifier": "ü" * 43}, "invalid_grant"),
    ({"audience": "sentry"}, "invalid_target"),
    ({"audience": ""}, "invalid_target"),
]


@pytest.mark.parametrize(("changes", "code"), WRONG)
def test_a_code_is_bound_to_all_it_was_given_for(
    changes: dict[str, Any], code: str, tmp_path: Path
) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR, OTHER)
        await at.consent()

        refused = await at.exchange(**changes)

        assert isinstance(refused, Denied)
        assert refused.code == code
        assert at.hall.effects[-1].issued == ()
        assert isinstance(await at.exchange(), Tokened)  # and nothing was used up

    run(play(tmp_path, story))


def test_a_code_lasts_for_a_minute(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        await at.consent()
        at.hall.clock.turn(60)

        assert await at.exchange() == Denied("invalid_grant", "the code has expired")

    run(play(tmp_path, story))


def test_a_code_that_comes_twice_ends_what_it_gave(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()

        again = await at.exchange()

        assert isinstance(again, Denied)
        assert again.code == "invalid_grant"
        assert at.hall.effects[-1].ended == (digest(tokens.access),)
        assert not await at.lives(tokens.access)
        assert isinstance(await at.refresh(tokens.refresh), Denied)
        assert ("token.reused", "success") in at.ends()
        news = at.hall.told[-1]
        assert (news.kind, news.to) == (Kind.TOKEN_REUSED, (ALICE.email, DANA.email))
        await at.exchange()
        assert len(at.hall.told) == 1

    run(play(tmp_path, story))


def test_of_many_exchanges_at_once_at_most_one_gives_tokens_and_all_end(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        await at.consent()

        found = await asyncio.gather(*(at.exchange() for _ in range(6)))

        given = [each for each in found if isinstance(each, Tokened)]
        assert len(given) == 1
        assert not await at.lives(given[0].access)

    run(play(tmp_path, story))


def test_nobody_who_is_gone_gets_tokens(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        await at.consent()
        at.hall.without(ALICE)

        assert isinstance(await at.exchange(), Denied)

    run(play(tmp_path, story))


def test_a_consent_that_was_ended_gives_nothing(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        await at.consent(id="con_x")
        async with at.hall.office.write() as desk:
            await desk.families.end("con_x", ALICE.email, "", at.hall.clock())

        refused = await at.exchange()

        assert refused == Denied("invalid_grant", "the consent has ended")
        async with at.hall.office.read() as desk:
            assert await desk.credentials.live(at.hall.clock()) == []

    run(play(tmp_path, story))


def test_a_refresh_token_is_changed_for_a_new_pair(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        first = await at.begun()
        at.hall.clock.turn(880)

        second = await at.refresh(first.refresh)

        assert isinstance(second, Tokened)
        assert {second.access, second.refresh}.isdisjoint({first.access, first.refresh})
        assert await at.lives(second.access)
        assert at.ends()[-1] == ("token.refreshed", "success")
        assert isinstance(await at.refresh(second.refresh), Tokened)

    run(play(tmp_path, story))


def test_a_retry_within_a_minute_gets_the_same_pair(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        first = await at.begun()
        second = await at.refresh(first.refresh)
        at.hall.clock.turn(60)

        again = await at.refresh(first.refresh)

        assert (again.access, again.refresh) == (second.access, second.refresh)
        assert (second.seconds, again.seconds) == (900, 840)
        assert at.hall.effects[-1].issued == ()
        assert await at.lives(second.access)

    run(play(tmp_path, story))


def test_a_later_reuse_ends_the_whole_family_and_says_so(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        first = await at.begun()
        second = await at.refresh(first.refresh)
        at.hall.clock.turn(61)

        refused = await at.refresh(first.refresh)

        assert isinstance(refused, Denied)
        assert refused.code == "invalid_grant"
        assert set(at.hall.effects[-1].ended) == {digest(first.access), digest(second.access)}
        assert not await at.lives(second.access)
        assert isinstance(await at.refresh(second.refresh), Denied)
        assert [each.kind for each in at.hall.told] == [Kind.TOKEN_REUSED]

    run(play(tmp_path, story))


def test_many_processes_that_share_a_token_all_get_the_same_pair(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        first = await at.begun()

        found = await asyncio.gather(*(at.refresh(first.refresh) for _ in range(8)))

        assert len({(each.access, each.refresh) for each in found}) == 1
        assert await at.lives(found[0].access)
        assert at.hall.told == []

    run(play(tmp_path, story))


def test_another_client_gets_nothing_and_ends_nothing(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        first = await at.begun()

        refused = await at.refresh(first.refresh, client=OTHER)

        assert isinstance(refused, Denied)
        assert refused.code == "invalid_grant"
        assert await at.lives(first.access)
        assert isinstance(await at.refresh(first.refresh), Tokened)

    run(play(tmp_path, story))


def test_a_refresh_token_ends_when_it_is_idle_and_the_consent_in_any_case(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()
        began = at.hall.clock()
        for _ in range(3):
            at.hall.clock.turn(29 * 86400)
            tokens = await at.refresh(tokens.refresh)
            assert isinstance(tokens, Tokened)
        at.hall.clock.now = began + 90 * 86400 - 60
        tokens = await at.refresh(tokens.refresh)
        assert tokens.seconds == 60  # no token outlives its consent
        at.hall.clock.turn(60)

        assert isinstance(await at.refresh(tokens.refresh), Denied)

    run(play(tmp_path, story))


def test_an_idle_refresh_token_is_over(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()
        at.hall.clock.turn(30 * 86400)

        assert isinstance(await at.refresh(tokens.refresh), Denied)

    run(play(tmp_path, story))


def test_whoever_left_refreshes_nothing(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun()
        at.hall.without(ALICE)

        refused = await at.refresh(tokens.refresh)

        assert refused == Denied("invalid_grant", "the access of this person has ended")

    run(play(tmp_path, story))


def test_a_token_for_everything_may_be_narrowed_and_never_widened(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        tokens = await at.begun(audience="")
        narrow = await at.refresh(tokens.refresh, "github")
        wide = await at.refresh(narrow.refresh, None)

        assert (tokens.audience, narrow.audience, wide.audience) == ("", "github", "")
        retry = await at.refresh(narrow.refresh, "github")
        assert isinstance(retry, Denied)  # the retry asks for another token than was given
        assert retry.code == "invalid_target"

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    ("agreed", "asked", "given"),
    [
        ("github", None, "github"),
        ("github", "github", "github"),
        ("github", "", None),
        ("github", "sentry", None),
        ("", None, ""),
        ("", "", ""),
        ("", "github", "github"),
    ],
)
def test_narrowing(agreed: str, asked: str | None, given: str | None) -> None:
    assert narrowed(agreed, asked) == given


def test_no_record_and_no_news_holds_a_token(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        first = await at.begun()
        second = await at.refresh(first.refresh)
        at.hall.clock.turn(61)
        await at.refresh(first.refresh)

        written = b"".join(msgspec.json.encode(each) for each in at.hall.ledger.durable)
        written += repr(at.hall.told).encode()
        for token in (first.access, first.refresh, second.access, second.refresh):
            assert token.encode() not in written
            assert digest(token).hex().encode() not in written
        assert BACK.encode() in written

    run(play(tmp_path, story))
