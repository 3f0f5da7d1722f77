from pathlib import Path

from tests.torhaus.admin.hall import ALICE, DAY
from tests.torhaus.admin.oauth.lobby import CURSOR, OTHER, Lobby, play
from tests.torhaus.cast import run
from tests.torhaus.store.state.people import credential
from tests.torhaus.store.state.requests import access_request, approval
from torhaus.admin.oauth.acts import Denied
from torhaus.admin.oauth.tidying import Tidying
from torhaus.identity.keys import digest
from torhaus.model.accounts import Invitation
from torhaus.model.approval import State
from torhaus.model.credentials import CredentialKind
from torhaus.model.grant import Asked


def test_a_registration_that_nobody_lets_in_lives_for_a_day(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await at.begun()
        await at.register(OTHER)
        tidying = Tidying(at.hall.office, at.hall.clock)
        at.hall.clock.turn(86400)
        await tidying.tidy()
        async with at.hall.office.read() as desk:
            assert await desk.clients.count() == 2
        at.hall.clock.turn(1)

        await tidying.tidy()

        async with at.hall.office.read() as desk:
            assert await desk.clients.get(OTHER.id) is None
            assert await desk.clients.get(CURSOR.id) is not None

    run(play(tmp_path, story))


def test_new_pairs_rest_sealed_for_a_minute_only_and_reuse_is_still_noticed(
    tmp_path: Path,
) -> None:
    async def story(at: Lobby) -> None:
        first = await at.begun()
        await at.refresh(first.refresh)
        at.hall.clock.turn(61)

        await Tidying(at.hall.office, at.hall.clock).tidy()

        async with at.hall.office.read() as desk:
            kept = await desk.refreshes.get(digest(first.refresh))
        assert kept is not None
        assert kept.successor is None
        assert isinstance(await at.refresh(first.refresh), Denied)
        assert len(at.hall.told) == 1

    run(play(tmp_path, story))


def test_tokens_and_consents_are_cleaned_away_a_week_after_their_end_keys_later(
    tmp_path: Path,
) -> None:
    async def story(at: Lobby) -> None:
        first = await at.begun()
        key = credential("k1", expires=at.hall.clock() + 60)
        async with at.hall.office.write() as desk:
            await desk.credentials.add(key, "")
        tidying = Tidying(at.hall.office, at.hall.clock)
        at.hall.clock.turn(8 * DAY)
        await tidying.clean()
        second = await at.refresh(first.refresh)
        async with at.hall.office.read() as desk:
            assert await desk.credentials.get(digest(first.access)) is None
            assert await desk.families.get("ses_1") is None
            assert await desk.families.get("con_1") is not None
        assert await at.lives(second.access)
        async with at.hall.office.read() as desk:
            assert await desk.credentials.named("k1") is not None
        at.hall.clock.turn(98 * DAY)

        await tidying.tidy()
        await tidying.clean()

        async with at.hall.office.read() as desk:
            assert await desk.families.of(ALICE.email) == []
            assert await desk.credentials.of(key.email) == []

    run(play(tmp_path, story))


def test_what_was_asked_for_leaves_the_lists_and_ids_that_may_come_once_leave_in_time(
    tmp_path: Path,
) -> None:
    async def story(at: Lobby) -> None:
        clock, tidying = at.hall.clock, Tidying(at.hall.office, at.hall.clock)
        times = {"created": clock(), "expires": clock() + 60}
        async with at.hall.office.write() as desk:
            for state in (State.PENDING, State.USED):
                assert await desk.approvals.add(approval(state.value, state=state, **times))
            for asked in (Asked.PENDING, Asked.DENIED):
                await desk.access.add_request(access_request(asked.value, state=asked, **times))
            await desk.invitations.add(
                Invitation(id="i1", digest=b"i", email="erin@example.org", expires=clock() + 60)
            )
            await desk.credentials.add(credential("k1", expires=None), "")
            await desk.credentials.end(credential("k1").digest, "", clock() + 60)
            assert await desk.seen.first("idp", "jti", clock() + 60)

        async def left() -> tuple[int, ...]:
            await tidying.clean()
            async with at.hall.office.read() as desk:
                found = (
                    await desk.approvals.newest(None, 9),
                    await desk.access.requests(None, 9),
                    await desk.invitations.newest(9),
                    await desk.credentials.newest(CredentialKind.KEY, 9),
                )
            return tuple(map(len, found))

        assert await left() == (2, 2, 1, 1)
        async with at.hall.office.write() as desk:
            assert not await desk.seen.first("idp", "jti", clock() + 60)
        clock.turn(61)
        await tidying.clean()
        async with at.hall.office.write() as desk:
            assert await desk.seen.first("idp", "jti", clock() + 60)
        clock.turn(90 * DAY - 1)
        assert await left() == (2, 2, 1, 1)
        clock.turn(1)
        assert await left() == (1, 1, 0, 0)

    run(play(tmp_path, story))
