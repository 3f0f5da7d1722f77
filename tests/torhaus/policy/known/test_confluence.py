from tests.torhaus.policy.known.evidence import differences, offered
from torhaus.policy.known.build import table
from torhaus.policy.known.confluence import ROWS

TOOLS = table(ROWS)


def test_every_argument_is_the_servers_own() -> None:
    known = [each for each in differences(TOOLS, "atlassian") if "jira_" not in each]

    assert known == []


def test_a_page_s_number_says_nothing_of_its_space() -> None:
    for name, arguments in offered("atlassian").items():
        if name in TOOLS and {"page_id", "content_id", "attachment_id"} & set(arguments or {}):
            row = TOOLS[name]
            hidden = {each.args for each in row.targets if each.pattern and not each.pattern.groups}
            assert row.blind == {"projects"} or ("page_id",) in hidden, name
