import msgspec
import pytest

from torhaus.model.servers import Server, StdioAddress
from torhaus.policy.judged import Judged, judge
from torhaus.policy.tables import shipped


def server(name: str) -> Server:
    classes, parents = shipped(name, None)
    address = StdioAddress(command="x")
    return Server(name=name, address=address, classes=classes, parents=parents)


def judged(name: str, tool: str, **hints: bool) -> Judged:
    return judge(server(name), tool, hints)


@pytest.mark.parametrize(
    ("name", "tool", "expected"),
    [
        ("git", "git_log", (("read",), "commits", "table")),
        ("notes", "list_notes", (("read",), "notes", "name")),
        ("notes", "frobnicate", (("unknown",), "", "unknown")),
    ],
)
def test_the_source_says_who_classified(
    name: str, tool: str, expected: tuple[tuple[str, ...], str, str]
) -> None:
    known = judged(name, tool)

    assert (known.actions, known.source) == (expected[0], expected[2])


def test_a_tool_is_judged_whole() -> None:
    assert judged("sentry", "find_dsns") == Judged(
        name="find_dsns",
        actions=("read",),
        type="dsns",
        source="table",
        tags=("sensitive",),
        targets=("projects: projectSlug",),
    )


def test_a_tool_that_runs_others_may_be_about_anything() -> None:
    found = judged("sentry", "execute_sentry_tool")

    assert {"dsns", "projects"} <= set(found.type.split(" "))
    assert list(found.tags) == sorted(found.tags)


def test_annotations_that_raise_are_named_as_the_source() -> None:
    assert judged("git", "git_log", readOnlyHint=False).source == "annotations"
    assert judged("git", "git_log", readOnlyHint=False).actions == ("write",)
    assert judged("git", "git_log", readOnlyHint=True).source == "table"


def test_an_argument_that_decides_is_named() -> None:
    known = judged("github", "issue_write")

    assert known.argument == "method"
    assert known.actions == ("write",)


def test_a_tool_that_runs_others_is_marked() -> None:
    known = judged("sentry", "execute_sentry_tool")

    assert known.dispatches
    assert {"read", "write"} <= set(known.actions)


def test_what_a_call_is_about_is_named_with_its_arguments() -> None:
    assert any(
        each.startswith("repos: owner/repo") for each in judged("github", "issue_read").targets
    )
    assert judged("notes", "get_note").targets == ()
    assert judged("jira", "jira_search_assignable_users").targets == (
        "projects: project_key or issue_key",
    )


def test_a_tool_that_runs_others_has_the_source_of_its_own_class() -> None:
    sentry = server("sentry")
    outer = msgspec.structs.replace(sentry.classes["executesentrytool"], source="config")
    classes = {**sentry.classes, "executesentrytool": outer}

    found = judge(msgspec.structs.replace(sentry, classes=classes), "execute_sentry_tool", {})

    assert found.source == "config"


def test_what_no_argument_names_is_said_so() -> None:
    blind = msgspec.structs.replace(
        server("github").classes["issueread"], blind=frozenset(("projects",))
    )
    github = msgspec.structs.replace(server("github"), classes={"issueread": blind})

    assert "projects: in no argument" in judge(github, "issue_read", {}).targets
