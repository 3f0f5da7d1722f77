"""Threat row 6: registrations are cheap for us, bounded, and worth nothing."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.oauth.lobby import BACK
from tests.torhaus.cast import run
from tests.torhaus.identity.oauth.test_metadata import CURSOR
from tests.torhaus.web.oauth.browser import House, play
from torhaus.web.oauth.register import MOST


def test_a_client_registers_and_is_told_what_it_has(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        seen = await at.ask("POST", "/register", json.dumps(CURSOR).encode())

        found = json.loads(seen.text)
        assert seen.status == 201
        assert seen.headers["cache-control"] == "no-store"
        assert found["redirect_uris"] == CURSOR["redirect_uris"]
        assert found["token_endpoint_auth_method"] == "none"
        assert "client_secret" not in found
        assert None not in found.values()
        async with at.lobby.hall.office.read() as desk:
            assert await desk.clients.get(found["client_id"]) is not None

    run(play(tmp_path, story))


def test_a_secret_is_shown_once_and_kept_as_a_digest(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        seen = await at.registered(token_endpoint_auth_method="client_secret_post")

        found = json.loads(seen.text)
        async with at.lobby.hall.office.read() as desk:
            kept = await desk.clients.get(found["client_id"])
        assert kept is not None
        assert kept.secret is not None
        assert found["client_secret"].encode() not in kept.secret
        assert found["client_secret_expires_at"] == 0

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"{", 400, "invalid_client_metadata"),
        (b"x" * (1 << 20), 413, "invalid_client_metadata"),
        (b'{"redirect_uris": ["javascript:alert(1)"]}', 400, "invalid_redirect_uri"),
        (
            b'{"redirect_uris": ["http://localhost/"], "grant_types": '
            b'["urn:ietf:params:oauth:grant-type:jwt-bearer"]}',
            400,
            "invalid_client_metadata",
        ),
    ],
)
def test_what_is_no_registration_is_refused(
    body: bytes, status: int, error: str, tmp_path: Path
) -> None:
    async def story(at: House) -> None:
        seen = await at.ask("POST", "/register", body)

        assert seen.status == status
        assert json.loads(seen.text)["error"] == error

    run(play(tmp_path, story))


def test_one_address_registers_so_often_an_hour(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        at.lobby.server = msgspec.structs.replace(at.lobby.server, rate=3)
        seen = [await at.registered() for _ in range(5)]

        assert [each.status for each in seen] == [201, 201, 201, 429, 429]
        assert int(seen[-1].headers["retry-after"]) == 3600
        at.lobby.hall.clock.turn(3600)
        assert (await at.registered()).status == 201

    run(play(tmp_path, story))


def test_where_it_is_switched_off_nobody_registers(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        at.lobby.server = msgspec.structs.replace(at.lobby.server, registration=False)

        assert (await at.registered()).status == 404

    run(play(tmp_path, story))


def test_further_addresses_of_programs_are_the_files(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        assert (await at.registered(redirect_uris=["myapp://cb"])).status == 400
        at.lobby.server = msgspec.structs.replace(
            at.lobby.server, programs=frozenset(("myapp://cb",))
        )

        seen = await at.registered(redirect_uris=["myapp://cb", BACK])

        assert json.loads(seen.text)["redirect_uris"] == ["myapp://cb", BACK]

    run(play(tmp_path, story))


def test_the_table_is_bounded() -> None:
    assert MOST == 10_000
