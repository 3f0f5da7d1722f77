from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import ALICE, DANA, rules, until
from tests.torhaus.cast import NOW, run, sealer
from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.state.databases import furnish
from tests.torhaus.witnesses import MemoryLedger
from torhaus.admin.acts import DecideAccess, Done, RequestAccess
from torhaus.admin.rounds import Grants
from torhaus.admin.teams.acts import MakeTeam
from torhaus.annex import Annex, fresh_id
from torhaus.config.settings import Settings
from torhaus.gate.catalogue import Catalogue
from torhaus.model.approval import Approval, State, Wanted
from torhaus.model.person import Moved, Person, Roster
from torhaus.model.ports import StateError
from torhaus.model.stops import Stop
from torhaus.redact.guard import Guard
from torhaus.store.counters import MemoryCounters
from torhaus.store.memory import MemoryCache
from torhaus.store.state.database import NAME


class House:
    """As much of one as the annex needs."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.rules = rules()
        self.granted: list[Grants] = []
        self.peopled: list[Roster] = []
        self.amended: list[Person] = []
        self.moved: list[Moved] = []
        self.stopped: list[tuple[Stop, ...]] = []
        self.annex = Annex(
            Settings(data_dir=home, **settings),
            sealer=sealer(),
            ledger=MemoryLedger(),
            journal=journal(home),
            rules=lambda: self.rules,
            catalogue=Catalogue(),
            force=self,
            cut=lambda: None,
            left=lambda _email: None,
            refused=lambda _ip, _reason: None,
            exposed=lambda _email, _key, _ip: None,
            cache=MemoryCache(),
            counters=MemoryCounters(),
            guard=Guard(),
        )

    async def regrant(self, grants: Grants) -> None:
        self.granted.append(grants)

    async def repeople(self, roster: Roster) -> None:
        self.peopled.append(roster)

    def amend(self, persons: Sequence[Person], moved: Moved | None = None) -> None:
        self.amended.extend(persons)
        self.moved.extend([] if moved is None else [moved])

    def restop(self, stops: tuple[Stop, ...]) -> None:
        self.stopped.append(stops)


@asynccontextmanager
async def house(home: Path, **settings: Any) -> AsyncIterator[House]:
    furnish(home)
    made = House(home, **settings)
    await made.annex.start()
    try:
        yield made
    finally:
        await made.annex.close()


async def grant(made: House) -> None:
    asked = await made.annex.admin.perform(ALICE, RequestAccess("tech_lead", 3600.0))
    assert isinstance(asked, Done)
    done = await made.annex.admin.perform(DANA, DecideAccess(asked.result.id, True))
    assert isinstance(done, Done)


def test_a_grant_is_in_force_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        with capture_logs():
            async with house(tmp_path) as made:
                assert made.granted == []
                await grant(made)
                await until(lambda: made.granted != [])

            async with house(tmp_path) as again:
                (grants,) = again.granted

        assert [each.role for each in grants] == ["tech_lead"]

    run(story())


def test_two_gateways_on_one_database_learn_from_each_other(tmp_path: Path) -> None:
    async def story() -> None:
        with capture_logs():
            async with house(tmp_path) as one, house(tmp_path) as other:
                await grant(one)
                await until(lambda: other.granted != [])

        assert other.granted[0] == one.granted[0]

    run(story())


@pytest.mark.parametrize(
    ("what", "looks"),
    [
        ("credentials", {"following"}),
        ("something new", {"following"}),
        ("grants", {"rounds"}),
        ("approvals", {"rounds"}),
        ("tools", {"pinning"}),
        ("", {"following", "rounds", "pinning"}),
    ],
)
def test_what_is_heard_is_looked_at_now(what: str, looks: set[str], tmp_path: Path) -> None:
    async def story() -> None:
        annex = House(tmp_path).annex

        annex._heard(what)

        turns = {
            "following": annex.following._turns,
            "rounds": annex.rounds._turns,
            "pinning": annex.pinning._turns,
        }
        assert {name for name, each in turns.items() if each.asked} == looks

    run(story())


def test_a_database_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()

    async def story() -> None:
        made = House(tmp_path)
        with pytest.raises(StateError, match="cannot be opened"):
            await made.annex.start()
        await made.annex.close()

    run(story())


def asked() -> Approval:
    wanted = Wanted(
        digest=b"",
        requester="a",
        email="a",
        server="s",
        tool="t",
        arguments="{}",
        policy="p",
        reason="",
        policy_version="1",
    )
    return Approval(id="adm_1", state=State.PENDING, wanted=wanted, created=NOW, expires=NOW + 9)


@pytest.mark.parametrize(
    ("settings", "port", "start"),
    [
        ({"public_url": "https://gw.example.org"}, 1, "https://gw.example.org/approvals/adm_1?t="),
        ({"port": 8080}, None, "http://127.0.0.1:8080/approvals/adm_1?t="),
        ({"port": 0}, 4711, "http://127.0.0.1:4711/approvals/adm_1?t="),
    ],
)
def test_links_lead_to_where_people_reach_us(
    settings: dict[str, Any], port: int | None, start: str, tmp_path: Path
) -> None:
    async def story() -> None:
        made = House(tmp_path, **settings)
        made.annex.port = port

        assert str(made.annex.links.url(asked())).startswith(start)

    run(story())


def test_links_follow_the_configuration(tmp_path: Path) -> None:
    async def story() -> None:
        made = House(tmp_path, port=8080)
        made.annex.renew(Settings(public_url="https://new.example.org"))

        assert str(made.annex.links.url(asked())).startswith("https://new.example.org/")

    run(story())


def test_without_a_port_there_is_no_link(tmp_path: Path) -> None:
    async def story() -> None:
        assert House(tmp_path, port=0).annex.links.url(asked()) is None

    run(story())


def test_ids_are_not_to_be_guessed() -> None:
    assert len({fresh_id() for _ in range(1000)}) == 1000
    assert len(fresh_id()) == 24


def test_what_changes_of_teams_is_in_force_before_the_act_is_over(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            done = await made.annex.admin.perform(DANA, MakeTeam(name="web"))

            assert isinstance(done, Done)
            [moved] = made.moved
            assert [each.name for each in moved.teams] == ["web"]

    run(story())
