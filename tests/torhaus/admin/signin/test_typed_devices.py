"""Strangers' guesses hold nobody back who has signed in with his browser before."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.admin.signin.test_typed import GUEST, Directory, asking
from tests.torhaus.cast import run
from tests.torhaus.web.house import HASHER, House, house
from torhaus.admin.signin import factors
from torhaus.admin.signin.errands import Errand
from torhaus.admin.signin.outcome import UNREADABLE, Closed, CodeNeeded, Guest, Opened
from torhaus.admin.throttle import ACCOUNT_FAILURES
from torhaus.identity.recovery import digest
from torhaus.model.signin import LocalAccounts

WORD = "correct horse"


def play(home: Path, story: Any) -> None:
    async def played() -> None:
        async with house(home) as at:
            at.local[0] = LocalAccounts(second_factor="optional")
            await at.account(ALICE, WORD)
            await story(at)

    run(played())


def guest(number: int = 1, device: str = "") -> Guest:
    return msgspec.structs.replace(GUEST, ip=f"192.0.2.{number}", device=device)


async def device(at: House) -> str:
    found = await at.reception.typed.password(ALICE.email, WORD, guest(), Errand())
    assert isinstance(found, Opened)
    return found.device


async def guessed_at(at: House) -> None:
    """Strangers have failed until nobody may try any more."""
    for number in range(ACCOUNT_FAILURES):
        found = await at.reception.typed.password(ALICE.email, "x", guest(100 + number), Errand())
        assert isinstance(found, Closed)
    assert await status(at, WORD, guest(200)) == 429


async def status(at: House, word: str, who: Guest) -> int:
    found = await at.reception.typed.password(ALICE.email, word, who, Errand())
    return found.status if isinstance(found, Closed) else 200


def test_her_own_browser_lets_alice_in_whoever_guesses(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        mine = await device(at)
        await guessed_at(at)

        assert await status(at, WORD, guest(200, mine)) == 200
        assert await status(at, WORD, guest(201)) == 429

    play(tmp_path, story)


def test_her_browser_is_not_held_back_by_failures_from_its_own_address(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        mine = await device(at)
        for number in range(10):
            await at.reception.typed.password(f"{number}@example.org", "x", guest(), Errand())
        assert await status(at, WORD, guest()) == 429

        assert await status(at, WORD, guest(device=mine)) == 200

    play(tmp_path, story)


def test_whoever_has_her_browser_guesses_no_more_than_others(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        mine = await device(at)
        tries = [await status(at, "x", guest(n, mine)) for n in range(ACCOUNT_FAILURES + 1)]

        assert tries == [*[401] * ACCOUNT_FAILURES, 429]
        assert await status(at, WORD, guest(300 % 256, mine)) == 429
        assert await status(at, WORD, guest(2)) == 200

    play(tmp_path, story)


def test_the_browser_of_bob_is_a_strangers_at_the_account_of_alice(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        other = at.reception.devices.signed_in("", "bob@example.org")
        await guessed_at(at)

        assert await status(at, WORD, guest(200, other)) == 429

    play(tmp_path, story)


@pytest.mark.parametrize("when", [-1, 0, 1])
def test_a_browser_from_before_the_password_is_a_strangers(tmp_path: Path, when: float) -> None:
    async def story(at: House) -> None:
        mine = await device(at)
        changed = at.hall.clock.now + when
        await at.account(ALICE, WORD, changed=changed)
        await guessed_at(at)

        assert await status(at, WORD, guest(200, mine)) == (429 if when > 0 else 200)

    play(tmp_path, story)


def test_codes_of_a_known_browser_count_for_it_alone(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        mine = await device(at)
        sealed = factors.sealed(at.reception.typed._sealer, ALICE.email, b"s" * 20)
        await at.account(ALICE, WORD, second_factor=sealed)
        await guessed_at(at)
        step = await at.reception.typed.password(ALICE.email, WORD, guest(200, mine), Errand())
        assert isinstance(step, CodeNeeded)

        for number in range(ACCOUNT_FAILURES):
            wrong = await at.reception.typed.code(step.token, "000000", guest(number, mine))
            assert isinstance(wrong, Closed)
            assert wrong.status == 401
        wrong = await at.reception.typed.code(step.token, "000000", guest(200, mine))
        assert isinstance(wrong, Closed)
        assert wrong.status == 429

    play(tmp_path, story)


def test_a_second_factor_of_another_key_is_not_called_a_wrong_code(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, WORD, second_factor=b"sealed", recovery=(digest("abcd"),))
        step = await at.reception.typed.password(ALICE.email, WORD, guest(), Errand())
        assert isinstance(step, CodeNeeded)

        unread = await at.reception.typed.code(step.token, "000000", guest())
        assert isinstance(unread, Closed)
        assert (unread.status, unread.text) == (503, UNREADABLE)

        recovered = await at.reception.typed.code(step.token, "abcd", guest())
        assert isinstance(recovered, Opened)

    play(tmp_path, story)


def test_a_directory_knows_browsers_too(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        typed = asking(at, {"corp": Directory()})
        first = await typed.directory("corp", "Alice ", "right", GUEST, Errand())
        assert isinstance(first, Closed)  # as this directory compares
        found = await typed.directory("corp", "alice", "right", GUEST, Errand())
        assert isinstance(found, Opened)
        for number in range(ACCOUNT_FAILURES):
            await typed.directory("corp", "alice", "x", guest(100 + number), Errand())
        barred = await typed.directory("corp", "alice", "right", guest(200), Errand())
        assert isinstance(barred, Closed)
        assert barred.status == 429

        mine = await typed.directory("corp", "alice", "right", guest(200, found.device), Errand())

        assert isinstance(mine, Opened)

    play(tmp_path, story)


def test_who_is_in_changes_his_password_whoever_guesses(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await guessed_at(at)
        own = at.reception.own

        assert (
            await own.change_password(ALICE, "", WORD, "another horse battery", "192.0.2.9") == ""
        )
        async with at.hall.office.read() as desk:
            kept = await desk.passwords.get(ALICE.email)
        assert kept is not None
        assert await HASHER.verify(kept.hash, "another horse battery")

    play(tmp_path, story)


def test_who_is_signed_in_proves_himself_again_whoever_guesses(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await guessed_at(at)
        errand = Errand(email=ALICE.email, replaces="the session she is in")

        async def tried(word: str) -> int:
            found = await at.reception.typed.password(ALICE.email, word, guest(201), errand)
            return found.status if isinstance(found, Closed) else 200

        assert await tried("x") == 401
        assert await tried(WORD) == 200
        assert [await tried("x") for _ in range(ACCOUNT_FAILURES)] == [401] * ACCOUNT_FAILURES
        assert await tried(WORD) == 429

    play(tmp_path, story)
