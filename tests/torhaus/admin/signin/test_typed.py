import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.torhaus.admin.hall import ALICE, person
from tests.torhaus.cast import run
from tests.torhaus.web.house import HASHER, House, house
from torhaus.admin.signin.errands import Errand
from torhaus.admin.signin.outcome import Closed, FactorNeeded, Guest, Opened
from torhaus.admin.signin.typed import Typed
from torhaus.model.person import Person, PersonState
from torhaus.model.signin import Asking, Identity, LocalAccounts, SignInError, UnaskedError

FRIDA = person("frida", "empty")
GUEST = Guest(ip="192.0.2.7", agent="x", browser=b"b")


class Directory:
    """Knows Alice."""

    name, label = "corp", "Directory"

    async def ask(self, user: str, password: str, now: float) -> Identity:
        if user == "down":
            raise UnaskedError("Directory", "no connection")
        if (user, password) != ("alice", "right"):
            raise SignInError("The name or the password is wrong.")
        return Identity(provider="corp", issuer="ldap", subject="u", email=ALICE.email)


def asking(at: House, known: Mapping[str, Asking]) -> Typed:
    made = at.reception
    return Typed(
        made.entering,
        made.errands,
        made.typed._sealer,
        HASHER,
        made.throttle,
        made.devices,
        LocalAccounts,
        lambda: known,
    )


def test_a_directory_says_who_somebody_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            typed = asking(at, {"corp": Directory()})

            found = await typed.directory("corp", "alice", "right", GUEST, Errand(next="/x"))
            wrong = await typed.directory("corp", "alice", "wrong", GUEST, Errand(next="/x"))
            none = await typed.directory("else", "alice", "right", GUEST, Errand(next="/x"))

            assert isinstance(found, Opened)
            assert found.next == "/x"
            assert wrong == Closed(status=401, text="The name or the password is wrong.")
            assert isinstance(none, Closed)
            assert none.status == 404

    run(story())


def test_guessing_at_a_directory_waits_too(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            typed = asking(at, {"corp": Directory()})
            for _ in range(10):
                await typed.directory("corp", "alice", "wrong", GUEST, Errand())

            found = await typed.directory("corp", "alice", "right", GUEST, Errand())
            elsewhere = msgspec.structs.replace(GUEST, ip="192.0.2.8")
            other = await typed.directory("corp", "alice", "right", elsewhere, Errand())

            assert isinstance(found, Closed)
            assert (found.status, found.wait) == (429, 60)
            assert isinstance(other, Opened)

    run(story())


def test_a_directory_that_is_down_is_no_wrong_password_and_costs_no_try(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            typed = asking(at, {"corp": Directory()})
            for _ in range(12):
                down = await typed.directory("corp", "down", "right", GUEST, Errand())
                assert isinstance(down, Closed)
                assert down.status == 502
                assert down.text == "Directory cannot be asked right now: try again later"

            found = await typed.directory("corp", "alice", "right", GUEST, Errand())

            assert isinstance(found, Opened)

    run(story())


def test_many_tries_at_once_are_no_more_than_one_after_the_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.account(ALICE, "correct horse")
            typed = at.reception.typed

            found = await asyncio.gather(
                *(typed.password(ALICE.email, "wrong", GUEST, Errand()) for _ in range(30)),
                *(typed.directory("corp", "alice", "wrong", GUEST, Errand()) for _ in range(3)),
            )

            closed = [each.status for each in found if isinstance(each, Closed)]
            assert closed[:30].count(401) == 10
            assert closed[:30].count(429) == 20

    run(story())


def test_whoever_knows_the_password_waits_for_nobody_and_does_not_count(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.account(ALICE, "correct horse")
            at.local[0] = LocalAccounts(second_factor="optional")

            for _ in range(25):
                found = await at.reception.typed.password(
                    ALICE.email, "correct horse", GUEST, Errand()
                )
                assert isinstance(found, Opened)

    run(story())


def test_a_sign_in_under_way_ends_with_the_password_it_began_with(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.account(ALICE, "correct horse", changed=1.0)
            at.local[0] = LocalAccounts(second_factor="everybody")
            typed = at.reception.typed
            begun = await typed.password(ALICE.email, "correct horse", GUEST, Errand())
            assert isinstance(begun, FactorNeeded)
            await at.account(ALICE, "another horse", changed=2.0)

            code = TOTP(begun.secret, 6, SHA1(), 30, enforce_key_length=False)
            typed_code = code.generate(int(at.hall.clock())).decode()
            found = await typed.factor(begun.token, typed_code, GUEST)

            assert isinstance(found, Closed)
            assert found.status == 400

    run(story())


def test_who_is_not_known_any_more_does_not_come_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.account(FRIDA, "correct horse")

            found = await at.reception.typed.password(FRIDA.email, "correct horse", GUEST, Errand())

            assert isinstance(found, Closed)
            assert found.status == 403
            assert at.hall.ends()[-1][0] == "signin.refused"

    run(story())


def test_one_name_of_a_directory_is_guessed_under_one_spelling(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            typed = asking(at, {"corp": Directory()})
            spelled = ("alice", "ALICE", " alice", "alice ", "alice  ")
            for number in range(20):
                guest = msgspec.structs.replace(GUEST, ip=f"192.0.2.{number}")
                await typed.directory("corp", spelled[number % 5], "wrong", guest, Errand())

            found = await typed.directory("corp", "alice   ", "wrong", GUEST, Errand())

            assert isinstance(found, Closed)
            assert found.status == 429

    run(story())


def test_whoever_is_suspended_does_not_fill_the_audit_log(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.account(ALICE, "correct horse")
            at.local[0] = LocalAccounts(second_factor="optional")
            typed = asking(at, {"corp": Directory()})
            async with at.hall.office.write() as desk:
                await desk.persons.put(Person(email=ALICE.email, state=PersonState.SUSPENDED))

            for _ in range(8):
                await at.reception.typed.password(ALICE.email, "correct horse", GUEST, Errand())
                await typed.directory("corp", "alice", "right", GUEST, Errand())

            refused = [each for each in at.hall.ends() if each[0] == "signin.refused"]
            assert len(refused) == 10

    run(story())
