import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, DAY, JANE, Hall
from tests.torhaus.admin.test_vaulting import connection
from tests.torhaus.admin.vaulted import NEW, OLD, PUT, ROTATE, play_with, rows
from torhaus.admin.people.acts import OffboardPerson
from torhaus.admin.safe import Safe
from torhaus.admin.vaulting import RemoveCredential
from torhaus.admin.wallet import CLAIM, Purse, rounds
from torhaus.identity.sealing import KeyRing
from torhaus.model.announcement import Kind
from torhaus.model.desk import Desk
from torhaus.model.ports import StateError
from torhaus.model.vault import Content, Held, Kept, Rotation, VaultKind


def purse(hall: Hall, told: list[str] | None = None) -> Purse:
    heard = [] if told is None else told
    return Purse(
        hall.means,
        hall.safe,
        lambda found: heard.extend(s for h in found for s in h.content.secrets()),
    )


def values(found: tuple[Held, ...] | None) -> list[str]:
    return [each.content.value for each in found or ()]


def test_the_new_one_comes_first_and_the_former_while_its_grace_lasts(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        heard: list[str] = []
        mine = purse(hall, heard)
        await hall.done(BOB, PUT)
        hall.clock.now += 100 * DAY
        await hall.done(BOB, ROTATE)

        assert mine.known("github", "") is None
        assert values(await mine.look("github", "")) == [NEW, OLD]
        assert values(mine.known("github", "")) == [NEW, OLD]
        assert set(heard) == {NEW, OLD}
        hall.clock.now += 7 * DAY
        assert values(mine.known("github", "")) == [NEW]

    play_with(tmp_path, story)


def test_what_another_process_changes_is_heard_of(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        mine = purse(hall)
        await hall.done(BOB, PUT)
        assert not await mine.refresh()
        await mine.look("github", "")
        assert not await mine.refresh()
        await hall.done(BOB, ROTATE)

        assert await mine.refresh()
        assert mine.known("github", "") is None
        assert values(await mine.look("github", "")) == [NEW, OLD]

    play_with(tmp_path, story)


def test_what_was_read_before_a_change_is_not_kept_after_it(tmp_path: Path) -> None:
    """A credential that was removed meanwhile would be used until the next change."""

    async def story(hall: Hall) -> None:
        class Slow(Safe):
            def opened(self, kept: Kept) -> Content:
                mine.forget()  # the change comes while what was read is being opened
                return hall.safe.opened(kept)

        mine = Purse(hall.means, Slow(lambda _: KeyRing([bytes(32)]), bytes), lambda *_: None)
        await hall.done(BOB, PUT)
        await mine.look("github", "")

        assert mine.known("github", "") is None

    play_with(tmp_path, story)


def test_one_of_several_processes_refreshes_and_all_have_it(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one, two = purse(hall), purse(hall)
        async with hall.office.write() as desk:
            await desk.vault.add(connection(hall, BOB.email))
        (held,) = await one.look("github", BOB.email)
        (other,) = await two.look("github", BOB.email)

        assert await one.claim(held)
        assert not await two.claim(other)
        assert await one.refreshed(held, Content(value="fresh"), 99.0)
        assert not await two.refreshed(other, Content(value="late"), 99.0)
        assert values(two.known("github", BOB.email)) == ["fresh"]
        assert (await rows(hall))[0].version == 2

    play_with(tmp_path, story)


def test_new_tokens_are_kept_although_the_database_is_away_for_a_moment(tmp_path: Path) -> None:
    """The former ones were used up for them: another try with those ends the connection."""

    async def story(hall: Hall) -> None:
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                safe.away = False

        class Away(Safe):
            away = True

            async def key(self, desk: Desk, now: float) -> str:
                if self.away:
                    raise StateError("the state database cannot answer: it is down")
                return await hall.safe.key(desk, now)

        safe = Away(lambda _: hall.ring, os.urandom)
        mine = Purse(hall.means, safe, lambda *_: None, sleep)
        async with hall.office.write() as desk:
            await desk.vault.add(connection(hall, BOB.email))
        (held,) = await mine.look("github", BOB.email)

        assert await mine.refreshed(held, Content(value="fresh"), 99.0)
        assert values(mine.known("github", BOB.email)) == ["fresh"]
        assert len(waits) == 2
        safe.away = True
        (held,) = mine.known("github", BOB.email) or ()
        with pytest.raises(StateError, match="it is down"):
            await mine.refreshed(held, Content(value="late"), 99.0)
        assert sum(waits) < CLAIM

    play_with(tmp_path, story)


def test_a_refresh_that_is_under_way_brings_nothing_back(tmp_path: Path) -> None:
    """Somebody is offboarded, or disconnects, or connects anew, while tokens come."""

    async def story(hall: Hall) -> None:
        mine = purse(hall)
        acts = (
            (DANA, OffboardPerson(BOB.email, "left")),
            (ALICE, RemoveCredential("github", ALICE.email)),
        )
        for who, act in acts:
            email = BOB.email if who is DANA else ALICE.email
            async with hall.office.write() as desk:
                await desk.vault.add(connection(hall, email))
            (held,) = await mine.look("github", email)
            assert await mine.claim(held)
            await hall.done(who, act)

            assert not await mine.refreshed(held, Content(value="late"), 99.0)
            await mine.failed(held, "late, too")
            assert mine.known("github", email) in (None, ())
            assert await rows(hall) == []

        async with hall.office.write() as desk:
            await desk.vault.add(connection(hall, JANE.email))
        (held,) = await mine.look("github", JANE.email)
        async with hall.office.write() as desk:
            await desk.vault.remove(held.kept.id)
            anew = msgspec.structs.replace(connection(hall, JANE.email), id="vlt_anew", version=2)
            anew = hall.safe.sealed(anew, Content(value="anew"), hall.ring.first)
            await desk.vault.add(anew)
        assert not await mine.refreshed(held, Content(value="late"), 99.0)
        assert values(mine.known("github", JANE.email)) == ["anew"]

    play_with(tmp_path, story)


def test_a_failure_is_noted_and_the_next_may_try(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        mine = purse(hall)
        async with hall.office.write() as desk:
            await desk.vault.add(connection(hall, BOB.email))
        (held,) = await mine.look("github", BOB.email)

        assert await mine.claim(held)
        await mine.failed(held, "it was revoked")

        assert (await rows(hall))[0].trouble == "it was revoked"
        assert await mine.claim(held)

    play_with(tmp_path, story)


def test_the_secrets_of_single_people_are_heard_of_too(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        heard: list[Held] = []
        mine = Purse(hall.means, hall.safe, heard.extend)
        async with hall.office.write() as desk:
            await desk.vault.add(connection(hall, BOB.email))
        await mine.look("github", BOB.email)

        assert [(each.kept.email, each.content.value) for each in heard] == [(BOB.email, "hers")]

    play_with(tmp_path, story)


def test_secrets_are_heard_of_before_anybody_uses_them_here(tmp_path: Path) -> None:
    """At the start, and when another process has kept them: somebody may repeat one anywhere."""

    async def story(hall: Hall) -> None:
        heard: list[str] = []
        mine = purse(hall, heard)
        await hall.done(BOB, PUT)
        async with hall.office.write() as desk:
            await desk.vault.add(connection(hall, JANE.email))

        await mine.refresh()
        assert set(heard) == {OLD, "hers"}
        heard.clear()
        await mine.refresh()
        assert heard == []
        hall.clock.now += 2 * DAY
        await hall.done(BOB, ROTATE)
        await mine.refresh()
        assert NEW in heard

    play_with(tmp_path, story)


def test_people_are_told_at_eighty_and_at_ninety_days_and_every_week_after(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        mine = purse(hall)
        await hall.done(BOB, PUT)
        begun = hall.clock.now
        told = []
        over = []
        for days in (79, 80, 85, 90, 95, 97, 98, 104, 118):
            hall.clock.now = begun + days * DAY
            told.append(await mine.remind())
            over.append(mine.over)

        assert told == [0, 1, 0, 1, 0, 1, 0, 1, 1]  # once due, once over, and every week then
        assert over == [(), (), (), *([("github",)] * 6)]
        first, second = hall.told[:2]
        assert first.kind is second.kind is Kind.CREDENTIAL
        assert "80 days old; policy allows 90 days" in first.text
        assert "torhaus secrets rotate github" in second.text
        assert DANA.email in first.to
        assert OLD not in repr(hall.told)
        assert values(await mine.look("github", "")) == [OLD]

    play_with(tmp_path, story)


def test_where_the_policy_is_enforced_an_old_one_is_not_used(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        mine = purse(hall)
        await hall.done(BOB, PUT)
        hall.rules = msgspec.structs.replace(hall.rules, rotation=Rotation(enforce=True))
        hall.clock.now += 90 * DAY - 1
        (young,) = await mine.look("github", "")
        hall.clock.now += 1
        (old,) = mine.known("github", "") or ()

        assert young.blocked == ""
        assert "older than the 90 days" in old.blocked
        await mine.remind()
        assert "not used any more" in hall.told[-1].text

    play_with(tmp_path, story)


def test_that_the_former_one_stands_in_is_told_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        mine = purse(hall)
        await hall.done(BOB, PUT)
        await hall.done(BOB, ROTATE)
        new = (await mine.look("github", ""))[0]

        await mine.stood_in(new)
        await mine.stood_in(new)

        (news,) = hall.told
        assert "torhaus secrets rollback github" in news.text

    play_with(tmp_path, story)


def test_what_does_not_open_is_not_there(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hall.done(BOB, PUT)
        hall.ring = KeyRing([b"other" + b"x" * 27])

        assert await purse(hall).look("github", "") == ()

    play_with(tmp_path, story)


def test_one_registration_is_kept_for_each_who_gave_it(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        mine = purse(hall)
        for issuer, id in (("https://a", "old"), ("https://b", "other"), ("https://a", "new")):
            await mine.register("github", issuer, Content(client_id=id))

        found = await mine.look("github", "")
        assert {(each.kept.issuer, each.content.client_id) for each in found} == {
            ("https://a", "new"),
            ("https://b", "other"),
        }
        assert {each.kept.kind for each in found} == {VaultKind.OAUTH_CLIENT}

    play_with(tmp_path, story)


def test_a_registration_leaves_a_record_without_its_secret(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        content = Content(client_id="known-there", client_secret="canary-secret")
        await purse(hall).register("github", "https://as.example", content)

        record = hall.ledger.durable[-1]
        assert record.operation == "credential.registered"
        said = msgspec.json.encode(record)
        assert b"canary" not in said
        assert b"https://as.example" in said
        assert b"known-there" in said

    play_with(tmp_path, story)


def test_the_rounds_look_every_second_and_survive_a_closed_database(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        mine = purse(hall)
        await hall.done(BOB, PUT)
        await mine.look("github", "")
        beats = asyncio.Queue[float]()

        async def sleep(seconds: float) -> None:
            beats.put_nowait(seconds)
            await asyncio.sleep(0)

        running = asyncio.create_task(rounds(mine, sleep))
        assert await beats.get() == 1.0
        await hall.done(BOB, ROTATE)
        while mine.known("github", "") is not None:
            await beats.get()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    play_with(tmp_path, story)
