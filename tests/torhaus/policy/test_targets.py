import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.model.servers import TargetArgs, ToolClass
from torhaus.policy.known.build import PROJECT_NAME
from torhaus.policy.targets import EVERY_KIND, NOTHING, Targets, targets, within_uris

REPOS = frozenset({"repos"})
REPO = TargetArgs(kind="repos", args=("owner", "repo"))
RELATED = TargetArgs(kind="repos", args=("related_owner", "related_repo"), missing="primary")
FORK = TargetArgs(kind="repos", args=("organization", "repo"), missing="unknown")
PROJECT = TargetArgs(kind="projects", args=("project",), many=True, either=("projectSlug",))
PATTERNED = TargetArgs(kind="projects", args=("slug",), pattern=re.compile(PROJECT_NAME))
NEVER = TargetArgs(kind="projects", args=("url",), missing="none", pattern=re.compile("(?!)"))
KEY = TargetArgs(kind="projects", args=("key",), pattern=re.compile(r"([A-Z]+)-\d+"))
GROUPLESS = TargetArgs(kind="projects", args=("key",), pattern=re.compile(r"[A-Z]+-\d+"))
EMPTY = TargetArgs(kind="projects", args=("key",), pattern=re.compile(r"([A-Z]*)\d+"))
CHANNEL = TargetArgs(kind="channels", args=("channel",))
PATH = TargetArgs(kind="paths", args=("path",))
PATHS = TargetArgs(kind="paths", args=("paths",), many=True)


def row(*wanted: TargetArgs, **more: Any) -> ToolClass:
    return ToolClass(actions=frozenset({"read"}), type="x", targets=wanted, **more)


def read(arguments: dict[str, Any], *wanted: TargetArgs, **more: Any) -> Targets:
    return targets(row(*(wanted or (REPO,)), **more), arguments, EVERY_KIND)


@pytest.mark.parametrize(
    ("wanted", "arguments", "named"),
    [
        (REPO, {"owner": "myorg", "repo": "api"}, {"myorg/api"}),
        (REPO, {"owner": "MyOrg", "repo": "API.js"}, {"MyOrg/API.js"}),
        (REPO, {"repo": "myorg/api"}, {"myorg/api"}),
        (REPO, {"owner": "gabrielecirulli", "repo": "2048"}, {"gabrielecirulli/2048"}),
        (REPO, {"owner": "o", "repo": "a" * 1024}, {"o/" + "a" * 1024}),
        (REPO, {"owner": "MYORG", "repo": "myorg/api"}, {"myorg/api"}),
        (REPO, {"owner": "myorg", "repo": "api", "title": "../.."}, {"myorg/api"}),
        (PROJECT, {"project": "web"}, {"web"}),
        (PROJECT, {"project": ["web", "api"]}, {"web", "api"}),
        (PROJECT, {"projectSlug": "web"}, {"web"}),
        (PROJECT, {"project": "web", "projectSlug": "api"}, {"web", "api"}),
        (PROJECT, {"project": "group/sub/web"}, {"group/sub/web"}),
        (PATTERNED, {"slug": "web"}, {"web"}),
        (KEY, {"key": "OPS-12"}, {"OPS"}),
        (CHANNEL, {"channel": "#general"}, {"general"}),
        (CHANNEL, {"channel": "C0123ABCD"}, {"C0123ABCD"}),
        (PATH, {"path": "/data/reports/a b.txt"}, {"/data/reports/a b.txt"}),
        (PATH, {"path": "/"}, {"/"}),
        (PATH, {"path": "/data/Übersicht"}, {"/data/Übersicht"}),
        (PATHS, {"paths": ["/a", "/b"]}, {"/a", "/b"}),
    ],
)
def test_what_is_well_named_is_a_target(
    wanted: TargetArgs, arguments: dict[str, Any], named: set[str]
) -> None:
    assert read(arguments, wanted) == Targets(frozenset((wanted.kind, name) for name in named))


@pytest.mark.parametrize(
    ("wanted", "arguments"),
    [
        (REPO, {}),
        (REPO, {"owner": "myorg"}),
        (REPO, {"repo": "api"}),
        (REPO, {"query": "repo:myorg/api"}),
        (PROJECT, {}),
        (PATTERNED, {"slug": "42"}),
        (PATTERNED, {"slug": "all"}),
        (PATTERNED, {"slug": "a%2fb"}),
        (PATTERNED, {"slug": "a/../b"}),
        (NEVER, {"url": "https://o.sentry.io/issues/1"}),
        (GROUPLESS, {"key": "OPS-12"}),
        (EMPTY, {"key": "12"}),
        (KEY, {"key": "12"}),
        (KEY, {"key": "ops-12"}),
    ],
)
def test_what_does_not_tell_is_unknown(wanted: TargetArgs, arguments: dict[str, Any]) -> None:
    assert read(arguments, wanted) == Targets(unknown=frozenset({wanted.kind}))


OWNER_AND = {"owner": "myorg"}


@pytest.mark.parametrize(
    ("wanted", "arguments"),
    [
        *((REPO, {**OWNER_AND, "repo": bad}) for bad in (
            7, 7.0, True, None, [], ["api"], {"name": "api"}, "", " ", " api", "api ", "api\n",
            "api\x00", "a\tb", ".", "..", "api.git", "api.GIT", "api/", "/api", "a%2fb", "%2e%2e",
            "api/../core", "myorg/../core", "myorg/api/x", "myorg//api", "evil/api", "\u0430pi",
            "api\u2010x", "docs-\u212a", "api\u200b", "a" * 1025, "api?x", "api#x", "a\\b", "~",
            "a:b", "a@b", "*",
        )),
        *((REPO, {"owner": bad, "repo": "api"}) for bad in (
            7, None, ["myorg"], "", "myorg/x", "my org", "..", "m\u0443org", "myorg.git",
        )),
        (REPO, {"Owner": "evil", "owner": "myorg", "repo": "api"}),
        (REPO, {"REPO": "core", "owner": "myorg", "repo": "api"}),
        (REPO, {"Owner": "evil"}),
        (REPO, {"owner": "myorg", "repo": "api", "repo\x00": "core"}),
        (REPO, {"owner": "myorg", "repo": "api", "\uff52epo": "core"}),
        (REPO, {"owner": "myorg", "repo": "api", "\uff52epo\x00": "core"}),
        (REPO, {"owner": "myorg", "repo": "myorg/api.git"}),
        (PROJECT, {"project": []}),
        (PROJECT, {"project": ["web", 7]}),
        (PROJECT, {"project": ["web", ["api"]]}),
        (PROJECT, {"project": "42"}),
        (PROJECT, {"project": "group/42"}),
        (PROJECT, {"project": 42}),
        (PROJECT, {"projectSlug": None}),
        (PROJECT, {"ProjectSlug": "web"}),
        (PROJECT, {"project": "group%2Fweb"}),
        (PATTERNED, {"slug": 42}),
        (NEVER, {"url": ["https://x"]}),
        (CHANNEL, {"channel": "##general"}),
        (CHANNEL, {"channel": "#"}),
        (CHANNEL, {"channel": ["general"]}),
        *((PATH, {"path": bad}) for bad in (
            "data", "", "./data", "../data", "/data/../etc", "/data/./x", "//data", "/data//x",
            "/data/", "/data/x\x00", "/data/x\n", "/data/%2e%2e/x", "/data\\..\\x", "~/x", "C:/x",
            "/data /x", "/ data/x", "/data/\uff0e\uff0e/x", "/data/cafe\u0301", "/data/x\u200b",
            "file:///data", ["/data"], 7,
        )),
        (PATHS, {"paths": ["/a", "/a/../b"]}),
    ],
)  # fmt: skip
def test_what_a_server_may_read_otherwise_is_a_problem(
    wanted: TargetArgs, arguments: dict[str, Any]
) -> None:
    found = read(arguments, wanted)

    assert found.problem is not None
    assert "must" in found.problem or "name" in found.problem
    assert (found.named, found.unknown) == (frozenset(), frozenset())
    assert found.problem.isprintable()
    assert len(found.problem) < 200


PROPER = "must consist of letters, digits, `.`, `-` and `_`, with one `/` between"


@pytest.mark.parametrize(
    ("wanted", "arguments", "problem"),
    [
        (REPO, {"repo": 7}, "`repo` must be text"),
        (REPO, {"owner": None, "repo": "api"}, "`owner` must be text, and is null"),
        (REPO, {"owner": 7, "repo": "api"}, "`owner` must be text"),
        (REPO, {"owner": "a/b", "repo": "api"}, "`owner` must be one name, without /"),
        (REPO, {"owner": "o", "repo": ["a"]}, "`repo` must be one name, and is a list"),
        (REPO, {"owner": "o", "repo": ""}, "`repo` must have 1 to 1024 characters"),
        (REPO, {"owner": "o", "repo": "a b"}, f"`repo` {PROPER}"),
        (REPO, {"repo": "o/a b"}, f"`repo` {PROPER}"),
        (REPO, {"owner": "o", "repo": "api.git"}, "`repo` must not end in .git"),
        (
            REPO,
            {"owner": "o", "repo": "a/b/c"},
            "`repo` must be one name or the whole of it, such as owner/repo",
        ),
        (REPO, {"owner": "o", "repo": "a/b"}, "`owner` and `repo` name different things"),
        (REPO, {"Owner": "o"}, "`owner` must be written in that very spelling"),
        (PROJECT, {"project": []}, "`project` is an empty list: name at least one"),
        (PROJECT, {"project": "42"}, "`project` must be the project's name, not its number"),
        (PROJECT, {"projectSlug": None}, "`projectSlug` must be text, and is null"),
        (PROJECT, {"projectSlug": 7}, "`projectSlug` must be text"),
        (PROJECT, {"projectSlug": []}, "`projectSlug` is an empty list: name at least one"),
        (PROJECT, {"projectSlug": "a b"}, f"`projectSlug` {PROPER}"),
        (CHANNEL, {"channel": "#"}, "`channel` must be a channel's name or id"),
        (
            PATH,
            {"path": "x"},
            "`path` must be an absolute path in plain spelling, such as /data/reports",
        ),
    ],
)
def test_a_problem_names_the_argument_and_what_it_must_be(
    wanted: TargetArgs, arguments: dict[str, Any], problem: str
) -> None:
    assert read(arguments, wanted) == Targets(problem=problem)


SOME = TargetArgs(kind="projects", args=("slug",), many=True, pattern=re.compile(PROJECT_NAME))
EITHER = TargetArgs(kind="projects", args=("a",), either=("b", "c"), pattern=SOME.pattern)
PAIRS = TargetArgs(kind="repos", args=("owner", "repo"), many=True)
SOME_PAIRS = TargetArgs(
    kind="repos", args=("owner", "repo"), many=True, pattern=re.compile("(a/[b-d])")
)
KNOWN, PROJECTS = ("projects", "web"), frozenset({"projects"})


@pytest.mark.parametrize(
    ("wanted", "arguments", "found"),
    [
        (SOME, {"slug": ["web", "42"]}, Targets(frozenset({KNOWN}), PROJECTS)),
        (SOME, {"slug": ["42", "web"]}, Targets(frozenset({KNOWN}), PROJECTS)),
        (EITHER, {"b": "42", "c": "web"}, Targets(frozenset({KNOWN}), PROJECTS)),
        (EITHER, {"b": "web", "c": "42"}, Targets(frozenset({KNOWN}), PROJECTS)),
        (EITHER, {"b": "42", "a": "web"}, Targets(frozenset({KNOWN}), PROJECTS)),
        (EITHER, {"b": "web", "a": "42"}, Targets(frozenset({KNOWN}), PROJECTS)),
        (PAIRS, {"repo": ["api", "a/b"]}, Targets(frozenset({("repos", "a/b")}), REPOS)),
        (PAIRS, {"repo": ["a/b", "api"]}, Targets(frozenset({("repos", "a/b")}), REPOS)),
        (
            SOME_PAIRS,
            {"owner": "a", "repo": ["x", "b"]},
            Targets(frozenset({("repos", "a/b")}), REPOS),
        ),
        (
            SOME_PAIRS,
            {"repo": ["a/x", "a/b"]},
            Targets(frozenset({("repos", "a/b")}), REPOS),
        ),
        (
            PAIRS,
            {"owner": "a", "repo": ["b", "a/c"]},
            Targets(frozenset({("repos", "a/b"), ("repos", "a/c")})),
        ),
    ],
)
def test_one_that_does_not_tell_makes_the_whole_unknown(
    wanted: TargetArgs, arguments: dict[str, Any], found: Targets
) -> None:
    assert read(arguments, wanted) == found


def test_a_second_target_counts_like_the_first() -> None:
    both = {"owner": "myorg", "repo": "api", "related_owner": "evil", "related_repo": "core"}
    half = {"owner": "myorg", "repo": "api", "related_repo": "core"}
    first = {"owner": "myorg", "repo": "api"}

    assert read(both, REPO, RELATED).named == {("repos", "myorg/api"), ("repos", "evil/core")}
    assert read(half, REPO, RELATED).named == {("repos", "myorg/api"), ("repos", "myorg/core")}
    assert read(first, REPO, RELATED) == Targets(frozenset({("repos", "myorg/api")}))
    assert read({"related_repo": "x/y"}, REPO, RELATED).unknown == REPOS
    assert read({**first, "related_repo": None}, REPO, RELATED).problem is not None
    assert read({**first, "related_owner": "evil"}, REPO, RELATED).named == {
        ("repos", "myorg/api"),
        ("repos", "evil/api"),
    }


def test_a_second_target_of_more_parts_than_the_first_is_unknown_where_one_is_missing() -> None:
    longer = TargetArgs(kind="projects", args=("x", "y", "z"), missing="primary")
    first = {"owner": "myorg", "repo": "api"}

    assert read(first, REPO, longer).unknown == PROJECTS
    assert read({**first, "z": "web"}, REPO, longer).named == {
        ("repos", "myorg/api"),
        ("projects", "myorg/api/web"),
    }
    null = {"owner": None, "z": "web"}
    assert targets(row(REPO, longer), null, PROJECTS).problem == "`owner` must be text, and is null"


def test_a_fork_into_an_organisation_is_about_both() -> None:
    into = {"owner": "myorg", "repo": "api", "organization": "evil"}

    assert read(into, REPO, FORK).named == {("repos", "myorg/api"), ("repos", "evil/api")}
    assert read({"owner": "myorg", "repo": "api"}, REPO, FORK).unknown == REPOS


def test_a_second_target_that_may_be_absent() -> None:
    optional = TargetArgs(kind="repos", args=("item_owner", "item_repo"), missing="none")

    assert read({}, optional) is NOTHING
    assert read({"item_repo": "api"}, optional).unknown == REPOS
    assert read({"item_owner": "a", "item_repo": "b"}, optional).named == {("repos", "a/b")}


def test_a_tool_nobody_knows_may_be_about_anything() -> None:
    assert targets(None, {"owner": "myorg", "repo": "api"}, REPOS) == Targets(unknown=REPOS)
    assert targets(row(scope="query"), {}, REPOS) == Targets(unknown=REPOS)


def test_what_no_argument_tells_is_unknown_beside_what_one_does() -> None:
    found = read({"owner": "myorg", "repo": "api"}, REPO, blind=frozenset({"projects"}))

    assert found == Targets(frozenset({("repos", "myorg/api")}), frozenset({"projects"}))


def test_only_the_kinds_asked_for_are_read() -> None:
    assert targets(row(REPO), {"owner": 7}, frozenset({"projects"})) is NOTHING
    assert targets(row(REPO, PROJECT), {"project": "web"}, frozenset({"projects"})) == Targets(
        frozenset({("projects", "web")})
    )


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("repo://myorg/api/contents/src/a.py", "myorg/api"),
        ("repo://MyOrg/api", "MyOrg/api"),
        ("repo://myorg/api/refs/heads/main/contents", "myorg/api"),
        ("repo://myorg/api/contents/../../core", None),
        ("repo://myorg/api/contents/./core", None),
        ("repo://myorg/../core/contents", None),
        ("repo://myorg/api.git/contents", None),
        ("repo://myorg/api/contents/%2e%2e/x", None),
        ("repo://myorg/api/contents//x", None),
        ("repo://myorg/api/", None),
        ("repo://myorg/api?ref=x", None),
        ("repo://myorg/api/contents/x\n", None),
        ("repo://m\u0443org/api/contents", None),
        ("repo://user@myorg/api/contents", None),
        ("REPO://myorg/api/contents", None),
        ("file:///data", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_a_resource_of_github_says_which_repository(uri: object, named: str | None) -> None:
    kinds = frozenset({"repos", "projects"})
    found = within_uris([uri], kinds)

    if named is None:
        assert found == Targets(unknown=kinds)
    else:
        assert found == Targets(frozenset({("repos", named)}), frozenset({"projects"}))


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=3), st.none()),
    st.sampled_from(["myorg", "api", "myorg/api", "../x", "a%2fb"]),
)  # fmt: skip
KEYS = st.sampled_from(["owner", "repo", "Owner", "REPO", "related_owner", "related_repo", "x"])


@given(st.dictionaries(KEYS, VALUES))
def test_a_repository_that_is_named_stands_in_the_arguments(arguments: dict[str, Any]) -> None:
    found = read(arguments, REPO, RELATED)
    told = [value.lower() for value in arguments.values() if isinstance(value, str)]

    assert sum(map(bool, (found.problem, found.named or found.unknown))) == 1
    for _, name in found.named:
        owner, _, repo = name.lower().partition("/")
        assert name.lower() in told or (owner in told and repo in told) or repo in told
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", name, re.ASCII)
