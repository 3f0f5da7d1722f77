import asyncio
import socket
from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, DANA, key
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run
from torhaus.api.door import MAX_BODY


def test_the_api_describes_itself(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        answer = await at.get("openapi.json")

        assert answer.status == 200
        assert answer.json["openapi"].startswith("3.1")
        assert set(answer.json["paths"]) >= {
            "/api/v1/approvals",
            "/api/v1/approvals/{id}",
            "/api/v1/approvals/{id}/approve",
            "/api/v1/approvals/{id}/deny",
            "/api/v1/approvals/{id}/cancel",
            "/api/v1/access-requests",
            "/api/v1/access-requests/{id}/approve",
            "/api/v1/grants",
            "/api/v1/grants/{id}",
            "/api/v1/me",
        }

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    ("method", "path", "problem"),
    [
        ("GET", "/api/v1/nothing", (404, "not_found")),
        ("GET", "/api/", (404, "not_found")),
        ("GET", "/api/v1/approvals/", (404, "not_found")),
        ("PUT", "/api/v1/approvals", (405, "method")),
        ("DELETE", "/api/v1/me", (405, "method")),
        ("GET", "/api/v1/grants/x", (405, "method")),
        ("GET", "/api/v1/approvals/" + "x" * 65, (422, "invalid")),
        ("POST", "/api/v1/approvals/%00/approve", (422, "invalid")),
        ("DELETE", "/api/v1/grants/%27%20OR%201=1", (422, "invalid")),
    ],
)
def test_what_is_not_there_is_a_problem(
    method: str, path: str, problem: tuple[int, str], tmp_path: Path
) -> None:
    async def story(at: Counter) -> None:
        assert (await at.ask(method, path, ALICE)).problem == problem

    run(play(tmp_path, story))


def test_a_body_has_an_end(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        body = {"role": "tech_lead", "seconds": 60, "reason": "x" * MAX_BODY}

        assert (await at.post("access-requests", ALICE, body)).problem == (413, "too_large")
        chunked = await asyncio.to_thread(in_chunks, at.port, MAX_BODY + 1)
        assert chunked.startswith(b"HTTP/1.1 413 ")

    run(play(tmp_path, story))


def in_chunks(port: int, size: int) -> bytes:
    """The answer to a body that does not say how long it is."""
    head = f"POST /api/v1/access-requests HTTP/1.1\r\nhost: localhost\r\napikey: {key(ALICE)}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=120) as line:
        line.sendall(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
        line.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (size, b" " * size))
        return line.recv(100)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_read(kind: str, tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        wish = b'{"role": "tech_lead", "seconds": 3600}'

        answer = await at.post("access-requests", ALICE, wish, headers={"content-type": kind})

        assert answer.problem[0] == 422
        assert at.hall.ledger.durable == []

    run(play(tmp_path, story))


def test_a_database_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        (tmp_path / "state.db").unlink()

        for answer in (
            await at.get("approvals", ALICE),
            await at.post("approvals/x/approve", DANA),
        ):
            assert answer.problem == (503, "state")
            assert "its file is gone" in answer.json["detail"]
            assert "/ready" in answer.json["fix"]

    run(play(tmp_path, story))


def test_without_an_audit_log_nothing_is_done(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        at.hall.ledger.refuses = True

        answer = await at.post("access-requests", ALICE, {"role": "tech_lead", "seconds": 60})

        assert answer.problem == (503, "audit")
        assert (await at.get("access-requests", ALICE)).json == []

    run(play(tmp_path, story))
