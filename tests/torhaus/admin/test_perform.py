import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, Hall, play
from tests.torhaus.cast import run
from torhaus.admin.acts import DecideApproval, Refusal, RequestAccess, Scene
from torhaus.admin.perform import WORKS, Admin
from torhaus.audit.acts import Act
from torhaus.model.approval import State
from torhaus.model.desk import Desk, Office
from torhaus.model.ports import LedgerError, StateError


class FullDisk:
    """An office whose disk is full when a transaction is to be kept."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.read = office.read

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Desk]:
        async with self._office.write() as desk:
            yield desk
            raise StateError("the disk is full")


def test_the_record_is_durable_before_the_change_is_kept(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        hall.ledger.refuses = True

        with pytest.raises(LedgerError):
            await hall.admin.perform(BOB, DecideApproval(asked.id, True))

        assert await hall.state(asked.id) is State.PENDING
        assert hall.effects == []

    run(play(tmp_path, story))


def test_a_change_that_is_not_kept_after_all_is_recorded_too(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        means = dataclasses.replace(hall.means, office=FullDisk(hall.office))

        with pytest.raises(StateError):
            await Admin(means, hall.happened).perform(BOB, DecideApproval(asked.id, True))

        assert hall.ends()[1:] == [
            ("approval.approved", BOB.email, "success"),
            ("approval.approved", BOB.email, "error"),
        ]
        assert hall.ledger.durable[-1].access_control.reason == "the disk is full"
        assert await hall.state(asked.id) is State.PENDING
        assert hall.effects == []
        assert len(hall.told) == 1

    run(play(tmp_path, story))


def test_without_a_database_nothing_is_done_and_nothing_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        (tmp_path / "state.db").unlink()

        with pytest.raises(StateError, match="its file is gone"):
            await hall.admin.perform(ALICE, RequestAccess("tech_lead", 3600))

        assert hall.ledger.durable == []

    run(play(tmp_path, story))


def test_effects_and_news_come_after_the_transaction(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()

        await hall.done(BOB, DecideApproval(asked.id, True))

        (effect,) = hall.effects
        assert effect.approval == asked.id
        assert effect.news[0] in hall.told

    run(play(tmp_path, story))


def test_every_kind_of_act_has_its_work() -> None:
    assert {each.__name__ for each in WORKS} >= {
        "DecideApproval",
        "CancelApproval",
        "RequestAccess",
        "DecideAccess",
        "RevokeGrant",
    }


def test_what_people_write_is_kept_without_secrets(tmp_path: Path) -> None:
    token = "ghp" + "_A1b2C3d4E5f6G7h8J9k0LmNoPqRsTuVwXyZa"

    async def story(hall: Hall) -> None:
        done = await hall.admin.perform(ALICE, RequestAccess("on_call", 3600.0, f"for {token}"))

        assert "for [redacted:github-token]" in repr(done)
        assert token not in repr(done)

    run(play(tmp_path, story))


def test_a_refusal_that_is_known_before_leaves_its_record_and_waits_for_nobody(
    tmp_path: Path,
) -> None:
    act = Act(operation="token.refreshed", facts={"client": "c"})

    def judge(scene: Scene) -> Refusal | None:
        return Refusal("invalid_grant", "over", act) if scene.actor is BOB else None

    async def story(hall: Hall) -> None:
        async with hall.office.write():
            refused = await hall.admin.refused(BOB, judge, "192.0.2.7")
            assert await hall.admin.refused(ALICE, judge) is None

        assert refused == Refusal("invalid_grant", "over", act)
        assert hall.ends() == [("token.refreshed", BOB.email, "denied")]
        record = hall.ledger.durable[-1]
        assert (record.user.ip, record.access_control.policy_applied) == (
            "192.0.2.7",
            "invalid_grant",
        )

    run(play(tmp_path, story))
