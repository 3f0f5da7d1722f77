import json
import random
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from torhaus.gate.aggregate.ranking import Hit, Index, doc, indexing, searching
from torhaus.gate.aggregate.rewriting import Item
from torhaus.gate.aggregate.slices import whole
from torhaus.mcp.message import encode

KNOWN = Path(__file__).parents[2] / "policy" / "known"

QUESTIONS = {
    "create a new issue in a GitHub repository": "create_issue issue_write",
    "open a pull request on github": "create_pull_request",
    "list the branches of a repository on github": "list_branches",
    "delete a branch in gitlab": "delete_branch",
    "send a message to a slack channel": "slack_send_message slack_post_message",
    "read the replies of a slack thread": "slack_read_thread slack_get_thread_replies",
    "take a screenshot of the page": "browser_take_screenshot puppeteer_screenshot",
    "click on a button in the browser": "browser_click puppeteer_click",
    "run a SQL query on the database": "execute_sql query",
    "what time is it in Tokyo": "get_current_time",
    "search jira tickets": "jira_search searchJiraIssuesUsingJql",
    "add a comment to a jira issue": "jira_add_comment addCommentToJiraIssue",
    "move a jira ticket to another status": "jira_transition_issue transitionJiraIssue",
    "create a confluence page": "confluence_create_page createConfluencePage",
    "find errors of the last day in sentry": "search_events search_issues",
    "resolve a sentry issue": "update_issue",
    "rerun failed jobs of a workflow": "rerun_failed_jobs",
    "merge a merge request": "merge_merge_request accept_merge_request",
    "who are the members of a slack channel": "slack_list_channel_members",
    "rename a file": "move_file",
    "show the directory tree": "directory_tree",
    "git diff between two branches": "git_diff",
    "creat repositry": "create_repository",
    "scrennshot": "browser_take_screenshot puppeteer_screenshot",
    "Issue anlegen": "create_issue issue_write jira_create_issue",
    "Datei löschen github": "delete_file",
    "Slack Nachricht senden": "slack_send_message slack_post_message",
    "validate firestore security rules": "firebase_validate_security_rules",
    "explain a slow query plan": "explain_query",
    "github__list_commits": "list_commits",
}
"""What somebody may ask -> the tools, at any server, that are right."""


def index(items: Iterable[Item]) -> Index:
    return whole(indexing(items))


def search(indexes: Sequence[Index], question: str, limit: int) -> tuple[list[Hit], int]:
    return whole(searching(indexes, question, limit))


def item(name: str, server: str = "s", **more: Any) -> Item:
    return Item(name, encode({"name": f"{server}__{name}", **more}))


def known() -> list[Index]:
    """All tools of the servers that we ship tables for: names and arguments, no descriptions."""
    found = []
    for path in sorted(KNOWN.glob("*.json")):
        server = path.stem.replace("_", "-")
        tools = json.loads(path.read_text())["tools"]
        schemas = {
            name: {"properties": {key: {} for key in given or ()}} for name, given in tools.items()
        }
        items = [item(name, server, inputSchema=schema) for name, schema in schemas.items()]
        found.append(index(items))
    return found


def test_questions_of_people_find_their_tool_among_a_thousand() -> None:
    servers = known()
    ranks = {}
    for question, right in QUESTIONS.items():
        hits, _ = search(servers, question, 10)
        own = [hit.doc.own for hit in hits]
        places = [own.index(name) + 1 for name in right.split() if name in own]
        ranks[question] = min(places, default=None)

    assert sum(len(each.docs) for each in servers) > 950
    first = [question for question, rank in ranks.items() if rank == 1]
    found = [question for question, rank in ranks.items() if rank is not None]
    assert len(first) >= 23, ranks
    assert len(found) >= 28, ranks


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("listissues", "b"),
        ("s__b", "b"),
        ("B", "b"),
    ],
)
def test_a_name_itself_comes_first(question: str, best: str) -> None:
    several = index([item("a", description="b b b"), item("b", title="list issues listissues")])

    hits, _ = search([several], question, 5)

    assert hits[0].doc.own == best


def test_titles_descriptions_and_arguments_are_read_and_count_less_than_names() -> None:
    several = index(
        [
            item("one", inputSchema={"properties": {"weather": {}}}),
            item("two", description="The weather of today"),
            item("three", annotations={"title": "Weather"}),
            item("weather"),
        ]
    )

    hits, total = search([several], "weather", 3)

    assert [hit.doc.own for hit in hits] == ["weather", "three", "two"]
    assert total == 4


def test_equal_tools_come_in_the_order_of_the_list() -> None:
    first, second = index([item("get", "a")]), index([item("get", "b")])

    hits, _ = search([first, second], "get", 5)

    assert [hit.doc.name for hit in hits] == ["a__get", "b__get"]


@pytest.mark.parametrize("question", ["", "?!", "zzzzzz"])
def test_nothing_is_found_for_nothing(question: str) -> None:
    assert search([index([item("get")])], question, 5) == ([], 0)
    assert search([], "get", 5) == ([], 0)


@pytest.mark.parametrize(
    "loose",
    [
        {},
        {"name": "x", "title": 1, "description": [], "annotations": 3},
        {"name": "x", "inputSchema": {"properties": [], "required": [1]}},
        {"name": "x", "inputSchema": 5},
    ],
)
def test_a_tool_of_a_strange_shape_breaks_nothing(loose: dict[str, Any]) -> None:
    found = doc(Item("x", encode(loose)))

    assert found is None or found.name == "x"


def test_what_cannot_be_read_is_not_found() -> None:
    assert doc(Item("x", b"{")) is None
    assert index([Item("x", b"{")]).docs == ()


HOSTILE = {
    "marks": {"title": "a" + "\u0300\u0316" * 50_000},
    "ligatures": {"title": "\ufdfa" * 100_000},
    "arguments": {"inputSchema": {"properties": {f"p{n}": {} for n in range(20_000)}}},
    "much of everything": {
        "title": "Ab" * 300_000,
        "description": "Ab" * 300_000,
        "inputSchema": {"properties": {"Ab" * 100_000: {}}},
    },
}


@pytest.mark.parametrize("more", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_definition_takes_no_long_step(more: dict[str, Any]) -> None:
    assert longest(indexing([item("a", **more)])) < 0.25


def test_a_definition_that_is_very_long_is_found_by_its_name_alone() -> None:
    long = index([item("delete_ledger", description="merge " * 100_000)])

    assert [hit.doc.own for hit in search([long], "delete ledger", 5)[0]] == ["delete_ledger"]
    assert search([long], "merge", 5) == ([], 0)


def test_words_that_are_much_alike_are_not_all_compared() -> None:
    draw = random.Random(7)
    letters = "abcdefghij" * 2
    words = ["a" * 20 + "".join(draw.sample(letters, 18)) for _ in range(3000)]
    hostile = index(item(f"t{n}", description=" ".join(words[n : n + 30])) for n in range(100))
    question = " ".join("a" * 20 + "".join(draw.sample(letters, 18)) for _ in range(12))

    began = time.process_time()
    whole(searching([hostile], question, 10))

    assert time.process_time() - began < 1.0
    assert longest(searching([hostile], question, 10)) < 0.25


def longest(steps: Any) -> float:
    """Seconds of CPU of the longest step."""
    most, began = 0.0, time.process_time()
    for _ in steps:
        now = time.process_time()
        most, began = max(most, now - began), now
    return max(most, time.process_time() - began)
