import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, DANA, Hall
from tests.torhaus.admin.ringed import Gateway, fill, kept, opened
from tests.torhaus.admin.vaulted import play_with
from torhaus.admin import rekeying
from torhaus.admin.acts import Refusal
from torhaus.admin.rekeying import Rekeyed
from torhaus.model.access import Permission
from torhaus.model.ports import StateError
from torhaus.model.rings import Holder
from torhaus.model.vault import Content

MANY = 250


def canaries(number: int = MANY) -> dict[str, str]:
    return {kept(n).id: f"canary-{n}" for n in range(number)}


async def rekeyed(gateway: Gateway) -> Rekeyed:
    done = await gateway.rekeying.rekey(DANA, "")
    assert isinstance(done, Rekeyed), done
    return done


def test_every_row_is_under_the_new_key_and_opens_without_the_old(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one = Gateway(hall.means, tmp_path)
        await fill(hall, one.safe, MANY)
        old = one.ring.ids()[0]

        done = await rekeyed(one)

        assert done == Rekeyed(one.ring.ids()[0], MANY, (), ())
        assert done.key != old
        async with hall.office.read() as desk:
            assert await desk.vault.key_ids() == [done.key]
        assert await opened(hall, Gateway(hall.means, tmp_path).safe) == canaries()
        assert hall.ends()[-1] == ("vault.rekeyed", DANA.email, "success")
        assert hall.parameters()["before"] == {"key": old}
        assert hall.parameters()["after"] == {"key": done.key}

    play_with(tmp_path, story)


def test_the_key_of_before_stays_for_once(tmp_path: Path) -> None:
    """A copy of the database that is put back opens with it."""

    async def story(hall: Hall) -> None:
        one = Gateway(hall.means, tmp_path)
        await fill(hall, one.safe, 3)
        first = one.ring.ids()[0]

        second = (await rekeyed(one)).key
        assert one.ring.ids() == (second, first)
        done = await rekeyed(one)

        assert one.ring.ids() == (done.key, second)
        assert done.unused == (first,)

    play_with(tmp_path, story)


def test_another_process_seals_under_the_new_key_from_the_same_moment(tmp_path: Path) -> None:
    """It still had the old one at hand, which is let go: its rows were lost."""

    async def story(hall: Hall) -> None:
        one, two = Gateway(hall.means, tmp_path), Gateway(hall.means, tmp_path, "two")
        await fill(hall, one.safe, 3)
        for number in range(3, 9):
            done = await rekeyed(one)
            async with hall.office.write() as desk:
                key = await two.safe.key(desk, 1.0)
                content = Content(value=f"canary-{number}")
                await desk.vault.add(two.safe.sealed(kept(number), content, key))
            assert key == done.key

        assert await opened(hall, one.safe) == await opened(hall, two.safe) == canaries(9)
        assert await opened(hall, Gateway(hall.means, tmp_path).safe) == canaries(9)

    play_with(tmp_path, story)


def test_it_waits_until_every_gateway_has_the_key(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one, two = Gateway(hall.means, tmp_path), Gateway(hall.means, tmp_path, "two")
        for each in (one, two):
            await each.holding.turn()
        one.beside = [two]

        done = await rekeyed(one)

        assert 0 < one.waits < 1
        assert done.key in two.ring.ids()

    play_with(tmp_path, story)


def test_where_a_gateway_cannot_have_the_key_nothing_changes(tmp_path: Path) -> None:
    """It has a data folder of its own. The next time, the same key is tried."""

    async def story(hall: Hall) -> None:
        one, two = Gateway(hall.means, tmp_path), Gateway(hall.means, tmp_path / "other", "two")
        one.beside = [two]
        await fill(hall, one.safe, 3)
        await two.holding.turn()
        old = one.ring.ids()[0]

        for _ in range(2):
            refused = await one.rekeying.rekey(DANA, "")

            assert isinstance(refused, Refusal)
            assert (refused.code, "host-two" in refused.reason) == ("conflict", True)
            assert one.waits >= rekeying.PATIENCE
            assert hall.ends()[-1] == ("vault.rekeyed", DANA.email, "denied")
            assert len(one.ring.ids()) == 2
        async with hall.office.write() as desk:
            assert await one.safe.key(desk, 1.0) == old
            assert await desk.vault.key_ids() == [old]
            with pytest.raises(StateError, match="not in this gateway's key ring"):
                await two.safe.key(desk, 1.0)

    play_with(tmp_path, story)


def test_a_gateway_that_runs_no_more_is_not_waited_for(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one = Gateway(hall.means, tmp_path)
        async with hall.office.write() as desk:
            seen = hall.clock.now - rekeying.GONE - 1
            await desk.rings.announce(Holder("killed", "host", ("old",), seen))

        await rekeyed(one)

        assert one.waits == 0

    play_with(tmp_path, story)


def test_keys_of_others_are_put_in_force_and_never_changed(tmp_path: Path) -> None:
    old, new = "b2xk" * 10 + "b2w=", "bmV3" * 10 + "bmU="

    async def story(hall: Hall) -> None:
        before = Gateway(hall.means, tmp_path, environ={"TORHAUS_KEYS": old})
        await fill(hall, before.safe, 3)
        both = Gateway(hall.means, tmp_path, environ={"TORHAUS_KEYS": f"{new},{old}"})
        async with hall.office.write() as desk:  # restarted: others may not be yet
            assert await both.safe.key(desk, 1.0) == before.ring.ids()[0]

        done = await rekeyed(both)

        assert done == Rekeyed(both.ring.ids()[0], 3, (), (before.ring.ids()[0],))
        after = Gateway(hall.means, tmp_path, environ={"TORHAUS_KEYS": new})
        assert await opened(hall, after.safe) == canaries(3)

    play_with(tmp_path, story)


def test_where_the_ring_is_lost_another_one_is_put_in_force(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        lost = Gateway(hall.means, tmp_path / "lost")
        await fill(hall, lost.safe, 2)
        one = Gateway(hall.means, tmp_path)

        done = await rekeyed(one)

        assert (done.wrapped, len(done.lost)) == (0, 2)
        async with hall.office.write() as desk:
            assert await one.safe.key(desk, 1.0) == done.key == one.ring.ids()[0]

    play_with(tmp_path, story)


def test_two_at_once_end_with_one_key(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one, two = Gateway(hall.means, tmp_path), Gateway(hall.means, tmp_path, "two")
        await fill(hall, one.safe, MANY)
        one.beside, two.beside = [two], [one]

        done = await asyncio.gather(*(rekeyed(each) for each in (one, two, one, two)))

        async with hall.office.write() as desk:
            key = await one.safe.key(desk, 1.0)
            assert await desk.vault.key_ids() == [key]
        assert key in {each.key for each in done}
        assert await opened(hall, Gateway(hall.means, tmp_path).safe) == canaries()

    play_with(tmp_path, story)


def test_others_write_while_it_runs_and_lose_nothing(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one, two = Gateway(hall.means, tmp_path), Gateway(hall.means, tmp_path, "two")
        await fill(hall, one.safe, MANY)
        refreshed = dict[str, str]()

        async def load() -> None:
            for n in range(0, MANY, 5):
                async with hall.office.write() as desk:
                    key = await two.safe.key(desk, 1.0)
                    row = await desk.vault.get(kept(n).id)
                    assert row is not None
                    newer = msgspec.structs.replace(row, version=row.version + 1)
                    newer = two.safe.sealed(newer, Content(value=f"fresh-{n}"), key)
                    assert await desk.vault.replace(newer, row.version)
                    refreshed[row.id] = f"fresh-{n}"
                await asyncio.sleep(0)

        _, done = await asyncio.gather(load(), rekeyed(one))

        assert done.lost == ()
        assert len(refreshed) == MANY // 5
        assert await opened(hall, one.safe) == {**canaries(), **refreshed}

    play_with(tmp_path, story)


def test_what_does_not_open_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one = Gateway(hall.means, tmp_path)
        await fill(hall, one.safe, rekeying.AT_ONCE + 5)
        async with hall.office.write() as desk:
            broken = await desk.vault.get("vlt_0003")
            assert broken is not None
            await desk.vault.turn()
            await desk.vault.rewrap(broken, b"\x01" + b"x" * 100, broken.key_id)
        old = one.ring.ids()[0]

        for _ in range(3):
            done = await rekeyed(one)
            assert (done.wrapped, done.lost) == (rekeying.AT_ONCE + 4, ("vlt_0003",))
        assert old in one.ring.ids()  # the broken row may be mended from a backup

    play_with(tmp_path, story)


def test_it_needs_rights_over_every_server(tmp_path: Path) -> None:
    held = msgspec.structs.replace(
        DANA, scopes=frozenset({Permission("github", "*", "admin", "scope")})
    )

    async def story(hall: Hall) -> None:
        one = Gateway(hall.means, tmp_path)
        await fill(hall, one.safe, 1)
        before = one.ring.ids()

        for who, words in ((ALICE, "every server"), (held, "scopes")):
            found = await one.rekeying.rekey(who, "")

            assert isinstance(found, Refusal)
            assert (found.code, words in found.reason) == ("not_allowed", True)
            assert hall.ends()[-1] == ("vault.rekeyed", who.email, "denied")
        assert one.ring.ids() == before

    play_with(tmp_path, story)


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one = Gateway(hall.means, tmp_path)
        await fill(hall, one.safe, 2)
        one.ring.path.write_text("no key")

        with pytest.raises(StateError, match=r"key ring cannot be changed: .* must hold keys"):
            await one.rekeying.rekey(DANA, "")
        assert await opened(hall, one.safe) == canaries(2)

    play_with(tmp_path, story)
