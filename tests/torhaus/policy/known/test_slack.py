import re

import pytest

from tests.torhaus.policy.known.evidence import differences
from torhaus.policy.known.slack import TOOLS


def test_every_tool_and_every_argument_is_the_servers_own() -> None:
    assert list(differences(TOOLS, "slack_reference", "slack_korotovsky")) == []
    assert list(differences(TOOLS, "slack_own")) == []


@pytest.mark.parametrize(
    ("channel", "known"),
    [("C024BE91L", True), ("G012AB", True), ("D0", False), ("#general", True), ("#büro", True),
     ("U024BE91L", False), ("@alice", False), ("general", False), ("#a #b", False),
     ("#a,#b", False), ("C024BE91L\n", False), ("", False)],
)  # fmt: skip
def test_channels_are_known_by_id_or_name_and_people_are_not(channel: str, known: bool) -> None:
    pattern = TOOLS["slack_post_message"].targets[0].pattern

    assert pattern is not None
    assert isinstance(pattern.fullmatch(channel), re.Match) is known


@pytest.mark.parametrize("tool", ["slack_search_public_and_private", "conversations_unreads"])
def test_what_searches_everywhere_hides_its_channels(tool: str) -> None:
    assert TOOLS[tool].blind == {"channels"}
