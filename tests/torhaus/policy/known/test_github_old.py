from tests.torhaus.policy.known.evidence import differences
from torhaus.policy.known import github, github_old


def test_no_name_of_today_is_among_the_old_ones() -> None:
    assert set(github_old.TOOLS) & set(github.TOOLS) == set()


def test_every_tool_and_every_argument_is_the_servers_own() -> None:
    both = {**github_old.TOOLS, **github.TOOLS}

    assert list(differences(both, "github_old", "github")) == []
    # Its own copy has no organisation for new repositories: whose they are stays unknown.
    assert list(differences(both, "github_reference")) == [
        "create_repository has no argument organization"
    ]
