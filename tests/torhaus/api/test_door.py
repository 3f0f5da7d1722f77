from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import ALICE, BOB, key
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run

PATHS = ("approvals", "access-requests", "grants", "me", "servers/github/tools", "nothing")


@pytest.mark.parametrize("path", PATHS)
def test_nobody_comes_in_without_a_credential(path: str, tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        answer = await at.get(path)

        assert answer.problem == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == 'Bearer realm="torhaus"'

    run(play(tmp_path, story))


def test_a_wrong_key_and_two_keys_are_turned_away(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        for headers in (
            {"authorization": "Bearer wrong"},
            {"authorization": "Basic YWxpY2U6"},
            {"apikey": ""},
            {"apikey": key(ALICE), "x-api-key": key(BOB)},
        ):
            answer = await at.get("me", headers=headers)
            assert answer.problem[0] == 401
            assert "wrong" not in answer.text

    run(play(tmp_path, story))


@pytest.mark.parametrize("header", ["authorization", "apikey", "x-api-key"])
def test_a_key_comes_in_any_of_three_headers(header: str, tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        value = f"Bearer {key(ALICE)}" if header == "authorization" else key(ALICE)

        assert (await at.get("me", headers={header: value})).json["id"] == ALICE.id

    run(play(tmp_path, story))


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/docs", "/api/v1/openapi.json"])
def test_foreign_pages_and_foreign_names_are_turned_away(path: str, tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        foreign = await at.ask("GET", path, ALICE, headers={"origin": "https://evil.example"})
        rebound = await at.ask("GET", path, ALICE, headers={"host": "evil.example"})

        assert foreign.problem == (403, "forbidden")
        assert rebound.problem == (421, "misdirected")

    run(play(tmp_path, story))


def test_answers_are_kept_by_nobody(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        for answer in (await at.get("me", ALICE), await at.get("me"), await at.get("x", ALICE)):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "access-control-allow-origin" not in answer.headers

    run(play(tmp_path, story))


def test_a_mistake_of_ours_says_nothing_about_itself(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        await at.hall.asked()
        at.hall.clock.now = "not a time"  # type: ignore[assignment]

        with capture_logs() as logged:
            answer = await at.get("approvals", ALICE)

        assert answer.problem == (500, "bug")
        assert answer.json["detail"].endswith(f"knows more under {logged[0]['id']}")
        assert "not a time" not in answer.text

    run(play(tmp_path, story))
