"""Credentials that came in the clear end, and people are told."""

from pathlib import Path
from typing import Any

import msgspec
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import ALICE, DANA, Hall, key, play
from tests.torhaus.admin.people.staff import hired, keyed
from tests.torhaus.cast import run
from tests.torhaus.store.state.people import credential, family
from torhaus.admin.exposure import EXPOSURE_WORKS, WHY, Exposure
from torhaus.admin.perform import WORKS, Admin
from torhaus.model.credentials import CredentialKind
from torhaus.model.live import NobodyElse

PUBLIC = "198.51.100.7"


class Knows(NobodyElse):
    """One credential."""

    def __init__(self, known: Any) -> None:
        super().__init__()
        self.known = known

    def find(self, digest: bytes) -> Any:
        return self.known if self.known is not None and digest == self.known.digest else None


def watching(hall: Hall, known: Any = None) -> tuple[Exposure, list[tuple[str, str, str]]]:
    told: list[tuple[str, str, str]] = []
    admin = Admin(hall.means, hall.happened, {**WORKS, **EXPOSURE_WORKS})
    return Exposure(hall.means, admin, Knows(known), lambda *what: told.append(what)), told


def test_a_key_of_the_database_ends_at_once_and_leaves_a_record(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        made = await keyed(hall, name="thk_open")
        made = msgspec.structs.replace(made, label="laptop")
        exposure, told = watching(hall, made)

        exposure.note(b"thk_open", PUBLIC)
        await exposure.close()

        assert hall.effects[-1].ended == (made.digest,)
        assert hall.ends()[-1] == ("credential.exposed", "torhaus", "success")
        found = hall.parameters()
        assert (found["from"], found["key"]) == (PUBLIC, made.id)
        assert told == []
        async with hall.office.read() as desk:
            kept = await desk.credentials.get(made.digest)
        assert kept is not None
        assert kept.ended is not None

    run(play(tmp_path, story))


def test_a_session_or_token_ends_with_its_family(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        cookie = credential(
            "ths_open", kind=CredentialKind.SESSION, family="f1", audience=None, scopes=()
        )
        other = credential("tht_other", kind=CredentialKind.ACCESS, family="f1")
        async with hall.office.write() as desk:
            await desk.families.add(msgspec.structs.replace(family("f1"), expires=2e9))
            for each in (cookie, other):
                await desk.credentials.add(each, "")
        exposure, _ = watching(hall, cookie)

        exposure.note(b"ths_open", PUBLIC)
        await exposure.close()

        assert set(hall.effects[-1].ended) == {cookie.digest, other.digest}
        async with hall.office.read() as desk:
            kept = await desk.families.get("f1")
        assert kept is not None
        assert kept.reason == WHY

    run(play(tmp_path, story))


def test_a_key_of_the_file_is_told_of_once_an_hour(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        exposure, told = watching(hall)

        with capture_logs() as logs:
            for _ in range(3):
                exposure.note(key(ALICE).encode(), PUBLIC)
            exposure.note(key(DANA).encode(), PUBLIC)
            hall.clock.now += 3601
            exposure.note(key(ALICE).encode(), PUBLIC)

        assert [(email, ip) for email, _, ip in told] == [
            (ALICE.email, PUBLIC),
            (DANA.email, PUBLIC),
            (ALICE.email, PUBLIC),
        ]
        assert all(each["event"] == "credential.exposed" for each in logs)
        assert key(ALICE) not in str(logs)

    run(play(tmp_path, story))


def test_what_nobody_knows_is_no_news(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        exposure, told = watching(hall)
        before = len(hall.ledger.durable)

        exposure.note(b"thk_guessed", PUBLIC)
        await exposure.close()

        assert (told, len(hall.ledger.durable)) == ([], before)

    run(play(tmp_path, story))


def test_the_first_one_that_is_served_without_tls_is_told_of(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        exposure, _ = watching(hall)

        with capture_logs() as logs:
            exposure.open_served("10.0.0.7")
            exposure.open_served("10.0.0.8")

        assert exposure.served == "10.0.0.7"
        assert [each["event"] for each in logs] == ["plaintext.served"]

    run(play(tmp_path, story))
