"""The product text's own three queries, as they are printed, over hot and day files."""

from pathlib import Path

import pytest

from tests.shared import BRIEF
from tests.torhaus.store.query.log import AuditLog, call, denied, when
from tests.torhaus.store.query.questions import rows
from torhaus.audit.saved import SHIPPED

pytestmark = pytest.mark.skipif(not BRIEF.exists(), reason=f"no {BRIEF}; set TORHAUS_SHARED")
ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.org"


def printed() -> list[str]:
    text = BRIEF.read_text()
    begin = text.index("-- Wer hat auf sensible Repos zugegriffen?")
    block = text[begin : text.index("Best Practices", begin)]
    return [each.strip() for each in block.strip().split("\n\n")]


@pytest.fixture(params=["on the disk", "in a bucket"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> AuditLog:
    """Two of each in a live segment, a sealed one, and day files of two tiers."""
    made = AuditLog(tmp_path)
    if request.param == "in a bucket":
        made.bucket = request.getfixturevalue("s3").bucket()
    secret = "myorg/sensitive-hr"
    made.live(
        call("r1", 0.1, email=ALICE, repo=secret),
        denied("r2", 0.2, email=BOB),
        torn=b'{"timestamp":"2026-',
    )
    made.sealed(call("r3", 1.0, email=BOB, repo=secret, cached=True), call("r4", 1.1, email=ALICE))
    made.filed(
        call("r5", 5.0, email=BOB, repo=secret, items=3),
        call("r6", 5.0, email=CAROL, mcp_server="sentry", repo=secret),
        denied("r7", 5.0, email=BOB),
    )
    made.filed(call("r8", 29.0, email=CAROL, repo=secret), tier="warm")
    made.filed(call("r9", 40.0, email=CAROL, repo=secret), tier="warm")
    made.filed(denied("r10", 100.0, email=BOB, reason="expired"), tier="cold")
    return made


def test_there_are_three() -> None:
    assert len(printed()) == 3


def test_who_accessed_sensitive_repositories(log: AuditLog) -> None:
    assert sorted(rows(log, printed()[0])) == sorted(
        [
            (ALICE, "list_issues", when(0.1)),
            (BOB, "list_issues", when(1.0)),
            (BOB, "list_issues", when(5.0)),
            (CAROL, "list_issues", when(29.0)),
        ]
    )


def test_which_operations_were_denied(log: AuditLog) -> None:
    assert rows(log, printed()[1]) == [
        (BOB, "list_issues", "no rule allows it", 2),
        (BOB, "list_issues", "expired", 1),
    ]


def test_who_makes_the_most_calls(log: AuditLog) -> None:
    """Bob's denied calls have no items; his cached one is left out; nothing of day 29 counts."""
    assert rows(log, printed()[2]) == [(BOB, 3, 3), (ALICE, 2, 24), (CAROL, 1, 12)]


def test_they_are_shipped_by_name() -> None:
    without_comments = ["\n".join(each.splitlines()[1:]) for each in printed()]

    assert [SHIPPED[name].sql for name in ("sensitive-repos", "denied", "top-callers")] == (
        without_comments
    )
