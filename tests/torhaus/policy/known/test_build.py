import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from torhaus.model.servers import TargetArgs, ToolClass
from torhaus.policy.known.build import PROJECT_NAME, build, parse, table
from torhaus.policy.known.rows import tool
from torhaus.policy.known.spec import KINDS, Extra, Method, ServerSpec, Target, ToolSpec

NAMED = re.compile(PROJECT_NAME)
SENTRY = ServerSpec(project_args=("projectSlug", "project"))


def built(scope: str, server: ServerSpec = SENTRY, **words: Any) -> ToolClass:
    return build(tool("read", "issues", scope, **words), server)


def test_a_tool_with_a_method_may_do_all_that_its_values_do() -> None:
    values = {"create": "write", "delete": "delete"}
    row = build(ToolSpec(action="write", method=Method(arg="how", map=values, absent="read")))

    assert row.actions == {"write", "delete", "read"}
    assert (row.method_arg, row.method_actions, row.method_absent) == ("how", values, "read")


def test_a_dispatcher_does_nothing_itself() -> None:
    row = build(tool("dispatch", "*", dispatch=("name", "arguments")), source="config")

    assert row.actions == frozenset()
    assert (row.dispatch, row.source) == (("name", "arguments"), "config")


@pytest.mark.parametrize("scope", ["repo", "repo_optional"])
def test_a_repository_is_its_owner_and_its_name_and_without_them_unknown(scope: str) -> None:
    row = built(scope, owner_arg="organization", repo_arg="name")

    assert row.targets == (TargetArgs(kind="repos", args=("organization", "name")),)
    assert row.blind == frozenset()
    assert row.targets[0].missing == "unknown"


@pytest.mark.parametrize("scope", ["org", "query", "id"])
def test_what_is_found_by_id_or_query_is_a_thing_no_argument_names(scope: str) -> None:
    assert built(scope, ServerSpec()).blind == {"repos"}
    assert built(scope, SENTRY).blind == {"projects"}
    assert built(scope).targets == ()


@pytest.mark.parametrize("scope", ["issue_ref", "project_new"])
def test_the_project_of_an_issue_and_a_new_project_s_name_are_unknown(scope: str) -> None:
    assert built(scope).blind == {"projects"}
    assert built(scope).targets == ()


def test_a_tool_about_nothing_has_no_targets() -> None:
    assert built("none").targets == ()
    assert built("none").blind == frozenset()


@pytest.mark.parametrize("scope", ["project", "project_optional"])
def test_a_project_has_every_argument_that_may_name_it(scope: str) -> None:
    expected = TargetArgs(
        kind="projects", args=("projectSlug",), either=("project",), many=True, pattern=NAMED
    )

    assert built(scope).targets == (expected,)


def test_a_tool_that_has_one_of_the_arguments_reads_that_one_only() -> None:
    row = built("project", project_args=("project",))

    assert (row.targets[0].args, row.targets[0].either) == (("project",), ())


def test_a_class_in_place_of_a_shipped_one_reads_the_arguments_the_tool_has() -> None:
    shipped = built("project", project_args=("project",))
    other = built("project", project_args=("space",))

    over = build(tool("write", "issues", "project"), SENTRY, over=shipped)
    beside = build(tool("write", "issues", "project"), SENTRY, over=other)

    assert (over.targets[0].args, over.targets[0].either) == (("project",), ())
    assert (beside.targets[0].args, beside.targets[0].either) == (("projectSlug",), ("project",))


def test_a_url_in_place_of_a_project_s_name_is_unknown_whatever_it_says() -> None:
    named, url = built("project_or_url").targets

    assert named.missing == "unknown"
    assert (url.args, url.missing) == (("profileUrl",), "none")
    assert url.pattern is not None
    assert url.pattern.fullmatch("") is None


def test_a_row_that_is_silent_on_its_scope_lifts_no_bounds_and_no_pins() -> None:
    server = ServerSpec(pinned_args={"region": "eu|us", "host": "a"})
    shipped = build(tool("read", "issues", "project", project_args=("project",)), server)
    pins = ServerSpec(pinned_args={"host": "b"})

    over = build(ToolSpec(action="write"), pins, over=shipped)
    alone = build(ToolSpec(action="write"))

    assert (over.targets, over.blind, over.scope) == (shipped.targets, shipped.blind, "project")
    assert dict(over.pinned) == {"region": "eu|us", "host": "b"}
    assert (alone.targets, alone.blind) == ((), frozenset(KINDS))


def test_a_row_that_says_what_it_is_about_is_believed() -> None:
    shipped = build(tool("read", "issues", "id"))
    target = Target(kind="repos", args=("name",))

    for spec in (
        ToolSpec(action="write", scope="none"),
        ToolSpec(action="write", targets=(target,)),
        ToolSpec(action="write", blind=("paths",)),
        ToolSpec(action="write", extra_targets=(Extra(owner_arg="a", repo_arg="b"),)),
    ):
        row = build(spec, over=shipped)
        assert (row.scope, row.blind) == ("none", frozenset(spec.blind))
        assert len(row.targets) == len(spec.targets) + len(spec.extra_targets)


@pytest.mark.parametrize(
    ("extra", "missing"),
    [
        (Extra(owner_arg="a", repo_arg="b"), "unknown"),
        (Extra(owner_arg="a", repo_arg="b", optional=True), "none"),
        (Extra(owner_arg="a", repo_arg="b", default="primary"), "primary"),
    ],
)
def test_a_second_repository_says_what_its_absence_means(extra: Extra, missing: str) -> None:
    row = built("repo", extra_targets=(extra,))

    assert row.targets[1] == TargetArgs(kind="repos", args=("a", "b"), missing=missing)


def test_targets_and_blind_kinds_can_be_said_in_full() -> None:
    target = Target(
        kind="projects",
        args=("key",),
        either=("keys",),
        many=True,
        missing="none",
        pattern=r"([A-Z]+)-\d+",
    )

    row = built("id", ServerSpec(), targets=(target,), blind=("channels",))

    assert row.targets == (
        TargetArgs(
            kind="projects",
            args=("key",),
            either=("keys",),
            many=True,
            missing="none",
            pattern=re.compile(r"([A-Z]+)-\d+"),
        ),
    )
    assert row.blind == {"repos", "channels"}


@pytest.mark.parametrize(
    "name", ["api", "my-org.web", "group/sub.group/api_2", "_internal", "2fa", "allowance", "a"]
)
def test_a_project_s_name_is_taken_as_it_is(name: str) -> None:
    found = NAMED.fullmatch(name)

    assert found is not None
    assert found[1] == name


@pytest.mark.parametrize(
    "name",
    ["", "4711", "-1", "all", "ALL", " api", "api ", "api\n", "a/../b", "a//b", "/a", "a/", "..",
     "a%2Fb", "a\\b", "\u0430pi", "a b", "$all", "a..b", ".a", "a."],
)  # fmt: skip
def test_what_may_name_something_else_names_no_project(name: str) -> None:
    assert NAMED.fullmatch(name) is None


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (ToolSpec(), "it needs an action: admin, delete, execute, read, resolve, write"),
        (ToolSpec(action="reed"), "'reed' is no action: use admin,"),
        (ToolSpec(action="unknown"), "'unknown' is no action"),
        (ToolSpec(action="dispatch"), "'dispatch' is no action"),
        (ToolSpec(action="read", also=("*",)), r"'\*' is no action"),
        (ToolSpec(also=("read",)), "'' is no action"),
        (ToolSpec(action="read", scope="repos"), "'repos' is no scope: use id, issue_ref,"),
        (ToolSpec(action="read", tags=("secret",)), "'secret' is no tag: use cost,"),
        (ToolSpec(action="read", blind=("repo",)), "'repo' is no kind: use channels,"),
        (ToolSpec(action="read", resource="My Issues"), "'My Issues' is no type"),
        (ToolSpec(action="read", resource=""), "'' is no type"),
        (ToolSpec(method=Method(arg="how", map={})), "the method how needs a map"),
        (ToolSpec(method=Method(arg="how", map={"a": "add"})), "'add' is no action"),
        (ToolSpec(method=Method(arg="h", map={"a": "read"}, absent="b")), "'b' is no action"),
        (
            ToolSpec(also=("read",), method=Method(arg="h", map={"a": "read"})),
            "^also says nothing beside a method: the method's map names every action$",
        ),
        (tool("read", "x", dispatch=("a", "b")), "a dispatcher does what the tool it runs does"),
        (
            tool("", "x", dispatch=("a", "b"), method=("h", {"a": "read"})),
            "^a tool has a method or a dispatch, not both$",
        ),
        (
            tool("read", "x", extra_targets=(Extra(owner_arg="a", repo_arg="b", default="own"),)),
            "'own' is not a default of a second target",
        ),
        (tool("read", "x", targets=(Target(kind="repo", args=("a",)),)), "'repo' is no kind"),
        (
            tool("read", "x", targets=(Target(kind="repos", args=()),)),
            "^a target needs args: the arguments that name it, outermost first$",
        ),
        (
            tool("peek", "x", method=("h", {"a": "read"})),
            "'peek' is no action",
        ),
        (
            tool("read", "x", targets=(Target(kind="repos", args=("a",), missing="any"),)),
            "'any' is no meaning of a missing target",
        ),
        (
            tool("read", "x", targets=(Target(kind="repos", args=("a",), pattern="("),)),
            "the pattern of a is no regular expression",
        ),
        (tool("read", "x", "project"), "scope project needs project_args"),
    ],
)  # fmt: skip
def test_words_that_nobody_knows_are_refused_with_a_sentence(spec: ToolSpec, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build(spec)


def test_a_file_s_words_become_a_server_s_classification() -> None:
    server = parse(
        {
            "resource_parents": {"labels": "issues"},
            "pinned_args": {"region": "eu|us"},
            "tools": {"list_labels": {"action": "read", "resource": "labels", "scope": "repo"}},
        }
    )

    assert table(server.tools, server)["list_labels"].pinned == (("region", "eu|us"),)
    assert server.resource_parents == {"labels": "issues"}


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ([], "Expected `object`"),
        ({"tool": {}}, "unknown field `tool`"),
        ({"tools": {"x": {"acton": "read"}}}, r"unknown field `acton` - at `\$\.tools"),
        ({"tools": {"x": {"action": ["read"]}}}, r"Expected `str`, got `array` - at `\$\.tools"),
        ({"tools": {"x": {"action": "reed"}}}, "x: 'reed' is no action"),
        ({"tools": {"x": {"action": "read", "method": {"arg": "a"}}}}, "missing required field"),
        ({"pinned_args": {"region": "("}}, "the pattern of region is no regular expression"),
        ({"resource_parents": {"Labels": "issues"}}, "'Labels' is no type"),
        ({"resource_parents": {"labels": "*"}}, r"'\*' is no type"),
    ],
)
def test_a_file_s_mistake_is_a_sentence_that_says_where(raw: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse(raw)


def test_the_documentation_s_example_means_what_it_says() -> None:
    text = (Path(__file__).parents[4] / "docs" / "classification.md").read_text()
    example = text[text.index("    mcpServers:\n") : text.index("\n`scope`: ")]
    file = YAML(typ="safe", pure=True).load(example)

    server = parse(file["mcpServers"]["tracker"]["classification"])
    rows = table(server.tools, server)

    assert rows["get_ticket"].targets[0].args == ("project",)
    assert rows["find_tickets"].blind == {"projects"}
    assert rows["ticket_write"].actions == {"write", "delete"}
    assert rows["run"].dispatch == ("tool", "arguments")
    assert rows["purge_*"].actions == {"admin", "delete"}
    key = rows["ticket_by_key"].targets[0].pattern
    assert key is not None
    assert key.fullmatch("ABC-12")
