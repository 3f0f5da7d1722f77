import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import run
from tests.torhaus.web.oauth.browser import ORIGIN, House, play

RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


async def document(at: House, path: str, host: str = "gw.example.org") -> dict[str, Any]:
    seen = await at.ask("GET", path, b"", {"host": host, "origin": "https://page.example"})
    assert seen.status == 200, (path, seen.text)
    assert seen.headers["access-control-allow-origin"] == "*"
    found: dict[str, Any] = json.loads(seen.text)
    assert "null" not in seen.text
    return found


def test_every_server_has_its_document_and_all_have_one(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        for path, resource in (
            (f"{RESOURCE}/mcp/github", f"{ORIGIN}/mcp/github"),
            (f"{RESOURCE}/mcp/sentry", f"{ORIGIN}/mcp/sentry"),
            (f"{RESOURCE}/mcp", f"{ORIGIN}/mcp"),
            (RESOURCE, f"{ORIGIN}/mcp"),
        ):
            found = await document(at, path)
            assert found["resource"] == resource
            assert found["authorization_servers"] == [ORIGIN]
            assert "offline_access" not in found["scopes_supported"]

    run(play(tmp_path, story))


@pytest.mark.parametrize("path", [f"{RESOURCE}/mcp/unknown", f"{RESOURCE}/github"])
def test_what_is_not_there_has_no_document(path: str, tmp_path: Path) -> None:
    async def story(at: House) -> None:
        assert (await at.ask("GET", path)).status == 404

    run(play(tmp_path, story))


def test_the_server_is_described_at_every_place_clients_look(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        places = [
            f"{path}{more}" for path in (SERVER, OPENID) for more in ("", "/mcp", "/mcp/github")
        ]
        found = [await document(at, path) for path in places]

        assert all(each == found[0] for each in found)
        assert found[0]["issuer"] == ORIGIN

    run(play(tmp_path, story))


def test_a_host_header_changes_nothing_where_there_is_a_public_url(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        for host in ("evil.example", "127.0.0.1:8080"):
            found = await document(at, f"{RESOURCE}/mcp/github", host)
            assert found["resource"] == f"{ORIGIN}/mcp/github"

    run(play(tmp_path, story))


def test_a_server_at_a_host_name_of_its_own_is_named_as_it_was_typed(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        for path in (f"{RESOURCE}/mcp", RESOURCE):
            found = await document(at, path, "github.gw.example.org")
            assert found["resource"] == "https://github.gw.example.org/mcp"
            assert found["authorization_servers"] == [ORIGIN]

    run(play(tmp_path, story))


def test_while_nobody_has_said_what_we_are_called_this_machine_is_what_was_typed(
    tmp_path: Path,
) -> None:
    async def story(at: House) -> None:
        for host in ("127.0.0.1:8080", "localhost:8080"):
            found = await document(at, f"{RESOURCE}/mcp/github", host)
            assert found["resource"] == f"http://{host}/mcp/github"
            assert (await document(at, SERVER, host))["issuer"] == f"http://{host}"
            assert found["authorization_servers"] == [f"http://{host}"]
        found = await document(at, f"{RESOURCE}/mcp/github", "evil.example")
        assert found["resource"] == "http://127.0.0.1:8080/mcp/github"

    run(play(tmp_path, story, public_url=None))


def test_where_nobody_signs_in_nothing_says_so(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        at.lobby.server = msgspec.structs.replace(at.lobby.server, enabled=False)

        for path in (RESOURCE, f"{RESOURCE}/mcp/github", SERVER, OPENID):
            assert (await at.ask("GET", path)).status == 404

    run(play(tmp_path, story))
