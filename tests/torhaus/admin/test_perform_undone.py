"""What a refusal leaves behind: nothing, or what was used up; on both databases."""

import typing
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, Hall, hall
from tests.torhaus.admin.oauth.lobby import CURSOR, IP, VERIFIER, Lobby
from tests.torhaus.cast import NOW, run
from tests.torhaus.store.state.databases import CannotRunError, Place, postgres
from torhaus.admin.acts import Burnt, Effect, Refusal, Scene
from torhaus.admin.exposure import EXPOSURE_WORKS
from torhaus.admin.inviting.works import INVITING_WORKS
from torhaus.admin.oauth.acts import Claim, ExchangeCode, Pair
from torhaus.admin.oauth.works import oauth_works
from torhaus.admin.perform import WORKS, Admin, Work
from torhaus.admin.provisioning.works import PROVISIONING_WORKS
from torhaus.admin.signin.acts import Fresh, ResetPassword, SignIn
from torhaus.admin.signin.passwords import RESET
from torhaus.admin.signin.vouching import vouching
from torhaus.admin.signin.works import SIGNIN_WORKS
from torhaus.admin.teams.works import TEAM_WORKS
from torhaus.admin.vaulting import vaulting
from torhaus.audit.acts import Act
from torhaus.identity.keys import digest
from torhaus.model.accounts import Leaving, Password
from torhaus.model.desk import Desk
from torhaus.model.person import Person, PersonState
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.stops import Stop, StopKind
from torhaus.store.state.line import driver

TRIED = Act(operation="thing.tried")
TICKET = digest("ticket")


class Try(msgspec.Struct, frozen=True):
    """An act of these tests."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    try:
        with postgres() as url:
            yield url
    except CannotRunError as error:
        pytest.skip(str(error))


def play(server: str | None, home: Path, story: Callable[[Hall], Awaitable[None]]) -> None:
    async def played() -> None:
        place = Place(home, server)
        await place.database()
        async with hall(home, place.url) as made:
            await story(made)

    run(played())


def tries(at: Hall, work: Work) -> Admin:
    return Admin(at.means, at.happened, {Try: work})


async def writes(desk: Desk) -> None:
    """Something in tables of several rooms."""
    await desk.persons.put(Person(email="new@example.org"))
    await desk.stops.add(
        Stop(
            id="stp_1",
            kind=StopKind.USER,
            target=ALICE.email,
            reason="r",
            created=NOW,
            created_by="x",
            expires=None,
        )
    )
    assert await desk.seen.first("source", "once", NOW + 60)
    await desk.passwords.put(Password(email=ALICE.email, hash="h"))


class _LookedError(Exception):
    pass


async def left(at: Hall) -> list[bool]:
    """What of `writes` is there; looking changes nothing."""
    found: list[bool] = []
    with suppress(_LookedError):
        async with at.office.write() as desk:
            found = [
                await desk.persons.get("new@example.org") is not None,
                bool(await desk.stops.in_force(NOW)),
                not await desk.seen.first("source", "once", NOW + 60),
                await desk.passwords.get(ALICE.email) is not None,
            ]
            raise _LookedError
    return found


async def left_ticket(at: Hall, kind: str = RESET) -> None:
    async with at.office.write() as desk:
        await desk.departures.add(
            Leaving(digest=TICKET, kind=kind, sealed=b"", created=NOW - 1, expires=NOW + 60)
        )


async def waits(at: Hall) -> bool:
    """Whether the ticket opens something still. Does not use it up."""
    async with at.office.read() as desk:
        return await desk.departures.get(TICKET, NOW) is not None


async def refusing(desk: Desk, _scene: Scene, _act: Try) -> Refusal:
    await writes(desk)
    return Refusal("conflict", "no", TRIED)


async def burning(desk: Desk, _scene: Scene, _act: Try) -> Burnt:
    await writes(desk)
    return Burnt(Refusal("conflict", "no", TRIED))


def test_of_a_refused_act_nothing_stays(server: str | None, tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        found = await tries(at, refusing).perform(ALICE, Try(), IP)

        assert found == Refusal("conflict", "no", TRIED)
        assert at.ends() == [("thing.tried", ALICE.email, "denied")]
        assert at.effects == []
        assert await left(at) == [False] * 4

    play(server, tmp_path, story)


def test_what_a_refusal_has_used_up_stays_used_up(server: str | None, tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        found = await tries(at, burning).perform(ALICE, Try(), IP)

        assert found == Refusal("conflict", "no", TRIED)
        assert at.ends() == [("thing.tried", ALICE.email, "denied")]
        assert at.effects == []
        assert await left(at) == [True] * 4

    play(server, tmp_path, story)


def test_a_refusal_without_a_record_burns_nothing(server: str | None, tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        at.ledger.refuses = True

        with pytest.raises(LedgerError):
            await tries(at, burning).perform(ALICE, Try(), IP)
        with pytest.raises(LedgerError):
            await tries(at, refusing).perform(ALICE, Try(), IP)

        assert await left(at) == [False] * 4

    play(server, tmp_path, story)


async def cut(desk: Any, url: str | None) -> None:
    """The line of this transaction is gone, so that it can neither be kept nor undone."""
    if url is None:
        line = driver(desk.seen._connection)
        await line._execute(line._conn.close)  # below what SQLAlchemy looks at
        return
    other = await asyncpg.connect(url)
    try:
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await other.close()


@pytest.mark.parametrize("work", [refusing, burning])
def test_a_refusal_is_recorded_and_keeps_nothing_where_its_line_is_cut(
    work: Work, server: str | None, tmp_path: Path
) -> None:
    async def played() -> None:
        place = Place(tmp_path, server)
        await place.database()

        async def torn(desk: Desk, scene: Scene, act: Try) -> Effect | Refusal | Burnt:
            found = await work(desk, scene, act)
            await cut(desk, place.url)
            return found

        async with hall(tmp_path, place.url) as at:
            found: Any = None
            with suppress(StateError):
                found = await tries(at, torn).perform(ALICE, Try(), IP)

            # What was to be burnt is not: that is no refusal, but a database that is away.
            assert (found is None) == (work is burning)
            assert at.ends() == [("thing.tried", ALICE.email, "denied")]
            assert await left(at) == [False] * 4
            again = await tries(at, refusing).perform(ALICE, Try(), IP)
            assert isinstance(again, Refusal)  # and the next one has a line of its own

    run(played())


def test_a_ticket_opens_nothing_again_after_its_owner_was_not_let_in(
    server: str | None, tmp_path: Path
) -> None:
    fresh = Fresh(digest=b"c" * 32, provider="local", ticket=TICKET)

    async def story(at: Hall) -> None:
        admin = Admin(at.means, at.happened, SIGNIN_WORKS)
        await left_ticket(at, "code")
        async with at.office.write() as desk:
            await desk.persons.put(
                Person(email=ALICE.email, owner="file", state=PersonState.SUSPENDED)
            )

        first = await admin.perform(ALICE, SignIn(fresh), IP)
        again = await admin.perform(ALICE, SignIn(fresh), IP)

        assert isinstance(first, Refusal)
        assert isinstance(again, Refusal)
        assert "suspended" in first.reason
        assert "already been used" in again.reason
        assert not await waits(at)
        assert [each[2] for each in at.ends()] == ["denied", "denied"]

    play(server, tmp_path, story)


def test_a_reset_link_is_over_after_it_was_refused(server: str | None, tmp_path: Path) -> None:
    act = ResetPassword(TICKET, Password(email=ALICE.email, hash="new"))

    async def story(at: Hall) -> None:
        admin = Admin(at.means, at.happened, SIGNIN_WORKS)
        await left_ticket(at)
        kept = Password(email=ALICE.email, hash="old", changed=NOW)
        async with at.office.write() as desk:
            await desk.passwords.put(kept)

        refused = await admin.perform(ALICE, act, IP)

        assert isinstance(refused, Refusal)
        assert not await waits(at)
        async with at.office.read() as desk:
            assert await desk.passwords.get(ALICE.email) == kept

    play(server, tmp_path, story)


def test_a_code_is_burnt_although_its_consent_has_ended_meanwhile(
    server: str | None, tmp_path: Path
) -> None:
    act = ExchangeCode(
        code=digest("code"),
        client=CURSOR,
        claim=Claim(verifier=VERIFIER),
        pair=Pair(access=b"a" * 32, refresh=b"r" * 32, id="tok_1"),
        ip=IP,
    )

    async def story(at: Hall) -> None:
        lobby = Lobby(at)
        await lobby.begin()
        await lobby.register(CURSOR)
        await lobby.consent()
        async with at.office.write() as desk:
            await desk.families.end("con_1", "x", "r", NOW)

        refused = await lobby.admin.perform(ALICE, act, IP)

        assert isinstance(refused, Refusal)
        assert refused.reason == "the consent has ended"
        async with at.office.read() as desk:
            code = await desk.codes.get(act.code)
            assert code is not None
            assert code.used is not None
            assert await desk.credentials.of(ALICE.email) == []
            assert await desk.refreshes.get(b"r" * 32) is None

    play(server, tmp_path, story)


BURNING = {"sign_in", "arrive", "work", "reset_password", "exchange_code"}
"""Works whose refusal keeps something; `work` is `arrive` with what is kept of it."""


def test_all_works_that_keep_something_of_a_refusal_are_known(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        every: list[Any] = [
            work
            for room in (
                WORKS,
                SIGNIN_WORKS,
                TEAM_WORKS,
                INVITING_WORKS,
                PROVISIONING_WORKS,
                EXPOSURE_WORKS,
                vaulting(at.safe),
                vouching(at.safe),
                oauth_works(lambda: Lobby(at).server),
                at.admin._works,
            )
            for work in room.values()
        ]
        burning = {
            each.__name__
            for each in every
            if Burnt in typing.get_args(typing.get_type_hints(each)["return"])
        }

        assert len(every) > 40
        assert burning == BURNING

    play(None, tmp_path, story)
