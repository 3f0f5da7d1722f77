import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.oauth.lobby import CURSOR
from tests.torhaus.admin.oauth.test_assertions import AGENT
from tests.torhaus.cast import run
from tests.torhaus.web.oauth.browser import ORIGIN, Browser, House, answer, play, request
from tests.torhaus.web.visits import Seen


def told(seen: Seen) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(seen.text)
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["cache-control"] == "no-store"
    assert seen.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in seen.headers
    assert None not in found.values()
    return found


async def code(at: House, **changes: str | None) -> str:
    browser = Browser(at)
    return answer(await browser.agree(await browser.get(request(**changes))))["code"]


def test_a_code_gives_a_bearer_token_that_is_never_kept_by_caches(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        found = told(await at.token(await code(at), resource=f"{ORIGIN}/mcp/github/"))

        assert found["token_type"] == "Bearer"
        assert (found["expires_in"], found["scope"]) == (900, "mcp")
        assert found["access_token"].startswith("tht_")
        assert found["refresh_token"].startswith("thr_")

    run(play(tmp_path, story))


def test_a_refresh_without_a_scope_keeps_it(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        first = told(await at.token(await code(at)))
        form = {
            "grant_type": "refresh_token",
            "refresh_token": first["refresh_token"],
            "client_id": CURSOR.id,
            "resource": f"{ORIGIN}/mcp/github",
        }

        second = told(await at.post("/token", form))
        again = told(await at.post("/token", form))

        assert second["scope"] == "mcp"
        assert second["refresh_token"] != first["refresh_token"]
        assert again["refresh_token"] == second["refresh_token"]

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    ("changes", "error", "status"),
    [
        ({"grant_type": ""}, "invalid_request", 400),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type", 400),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"},
            "unsupported_grant_type",
            400,
        ),
        ({"client_id": ""}, "invalid_client", 401),
        ({"client_id": "dcr_gone"}, "invalid_client", 401),
        ({"client_secret": "guess"}, "invalid_client", 401),
        ({"code": "guess"}, "invalid_grant", 400),
        ({"code": ""}, "invalid_grant", 400),
        ({"code_verifier": ""}, "invalid_grant", 400),
        ({"code_verifier": "w" * 43}, "invalid_grant", 400),
        ({"redirect_uri": "http://localhost:9/callback"}, "invalid_grant", 400),
        ({"resource": f"{ORIGIN}/mcp/sentry"}, "invalid_target", 400),
        ({"resource": f"{ORIGIN}/mcp/unknown"}, "invalid_target", 400),
        ({"resource": f"{ORIGIN}/mcp"}, "invalid_target", 400),
    ],
)
def test_errors_have_the_names_of_the_standards(
    changes: dict[str, str], error: str, status: int, tmp_path: Path
) -> None:
    async def story(at: House) -> None:
        good = await code(at)

        seen = await at.token(**{"code": good, **changes})

        assert seen.status == status
        found = told(seen)
        assert found["error"] == error
        assert good not in seen.text
        assert told(await at.token(good))["access_token"]  # it can still be done right

    run(play(tmp_path, story))


def test_after_a_replay_the_first_tokens_are_dead(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        sent = await code(at)
        first = told(await at.token(sent))

        assert told(await at.token(sent))["error"] == "invalid_grant"

        assert not await at.lobby.lives(first["access_token"])

    run(play(tmp_path, story))


def test_a_form_is_a_form(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        for body, headers in (
            (b"{}", {"content-type": "application/json"}),
            (b"grant_type=a&grant_type=b", {"content-type": "application/x-www-form-urlencoded"}),
            (b"\xff", {"content-type": "application/x-www-form-urlencoded"}),
        ):
            seen = await at.ask("POST", "/token", body, headers)
            assert seen.status == 400
            assert told(seen)["error"] == "invalid_request"
        large = await at.ask(
            "POST",
            "/token",
            b"x" * 70_000,
            {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
        )
        assert large.status == 413

    run(play(tmp_path, story))


def test_a_client_with_a_secret_proves_itself(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        made = told(await at.registered(token_endpoint_auth_method="client_secret_basic"))
        id, secret = made["client_id"], made["client_secret"]
        good = await code(at, client_id=id)
        basic = b64encode(f"{id}:{secret}".encode()).decode()
        wrong = b64encode(f"{id}:wrong".encode()).decode()
        form = {
            "grant_type": "authorization_code",
            "code": good,
            "code_verifier": "v" * 43,
        }

        refused = await at.post("/token", form, authorization=f"Basic {wrong}")
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Basic")
        assert (await at.token(good, client_id=id)).status == 401
        done = await at.post("/token", form, authorization=f"Basic {basic}")
        assert told(done)["access_token"]

    run(play(tmp_path, story))


def test_any_page_may_ask_and_no_foreign_host_name_may(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        asked = {
            "origin": "https://inspector.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "mcp-protocol-version",
        }
        for path in ("/token", "/register", "/revoke"):
            seen = await at.ask("OPTIONS", path, b"", asked)
            assert seen.status == 204
            assert seen.headers["access-control-allow-origin"] == "*"
            assert seen.headers["access-control-allow-headers"] == "mcp-protocol-version"
        at.refuse = (421, "this host name is not served here")
        assert (await at.token("x")).status == 421

    run(play(tmp_path, story))


def test_get_is_no_way_to_a_token(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        for path in ("/token", "/register", "/revoke"):
            assert (await at.ask("GET", path)).status == 405

    run(play(tmp_path, story))


def test_an_assertion_is_a_grant_where_the_file_says_so(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        secret = sha256(b"word").digest()
        agent = msgspec.structs.replace(AGENT, secret=secret)
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "client_id": "agent",
            "client_secret": "word",
        }
        at.lobby.server = msgspec.structs.replace(at.lobby.server, clients=(agent,))
        await at.provider.link()
        off = told(await at.post("/token", {**form, "assertion": at.provider.token()}))
        at.lobby.server = msgspec.structs.replace(at.lobby.server, assertions=("okta",))

        found = told(await at.post("/token", {**form, "assertion": at.provider.token()}))
        wrong = told(await at.post("/token", {**form, "assertion": "noise"}))

        assert off["error"] == "unsupported_grant_type"
        assert found["access_token"].startswith("tht_")
        assert "refresh_token" not in found
        assert wrong["error"] == "invalid_grant"

    run(play(tmp_path, story))


def test_where_it_is_switched_off_nobody_gets_a_token(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        first, unused = told(await at.token(await code(at))), await code(at)
        at.lobby.server = msgspec.structs.replace(at.lobby.server, enabled=False)

        exchanged = await at.token(unused)
        refreshed = await at.post(
            "/token",
            {
                "grant_type": "refresh_token",
                "refresh_token": first["refresh_token"],
                "client_id": CURSOR.id,
            },
        )

        for seen in (exchanged, refreshed):
            assert (seen.status, told(seen)["error"]) == (400, "invalid_grant")

    run(play(tmp_path, story))
