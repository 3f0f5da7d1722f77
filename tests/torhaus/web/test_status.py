from typing import Any

import pytest

from torhaus import __version__
from torhaus.model.health import Condition, Health
from torhaus.model.publishing import Evidence, Kept
from torhaus.web.render import Manner, Pages
from torhaus.web.status import Database, ServerState, context

PAGES = Pages()

HOSTILE = "<script>alert(1)</script>&\"'"


def page(states: list[ServerState] | tuple[ServerState, ...], **told: Any) -> str:
    return PAGES.html("status.html", Manner(), context(states, **told))


def shown(*states: ServerState, audit: bool = True, refused: bool = False) -> str:
    return page(states, audit_healthy=audit, config_refused=refused, started="2026-01-01 08:00 UTC")


def test_names_and_reasons_of_servers_are_text_and_never_markup() -> None:
    html = shown(ServerState(HOSTILE, f"down: {HOSTILE}"), ServerState("x", HOSTILE))

    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_reason_a_server_is_down_stays_in_the_log() -> None:
    assert "10.0.0.1" not in shown(ServerState("git", "down: no connection to 10.0.0.1"))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("ready", "working"),
        ("idle", "not used yet"),
        ("starting", "starting"),
        ("down: x", "cannot be reached"),
        ("slow", "slow"),
        ("failing", "its last calls failed"),
        ("credential refused", "refuses the credential of the gateway"),
        ("melting", "cannot be reached"),
    ],
)
def test_every_state_has_words_for_people(state: str, words: str) -> None:
    assert words in shown(ServerState("git", state))


@pytest.mark.parametrize(
    ("states", "audit", "headline"),
    [
        ([ServerState("a", "ready"), ServerState("b", "idle")], True, "Everything is working."),
        (
            [ServerState("a", "ready"), ServerState("b", "down: x")],
            True,
            "1 of 2 servers cannot be used",
        ),
        ([ServerState("a", "slow"), ServerState("b", "idle")], True, "1 of 2 servers work badly"),
        ([ServerState("a", "ready")], False, "calls are refused"),
        ([], True, "Everything is working."),
    ],
)
def test_the_headline_says_the_worst(states: list[ServerState], audit: bool, headline: str) -> None:
    assert headline in shown(*states, audit=audit)


def test_a_refused_configuration_is_told() -> None:
    assert "refused" in shown(refused=True)
    assert "refused" not in shown()


def test_audit_files_that_wait_are_told() -> None:
    told = "Audit records cannot be moved or ended as configured"

    assert told in page([], audit_healthy=True, config_refused=False, started="", files_wait=True)
    assert told not in shown()


def test_no_servers_are_a_sentence_and_not_an_empty_table() -> None:
    assert "No servers are configured." in shown()


def test_it_says_what_runs_since_when() -> None:
    html = shown()

    assert __version__ in html
    assert "2026-01-01 08:00 UTC" in html


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (Evidence(), "Everything is working."),
        (Evidence(trouble="seg-1 is broken"), "proof of the audit log is not in order"),
        (Evidence(published=(Kept(name="file /x"),)), "is kept in 1 place besides here"),
        (
            Evidence(published=(Kept(name="file /x", trouble="full"), Kept(name="webhook y"))),
            "1 of 2 places that keep the proof of the audit log do not answer",
        ),
    ],
)
def test_the_proof_of_the_audit_log_has_its_sentence(evidence: Evidence, words: str) -> None:
    html = page([], audit_healthy=True, config_refused=False, started="", evidence=evidence)

    assert words in html
    assert "seg-1" not in html
    assert "/x" not in html


def test_calls_without_a_record_are_told_for_as_long_as_the_gateway_runs() -> None:
    began = "2026-01-01 08:00 UTC"

    def html(*, healthy: bool, lost: int | None) -> str:
        return page([], audit_healthy=healthy, config_refused=False, started=began, audit_lost=lost)

    assert "7 calls went on without an audit record" in html(healthy=True, lost=7)
    assert "7 calls went on without an audit record" in html(healthy=False, lost=7)
    assert "calls are refused" not in html(healthy=False, lost=7)
    assert "without an audit record" not in html(healthy=True, lost=0)
    assert "calls are refused" in html(healthy=False, lost=None)


def test_a_server_that_is_down_is_told_with_its_times_alone() -> None:
    down = Health(
        state=Condition.DOWN, since=1767260000.0, next_try=1767260005.0, error="10.0.0.1 is off"
    )

    html = shown(ServerState.of("git", down))

    for told in ("cannot be reached", "since 09:33:20 UTC", "next try 09:33:25 UTC"):
        assert told in html
    assert "10.0.0.1" not in html


def test_that_nobody_administers_any_more_is_told() -> None:
    html = page([], audit_healthy=True, config_refused=False, started="", governed=False)

    assert "Nobody who administers this gateway can come in any more." in html


@pytest.mark.parametrize(
    ("database", "words"),
    [
        (Database.WELL, "Everything is working."),
        (Database.LOST, "approvals and administration wait for it."),
        (Database.CLOSED, "so most callers are refused."),
    ],
)
def test_a_database_that_does_not_answer_is_told(database: Database, words: str) -> None:
    html = page(
        (), audit_healthy=True, config_refused=False, started="2026-01-01", database=database
    )

    assert words in html
    assert ("The database does not answer" in html) is (database is not Database.WELL)


@pytest.mark.parametrize("overdue", [False, True])
def test_a_credential_that_is_too_old_is_told_and_which_is_not(overdue: bool) -> None:
    told = {"audit_healthy": True, "config_refused": False, "started": "2026-01-01 08:00 UTC"}

    html = page((), overdue=overdue, **told)

    assert ("older than policy allows" in html) is overdue
