"""The SDK's own client at a tool that needs approval, in both eras, with and without links."""

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.clients.callers import PROGRAMS
from tests.clients.running import environment
from tests.clients.warm import Files, Forked
from tests.stories.consent import CarefulTown
from tests.stories.town import KEYS
from tests.stories.upstream import Talk, Upstream, within

MODERN = "2026-07-28"
BOTH = pytest.mark.parametrize("mode", ["legacy", MODERN])
ANY_CLIENT = pytest.mark.parametrize("action", ["accept", "none"])


def created(talk: Talk) -> None:
    """The SDK insists on what 2026-07-28 requires of results. Some notes are asked about first."""
    params = talk.seen.message["params"]
    if params["arguments"]["title"].startswith("sure?") and "requestState" not in params:
        form = {"message": "sure?", "requestedSchema": {"type": "object", "properties": {}}}
        ask = {"method": "elicitation/create", "params": {"mode": "form", **form}}
        asked = {"inputRequests": {"q": ask}, "requestState": "the server's own"}
        talk.answer(talk.message({"resultType": "input_required", **asked}))
        return
    content = [{"type": "text", "text": "create_note is done"}]
    talk.answer(talk.message({"content": content, "resultType": "complete"}))


@pytest.fixture(scope="module")
def notes() -> Iterator[Upstream]:
    with Upstream(tricks={"create_note": created}) as running:
        yield running


@pytest.fixture(scope="module")
def town(notes: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CarefulTown]:
    """It keeps callers for a while, long enough to decide before they are sent back."""
    with CarefulTown(notes.url, tmp_path_factory.mktemp("clients"), hold="20s") as running:
        yield running


@pytest.fixture(scope="module")
def hasty(notes: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CarefulTown]:
    with CarefulTown(notes.url, tmp_path_factory.mktemp("hasty"), hold="0s") as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_sent(notes: Upstream) -> None:
    notes.seen.clear()


class Program(AbstractContextManager["Program"]):
    """The client under way. What happens to it is read line by line."""

    def __init__(self, town: CarefulTown, mode: str, action: str, title: str) -> None:
        told = [town.url("scripted"), mode, KEYS["ALICE_KEY"], action, "create_note"]
        self._aside = tempfile.TemporaryDirectory()
        lines, self._errors = (Path(self._aside.name) / name for name in ("lines", "errors"))
        os.mkfifo(lines)
        self._process = Forked(
            [
                str(PROGRAMS / "approving_python.py"),
                *told,
                json.dumps({"title": f"{title} {mode} {action}"}),
            ],
            Path.cwd(),
            environment(town.home),
            Files(out=str(lines), err=str(self._errors)),
        )
        self._lines = lines.open()  # now it goes on, which has waited for a reader

    def next(self) -> dict[str, Any]:
        line = self._lines.readline()
        assert line, self._errors.read_text()[-3000:]
        seen: dict[str, Any] = json.loads(line)
        return seen

    def until(self, what: str) -> dict[str, Any]:
        while what not in (seen := self.next()):
            pass
        return seen

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._lines.close()
        self._aside.cleanup()


def sent(upstream: Upstream) -> int:
    return len(upstream.calls("create_note"))


def requested(town: CarefulTown) -> str:
    """The request that waits for Bob, made by the program under way."""
    found: list[str] = []

    def there() -> bool:
        listed = town.api("GET", "/approvals?state=pending", "BOB", {})[1]
        found[:] = [each["id"] for each in listed]
        return bool(found)

    assert within(60, there)
    return found[0]


@BOTH
def test_a_client_with_links_shows_one_and_goes_on_when_somebody_agrees(
    mode: str, town: CarefulTown, notes: Upstream
) -> None:
    with Program(town, mode, "accept", "link") as program:
        asked = program.until("asked")["asked"]
        id = requested(town)
        assert asked["mode"] == "url"
        assert asked["url"].startswith(f"http://127.0.0.1:{town.port}/approvals/{id}?t=")
        assert ("elicitationId" in asked) == (mode == "legacy")
        for said in ("lead", id, "you cannot approve it yourself", "four eyes"):
            assert said in asked["message"]
        assert sent(notes) == 0
        town.decide(id, "approve")

        result = program.until("text")

    assert not result["error"]
    assert "create_note" in result["text"]
    assert sent(notes) == 1
    assert town.state(id) == "used"


@BOTH
def test_a_client_without_links_hears_that_it_waits_and_goes_on(
    mode: str, town: CarefulTown, notes: Upstream
) -> None:
    with Program(town, mode, "none", "hold") as program:
        assert "waiting for lead to agree" in program.until("progress")["message"]
        town.decide(requested(town), "approve")

        result = program.until("text")

    assert not result["error"]
    assert sent(notes) == 1


@BOTH
def test_a_client_without_links_is_told_to_call_again_and_then_goes_on(
    mode: str, hasty: CarefulTown, notes: Upstream
) -> None:
    with Program(hasty, mode, "none", "again") as program:
        result = program.until("text")

    assert result["error"]
    assert result["text"].startswith("Pending: ")
    about = result["meta"]["torhaus/approval"]
    assert about["state"] == "pending"
    assert about["url"] in result["text"]
    assert sent(notes) == 0

    hasty.decide(about["id"], "approve")
    with Program(hasty, mode, "none", "again") as program:
        again = program.until("text")

    assert not again["error"]
    assert sent(notes) == 1


@BOTH
@ANY_CLIENT
def test_a_denial_is_what_the_model_reads(
    mode: str, action: str, town: CarefulTown, notes: Upstream
) -> None:
    with Program(town, mode, action, "denied") as program:
        program.until("asked" if action == "accept" else "progress")
        town.decide(requested(town), "deny", comment="wrong repository")

        result = program.until("text")

    assert result["error"]
    assert "bob@example.com: wrong repository" in result["text"]
    assert result["meta"]["torhaus/verdict"]["code"] == "approval_denied"
    assert sent(notes) == 0


@BOTH
@ANY_CLIENT
def test_an_expired_request_ends_the_wait(
    mode: str, action: str, town: CarefulTown, notes: Upstream
) -> None:
    with Program(town, mode, action, "expired") as program:
        program.until("asked" if action == "accept" else "progress")
        id = requested(town)
        town.time_is_over(id)

        while "text" not in (result := program.next()):
            if "asked" in result:  # it came back only after the end, which makes another request
                id = requested(town)
                town.time_is_over(id)

    assert result["error"]
    assert town.state(id) == "expired"
    assert sent(notes) == 0


@BOTH
@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_user_who_wants_no_link_withdraws_the_request(
    mode: str, action: str, town: CarefulTown, notes: Upstream
) -> None:
    with Program(town, mode, action, "declined") as program:
        result = program.until("text")

    assert result["error"]
    verdict = result["meta"]["torhaus/verdict"]
    assert verdict["code"] == "approval_cancelled"
    assert town.state(verdict["approval"]) == "cancelled"
    assert sent(notes) == 0


@BOTH
def test_a_client_with_links_is_sent_back_for_a_while_and_then_told_to_call_again(
    mode: str, hasty: CarefulTown, notes: Upstream
) -> None:
    """Its user is asked once only, however long it takes."""
    with Program(hasty, mode, "accept", "slow") as program:
        program.until("asked")

        seen = program.next()
        while "text" not in seen:
            assert "asked" not in seen
            seen = program.next()

    assert seen["text"].startswith("Pending: ")
    assert sent(notes) == 0


def test_an_approved_call_goes_on_through_its_server_s_question(
    town: CarefulTown, notes: Upstream
) -> None:
    with Program(town, MODERN, "accept", "sure?") as program:
        assert program.until("asked")["asked"]["mode"] == "url"
        id = requested(town)
        town.decide(id, "approve")
        assert program.until("asked")["asked"]["message"] == "sure?"

        result = program.until("text")

    assert not result["error"]
    first, second = (each.message["params"] for each in notes.calls("create_note"))
    assert "requestState" not in first
    assert second["requestState"] == "the server's own"
    assert list(second["inputResponses"]) == ["q"]
    assert town.ends(id).count("approval.used") == 1
