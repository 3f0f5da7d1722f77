"""What would make a denied call allowed."""

from pathlib import Path

from tests.torhaus.cli.terminal import configured
from tests.torhaus.cli.test_explain import CONFIG
from torhaus.cli.asking import Judge
from torhaus.cli.remedies import remedies
from torhaus.cli.simulated import Lent
from torhaus.config.load import load
from torhaus.gate.explain import Question

SATURDAY = 1763809200.0  # 2025-11-22 12:00 in Berlin
REPO = '{"owner":"myorg","repo":"api"}'


def found(at: Path, user: str, tool: str, moment: float = SATURDAY) -> list[str]:
    path = configured(at, CONFIG)
    loaded = load(path, Lent({}))
    question = Question(user=user, server="github", tool=tool, arguments=REPO)
    return list(remedies(Judge(loaded), question, moment))


def test_what_office_hours_close_is_open_on_monday(tmp_path: Path) -> None:
    assert found(tmp_path, "bob@example.com", "list_issues") == [
        "It would be allowed from Monday, 2025-11-24 at 08:00 CET."
    ]


def test_a_role_is_tried_at_the_same_moment(tmp_path: Path) -> None:
    assert found(tmp_path, "alice@example.com", "create_issue") == []
    assert found(tmp_path, "alice@example.com", "create_issue", SATURDAY + 2 * 86400) == [
        "It would be allowed with the role lead."
    ]


def test_what_nothing_helps_against_has_no_remedy(tmp_path: Path) -> None:
    assert found(tmp_path, "bob@example.com", "delete_file") == []
