import re
from pathlib import Path

import pytest

from torhaus.model.servers import Server, StdioAddress
from torhaus.policy.classify import classify
from torhaus.policy.known.spec import ACTIONS, KINDS
from torhaus.policy.names import normal
from torhaus.policy.tables import TABLES, TYPES, Table, shipped

GITHUB, SENTRY, GIT = 117 + 42, 54, 12


@pytest.mark.parametrize(
    ("name", "url", "tools"),
    [
        ("github", None, GITHUB),
        ("GitHub", None, GITHUB),
        ("sentry", None, SENTRY),
        ("work", "https://api.githubcopilot.com/mcp/", GITHUB),
        ("work", "https://mcp.sentry.dev/mcp/org/project", SENTRY),
        ("github", "https://MCP.sentry.io./mcp", SENTRY),
        ("github", "http://127.0.0.1:9000/mcp", GITHUB),
        ("time", None, 2),
        ("git", None, 12),
        ("filesystem", None, 14),
        ("memory", None, 9),
        ("everything", None, 19),
        ("gitlab", None, 263),
        ("gitlab", "https://gitlab.com/api/v4/mcp", 46),
        ("work", "https://git.acme.example/api/v4/mcp/", 46),
        ("gitlab", "https://git.acme.example/mcp", 263),
        ("work", "https://git.acme.example/api/v4/mcpX", 0),
        ("gitlab-own", None, 46),
        ("gitlab-own-mcp", None, 46),
        ("work", "https://githubcopilot.com./mcp", GITHUB),
        ("jira", None, 230),
        ("confluence", None, 230),
        ("work", "https://mcp.atlassian.com/v1/mcp", 230),
        ("slack", "https://mcp.slack.com/mcp", 65),
        ("firebase", None, 93),
        ("postgresql", None, 10),
        ("Puppeteer", None, 7),
        ("browser", None, 74),
        ("fetch", None, 1),
        ("github-mcp", None, GITHUB),
        ("mcp-server-github", None, GITHUB),
        ("mcp_sentry", None, SENTRY),
        ("mcp", None, 0),
        ("server", None, 0),
        ("github2", None, 0),
        ("work", "https://evil-githubcopilot.com/mcp", 0),
        ("work", "https://githubcopilot.com.evil.example/mcp", 0),
        ("work", "https://evil.example/mcp.github.com", 0),
        ("work", "https://mcp.github.com@evil.example/", 0),
        ("acme", None, 0),
    ],
)
def test_the_host_and_then_the_name_choose_the_table(
    name: str, url: str | None, tools: int
) -> None:
    classes, _ = shipped(name, url)

    assert len(classes) == tools


@pytest.mark.parametrize(
    ("command", "args", "tools"),
    [
        ("uvx", ["mcp-server-time"], 2),
        ("uvx", ["mcp-server-git==2026.10.19"], GIT),
        ("uv", ["run", "--with", "mcp-server-git[dev]>=2026", "x"], GIT),
        ("python", ["-m", "mcp_server_git", "--repository", "."], GIT),
        ("/opt/venv/bin/mcp-server-git", [], GIT),
        ("C:\\tools\\MCP-Server-Git.exe", [], GIT),
        ("npx", ["-y", "@modelcontextprotocol/server-memory@2026.8.31"], 9),
        ("node", ["/srv/node_modules/@modelcontextprotocol/server-memory/dist/index.js"], 9),
        ("docker", ["run", "-i", "ghcr.io/github/github-mcp-server:v1", "stdio"], GITHUB),
        ("npx", ["mcp-remote", "https://mcp.sentry.dev/mcp"], SENTRY),
        ("npx", ["-y", "@playwright/mcp@latest", "--allowed-origins", "https://gitlab.com"], 74),
        ("npx", ["-y", "firebase-tools@latest", "mcp"], 93),
        ("node", ["/srv/node_modules/firebase-tools/lib/bin/firebase-x.js"], 93),
        ("node", ["/srv/node_modules/evil/mcp-server-git"], 0),
        ("uvx", ["postgres-mcp", "postgresql://localhost/github"], 10),
        ("npx", ["mcp-remote", "https://evil.example/mcp.sentry.dev"], 0),
        ("npx", ["@evil/mcp-server-git"], 0),
        ("npx", ["@"], 0),
        ("node", ["/srv/mcp-server-git/server.js"], 0),
        ("sh", [], 0),
    ],
)
def test_a_command_line_says_by_its_package_which_server_it_starts(
    command: str, args: list[str], tools: int
) -> None:
    assert len(shipped("acme", None, command, args)[0]) == tools


def test_a_command_line_of_another_package_leaves_the_name_to_decide() -> None:
    assert len(shipped("git", None, "python", ["server.py"])[0]) == GIT
    assert len(shipped("git", None, "uvx", ["mcp-server-time"])[0]) == 2


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_every_row_uses_known_words(table: Table) -> None:
    for name, row in table.tools.items():
        assert row.actions <= ACTIONS, name
        assert row.actions or row.dispatch, name
        assert row.type in TYPES | {"*"}, name
        assert set(row.method_actions.values()) <= row.actions, name
        assert bool(row.method_actions) == (row.method_arg is not None), name
    assert set(table.parents) | set(table.parents.values()) <= TYPES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_no_two_tools_of_a_table_share_a_normal_name(table: Table) -> None:
    assert len({normal(name) for name in table.tools}) == len(table.tools)


def test_the_pinned_patterns_are_regular_expressions() -> None:
    for table in TABLES:
        for row in table.tools.values():
            for _, pattern in row.pinned:
                re.compile(pattern)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_a_method_that_is_not_in_the_map_is_refused(table: Table) -> None:
    address = StdioAddress(command="x")
    classes = {normal(name): row for name, row in table.tools.items()}
    server = Server(name="acme", address=address, classes=classes)
    for name, row in table.tools.items():
        if row.method_arg is None:
            continue
        known, *_ = row.method_actions
        for value in (known.upper(), f" {known}", "drop", "", None, 1, True, [known], {known: 1}):
            assert classify(server, name, {row.method_arg: value}, {}).problem, (name, value)
        does = classify(server, name, {row.method_arg: known}, {})
        assert does.actions == {row.method_actions[known]}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_what_a_scope_promises_the_targets_keep(table: Table) -> None:
    for name, row in table.tools.items():
        assert row.scope == "none" or row.targets or row.blind, name
        assert all(each.args and each.kind in KINDS for each in row.targets), name
        assert row.blind <= set(KINDS), name


def test_no_two_tables_answer_to_one_name_host_or_package() -> None:
    for words in ("names", "hosts", "paths", "packages"):
        everything = [word for table in TABLES for word in getattr(table, words)]
        assert len(set(everything)) == len(everything), words
    assert len({table.title for table in TABLES}) == len(TABLES)


def test_the_documentation_counts_the_tools_that_are_shipped() -> None:
    text = (Path(__file__).parents[3] / "docs" / "classification.md").read_text()

    counted = re.findall(r"^\| ([a-z_]+) \| ([0-9]+) \|", text, re.MULTILINE)

    assert counted == [(table.title, str(len(table.tools))) for table in TABLES]


# Tools that no bound holds back: they are about no repository, project, channel or path at all.
UNBOUND = {
    "github": "list_available_toolsets get_toolset_tools enable_toolset create_gist list_gists"
    " get_global_security_advisory list_global_security_advisories get_me get_team_members"
    " get_teams list_starred_repositories search_orgs search_users",
    # A dispatcher is about what the tool is about that it runs.
    "sentry": "create_team execute_sentry_tool find_organizations find_projects find_teams get_doc"
    " search_docs search_sentry_tools whoami",
    "gitlab": "get_namespace list_namespaces verify_namespace get_user get_users whoami"
    " orbit_get_schema orbit_get_status orbit_list_tools discover_tools health_check",
    "gitlab_own": "get_mcp_server_version",
    "atlassian": "jira_get_link_types jira_search_fields jira_get_user_profile"
    " confluence_search_user atlassianUserInfo getAccessibleAtlassianResources getIssueLinkTypes"
    " lookupJiraAccountId getJiraCurrentUser discover getToolDescription getJsmOpsAlerts"
    " getJsmOpsScheduleInfo getJsmOpsTeamInfo updateJsmOpsAlert getCompassComponent"
    " getCompassComponents getCompassComponentActivityEvents getCompassComponentLabels"
    " getCompassComponentTypes getCompassCustomFieldDefinitions"
    " getCompassComponentsOwnedByMyTeams createCompassComponent"
    " createCompassComponentRelationship createCompassCustomFieldDefinition",
    "slack": "slack_get_users slack_get_user_profile users_search usergroups_list usergroups_me"
    " usergroups_users_update slack_get_file_upload_url slack_search_users"
    " slack_read_user_profile slack_update_user_profile slack_list_user_groups"
    " slack_create_reminder slack_search_emojis slack_list_workspaces",
    "firebase": "firebase_get_environment firebase_list_projects firebase_consult_assistant"
    " developerknowledge_search_documents developerknowledge_get_documents",
    "git": "",
    "filesystem": "list_allowed_directories",
}


@pytest.mark.parametrize("title", UNBOUND)
def test_every_other_tool_names_what_it_is_about_or_counts_as_about_anything(title: str) -> None:
    (table,) = (table for table in TABLES if table.title == title)

    unbound = {name for name, row in table.tools.items() if not row.targets and not row.blind}

    assert unbound == set(UNBOUND[title].split())
