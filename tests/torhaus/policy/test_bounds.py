from typing import Any

import pytest

from tests.torhaus.policy.people import ACME, SENTRY, alice, call, server
from torhaus.model.access import Bound
from torhaus.model.servers import TargetArgs, ToolClass
from torhaus.model.verdict import Allow, Deny, Step
from torhaus.policy.conditions import compile_condition
from torhaus.policy.decide import decide
from torhaus.policy.globs import compile_glob

NOW = 1_700_000_000.0


def bound(*allow: str, deny: tuple[str, ...] = (), kind: str = "repos", when: str = "") -> Bound:
    return Bound(
        kind=kind,
        rule="only_it",
        allow=tuple(map(compile_glob, allow)) if allow else None,
        deny=tuple(map(compile_glob, deny)),
        when=compile_condition(when) if when else None,
    )


ONLY = bound("myorg/public-project", "myorg/docs-*")
NOT = bound("myorg/*", deny=("myorg/sensitive-repo",))
API = {"owner": "myorg", "repo": "api"}
PUBLIC = {"owner": "MYORG", "repo": "Public-Project"}


@pytest.mark.parametrize(
    ("limit", "tool", "arguments", "code"),
    [
        (ONLY, "list_issues", PUBLIC, None),
        (ONLY, "list_issues", {"repo": "myorg/docs-a"}, None),
        (ONLY, "list_issues", API, "outside_scope"),
        (ONLY, "list_issues", {"owner": "evil", "repo": "public-project"}, "outside_scope"),
        (ONLY, "list_issues", {}, "scope_unknown"),
        (ONLY, "list_discussions", {"owner": "myorg"}, "scope_unknown"),
        (ONLY, "list_issues", {"owner": "myorg", "repo": "public-project/"}, "bad_argument"),
        (ONLY, "list_issues", {"owner": "myorg", "repo": ["public-project"]}, "bad_argument"),
        (ONLY, "search_code", {"query": "repo:myorg/public-project"}, "scope_unknown"),
        (ONLY, "get_gist", {"gist_id": "1"}, "scope_unknown"),
        (ONLY, "get_me", {}, None),
        (ONLY, "frobnicate", PUBLIC, "scope_unknown"),
        (ONLY, "get_gizmo", PUBLIC, "scope_unknown"),
        (ONLY, "fork_repository", {**PUBLIC, "organization": "evil"}, "outside_scope"),
        (NOT, "list_issues", API, None),
        (NOT, "list_issues", {"owner": "myorg", "repo": "SENSITIVE-repo"}, "outside_scope"),
        (NOT, "list_issues", {"owner": "other", "repo": "api"}, "outside_scope"),
        (bound(deny=("*/secret-*",)), "list_issues", API, None),
        (bound(deny=("*/secret-*",)), "list_issues", {"repo": "a/secret-b"}, "outside_scope"),
        (bound(deny=("*/secret-*",)), "search_code", {"query": "x"}, "scope_unknown"),
        (bound("*"), "search_code", {"query": "x"}, None),
        (bound("*"), "frobnicate", {}, None),
        # Where no bound is about repositories, none is read.
        (bound("web", kind="projects"), "list_issues", {"owner": 7}, None),
        # A condition on the bound itself: what cannot be told leaves it standing.
        (bound("a/b", when='client == "cursor"'), "list_issues", API, None),
        (bound("a/b", when='client == ""'), "list_issues", API, "outside_scope"),
        (bound("a/b", when="args.missing == 1"), "list_issues", API, "outside_scope"),
    ],
)
def test_everything_a_call_is_about_lies_within(
    limit: Bound, tool: str, arguments: dict[str, Any], code: str | None
) -> None:
    verdict = decide(call(tool, arguments, by=alice("github:*", bounds=(limit,))), NOW)

    assert (verdict.code if isinstance(verdict, Deny) else None) == code
    if code in ("outside_scope", "scope_unknown"):
        assert verdict.rule == "only_it"


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("find_releases", {"projectSlug": "production"}, None),
        ("find_releases", {"projectSlug": "billing"}, "outside_scope"),
        ("find_releases", {}, "scope_unknown"),
        ("get_monitor_details", {"projectSlugOrId": "42"}, "scope_unknown"),
        ("get_issue_details", {"issueId": "1"}, "scope_unknown"),
        ("whoami", {}, None),
        (
            "execute_sentry_tool",
            {"name": "find_releases", "arguments": {"projectSlug": "billing"}},
            "outside_scope",
        ),
        (
            "execute_sentry_tool",
            {
                "name": "find_releases",
                "arguments": {"projectSlug": "billing"},
                "projectSlug": "production",
            },
            "outside_scope",
        ),
        (
            "execute_sentry_tool",
            {"name": "find_releases", "arguments": {"projectSlug": "production"}},
            None,
        ),
    ],
)
def test_projects_of_sentry(tool: str, arguments: dict[str, Any], code: str | None) -> None:
    limit = bound("production", "staging", kind="projects")
    by = alice("sentry:*", on="sentry", bounds=(limit,))

    verdict = decide(call(tool, arguments, by=by, at=SENTRY), NOW)

    assert (verdict.code if isinstance(verdict, Deny) else None) == code


def test_every_bound_must_hold() -> None:
    by = alice("github:*", bounds=(bound("myorg/*"), bound("*/public-*")))

    assert isinstance(decide(call("list_issues", PUBLIC, by=by), NOW), Allow)
    assert isinstance(decide(call("list_issues", API, by=by), NOW), Deny)
    other = {"owner": "x", "repo": "public-project"}
    assert isinstance(decide(call("list_issues", other, by=by), NOW), Deny)


def test_a_bound_that_does_not_stand_leaves_it_to_the_next() -> None:
    by = alice("github:*", bounds=(bound("a/b", when='client == "cursor"'), bound("a/b")))

    assert isinstance(decide(call("list_issues", API, by=by), NOW), Deny)


@pytest.mark.parametrize(
    ("tool", "method", "steps"),
    [
        ("get_me", "tools/call", ["caller", "class", "targets", "bounds", "grants", "verdict"]),
        ("ping", "ping", ["caller", "class", "verdict"]),
    ],
)
def test_a_trace_has_the_bounds_of_what_they_are_asked_of(
    tool: str, method: str, steps: list[str]
) -> None:
    trace: list[Step] = []
    decide(call(tool, by=alice("github:*", bounds=(ONLY,)), method=method), NOW, trace)

    assert [each.step for each in trace] == steps


def test_a_trace_names_what_a_call_is_about() -> None:
    row = ToolClass(
        actions=frozenset({"read"}),
        type="x",
        targets=(TargetArgs(kind="repos", args=("repo",), many=True),),
        blind=frozenset({"projects", "paths"}),
    )
    house = server("acme", classes={"x": row})
    kinds = ("repos", "projects", "paths")
    by = alice("acme:*", on="acme", bounds=tuple(bound("a/*", kind=kind) for kind in kinds))

    def about(tool: str, at: Any = house, who: Any = by, **arguments: Any) -> str:
        trace: list[Step] = []
        decide(call(tool, arguments, by=who, at=at), NOW, trace)
        return trace[2].detail

    assert about("x", repo=["a/c", "a/b"]) == "repos a/b, repos a/c; unknown paths and projects"
    only = alice("github:*", bounds=(ONLY,))
    nothing = "nothing that a bound is about"
    assert about("get_me", at=server(), who=only) == nothing
    refused = decide(call("list_issues", {"owner": 7}, by=only), NOW)
    assert refused.reason.startswith("`owner` must be text. ")


def test_targets_of_other_kinds_stand_beside_those_of_the_bound() -> None:
    row = ToolClass(
        actions=frozenset({"read"}),
        type="files",
        targets=(
            TargetArgs(kind="paths", args=("path",)),
            TargetArgs(kind="repos", args=("repo",)),
        ),
    )
    house = server("acme", classes={"read": row})
    paths, repos = bound("/data/*", kind="paths"), bound("myorg/*")
    by = alice("acme:*", on="acme", bounds=(paths, repos))

    def code(path: str, repo: str) -> str | None:
        found = decide(call("read", {"path": path, "repo": repo}, by=by, at=house), NOW)
        return found.code if isinstance(found, Deny) else None

    assert code("/data/x", "myorg/api") is None
    assert code("/etc/x", "myorg/api") == "outside_scope"
    assert code("/data/x", "evil/api") == "outside_scope"


def test_of_many_targets_each_must_lie_within() -> None:
    row = ToolClass(
        actions=frozenset({"read"}),
        type="channels",
        targets=(TargetArgs(kind="channels", args=("channels",), many=True),),
    )
    house = server("acme", classes={"readall": row})
    limit = bound("#dev", "ops-*", kind="channels")
    by = alice("acme:*", on="acme", bounds=(limit,))

    def verdict(*channels: str) -> object:
        return decide(call("read_all", {"channels": list(channels)}, by=by, at=house), NOW)

    assert isinstance(verdict("#dev", "dev", "ops-a", "#ops-b"), Allow)
    assert isinstance(verdict("dev", "general"), Deny)
    assert verdict("x", "general", "dev") == verdict("dev", "x", "general")
    # The order of a set changes with every process; of so many one would come out wrong.
    for first, *rest in ("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "qrstuvwx"):
        refused = verdict(*rest, first)
        assert isinstance(refused, Deny)
        assert refused.reason.startswith(f"`{first}` is not among")


@pytest.mark.parametrize("written", ["#secret", "secret", "#SECRET"])
@pytest.mark.parametrize("asked", ["#secret", "secret", "Secret"])
def test_a_channel_is_closed_in_either_spelling(written: str, asked: str) -> None:
    row = ToolClass(
        actions=frozenset({"read"}),
        type="channels",
        targets=(TargetArgs(kind="channels", args=("channel",)),),
    )
    house = server("acme", classes={"readit": row})
    by = alice("acme:*", on="acme", bounds=(bound(deny=(written,), kind="channels"),))

    refused = decide(call("read_it", {"channel": asked}, by=by, at=house), NOW)
    open_one = decide(call("read_it", {"channel": "general"}, by=by, at=house), NOW)

    assert isinstance(refused, Deny)
    assert isinstance(open_one, Allow)


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("resources/read", {"uri": "repo://myorg/public-project/contents/a"}, None),
        ("resources/subscribe", {"uri": "repo://myorg/public-project/contents/a"}, None),
        ("resources/read", {"uri": "repo://myorg/core/contents/a"}, "outside_scope"),
        ("resources/read", {"uri": "repo://myorg/public-project/../core/x"}, "scope_unknown"),
        ("resources/read", {"uri": "gist://1"}, "scope_unknown"),
        ("resources/read", {}, "scope_unknown"),
        ("prompts/get", {"owner": "myorg", "repo": "public-project"}, "scope_unknown"),
        ("completion/complete", {"ref": {"type": "ref/prompt"}}, "scope_unknown"),
        ("tasks/get", {"taskId": "1"}, "scope_unknown"),
        ("subscriptions/listen", {}, None),
        (
            "subscriptions/listen",
            {"notifications": {"resourceSubscriptions": ["repo://myorg/core/contents/a"]}},
            "outside_scope",
        ),
        (
            "subscriptions/listen",
            {"notifications": {"resourceSubscriptions": ["repo://myorg/docs-a/contents/a"]}},
            None,
        ),
        ("tools/list", {}, None),
        ("initialize", {}, None),
        ("ping", {}, None),
        ("logging/setLevel", {}, None),
    ],
)
def test_requests_without_a_tool_are_bounded_too(
    method: str, params: dict[str, Any], code: str | None
) -> None:
    by = alice("github:*", bounds=(ONLY,))

    verdict = decide(call(method, params, by=by, method=method), NOW)

    assert (verdict.code if isinstance(verdict, Deny) else None) == code


def test_a_server_nobody_knows_is_closed_under_a_bound() -> None:
    by = alice("acme:*", on="acme", bounds=(ONLY,))

    verdict = decide(call("get_thing", PUBLIC, by=by, at=ACME), NOW)

    assert isinstance(verdict, Deny)
    assert verdict.reason == (
        "only_it limits alice@example.org to certain repos, and the arguments of `get_thing` on "
        "acme do not say which repos it is about. Name them, or use a tool that takes their names; "
        "allowed: `myorg/public-project`, `myorg/docs-*`."
    )


def test_a_refusal_names_the_target_and_what_is_open() -> None:
    inside = decide(call("list_issues", API, by=alice("github:*", bounds=(ONLY,))), NOW)
    closed = {"owner": "myorg", "repo": "sensitive-repo"}
    denied = decide(call("list_issues", closed, by=alice("github:*", bounds=(NOT,))), NOW)

    assert inside.reason == (
        "`myorg/api` is not among the repos that only_it opens to alice@example.org; allowed: "
        "`myorg/public-project`, `myorg/docs-*`. Ask an administrator to add it."
    )
    assert "`myorg/sensitive-repo` is among the repos that only_it closes" in denied.reason
