import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.model.rules import Rules

BASE = """
mcpServers:
  github: {url: "https://github.example/mcp"}
  docs: {url: "https://docs.example/mcp"}
"""


def rules(text: str) -> Rules:
    return load_text(BASE + text, "torhaus.yml", {}).rules


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        rules(text)
    return [f"{each.path}: {each.message}" for each in caught.value.problems]


def test_without_any_there_is_the_aggregate_alone():
    found = rules("")

    assert [*found.views] == [""]
    assert found.views[""].picks is None
    assert (found.aggregate.deadline, found.aggregate.fresh) == (3.0, 15.0)
    assert rules("aggregate: {deadline: 500ms, fresh: 1m}").aggregate.deadline == 0.5


def test_a_view_has_whole_servers_and_parts_of_others():
    view = rules("""
virtual_servers:
  triage:
    description: Look at bugs
    instructions: Be kind.
    servers: [docs]
    tools: [github__list_*, "*__get_issue"]
    prompts: ["github__*"]
    resources: [github+repo://a/*, ui://github/board]
    rename: {github__get_issue: issue}
    fixed: {github__list_issues: {owner: me, per_page: 5}}
""").views["triage"]

    assert (view.name, view.description, view.instructions) == (
        "triage",
        "Look at bugs",
        "Be kind.",
    )
    docs, github = view.pick("docs"), view.pick("github")
    assert docs is not None
    assert github is not None
    assert (docs.tools, docs.prompts, docs.resources) == (None, None, None)
    assert [each.text for each in github.tools or ()] == ["list_*", "get_issue"]
    assert github.prompts is None
    assert [each.text for each in github.resources or ()] == ["repo://a/*", "ui://board"]
    assert not any(each.pattern.fullmatch("repo://A/x") for each in github.resources or ())
    assert view.pick("nobody") is None
    assert view.renamed == {("github", "get_issue"): "issue"}
    assert view.fixed == {("github", "listissues"): {"owner": "me", "per_page": 5}}


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("docs: {servers: [docs]}", "virtual_servers.docs: a server is called docs already"),
        ("Big: {servers: [docs]}", "virtual_servers.Big: this is not a virtual server's name"),
        ("v: {}", "virtual_servers.v: nothing is in it"),
        ("v: {servers: [dosc]}", "virtual_servers.v.servers[0]: there is no server 'dosc'"),
        ("v: {tools: [list_issues]}", "virtual_servers.v.tools[0]: this names no server"),
        ("v: {tools: [nobody__x]}", "virtual_servers.v.tools[0]: there is no server 'nobody'"),
        ("v: {tools: ['docs__[x]']}", "virtual_servers.v.tools[0]: '[' in"),
        ("v: {resources: ['docs']}", "virtual_servers.v.resources[0]: this names no server"),
        ("v: {resources: ['ui://docs']}", "virtual_servers.v.resources[0]: this names no server"),
        (
            "v: {servers: [docs], rename: {github__x: y}}",
            "virtual_servers.v.rename.github__x: the tool's server is no part of this",
        ),
        (
            "v: {tools: [docs__a], rename: {docs__b: y}}",
            "virtual_servers.v.rename.docs__b: the tool is no part of this",
        ),
        (
            "v: {servers: [docs], rename: {docs__*: y}}",
            "virtual_servers.v.rename.docs__*: this is no single tool",
        ),
        (
            "v: {servers: [docs], rename: {docs__a: y, docs__b: y}}",
            "virtual_servers.v.rename.docs__b: two tools have the same name",
        ),
        (
            "v: {servers: [docs], rename: {docs__a: docs__b}}",
            "virtual_servers.v.rename.docs__a: a new name must not look like SERVER__TOOL",
        ),
        (
            "v: {servers: [docs], fixed: {docs__get_a: {x: 1}, docs__getA: {x: 2}}}",
            "virtual_servers.v.fixed.docs__getA: this tool is written twice",
        ),
        (
            "v: {servers: [docs], fixed: {docs__a: {Owner: x, owner: y}}}",
            "virtual_servers.v.fixed.docs__a: 'owner' stands twice",
        ),
        ("sse: {servers: [docs]}", "virtual_servers.sse: /mcp/sse is the address of all servers"),
        ("v: {servers: [docs], fixed: {docs__a: {}}}", "virtual_servers.v.fixed.docs__a: "),
        ("v: {servers: [docs], tool: [x]}", "virtual_servers.v.tool: unknown key 'tool'"),
    ],
)
def test_mistakes_are_named_where_they_are(spec: str, problem: str):
    found = problems(f"virtual_servers:\n  {spec}\n")

    assert len(found) == 1
    assert found[0].startswith(problem)


def test_no_server_is_called_as_the_old_transports_address_ends():
    servers = "mcpServers: {sse: {url: 'http://127.0.0.1:9/mcp'}}"

    with pytest.raises(ConfigError) as refused:
        load_text(servers, "torhaus.yml", {})

    assert "/mcp/sse is the address of all servers" in str(refused.value)


def test_a_name_too_long_for_some_models_is_doubted_unless_it_is_renamed():
    long = "docs__" + "x" * 60
    text = f"virtual_servers: {{v: {{tools: [{long}, docs__short, 'docs__{'y' * 60}*']}}}}"

    warned = load_text(BASE + text, "torhaus.yml", {}).warnings
    quiet = text.replace("tools:", f"rename: {{{long}: short}}, tools:")

    assert [each.path for each in warned if "64" in each.message] == ["virtual_servers.v.tools[0]"]
    renamed = load_text(BASE + quiet, "torhaus.yml", {}).warnings
    assert [each for each in renamed if "64" in each.message] == []


def test_tools_are_listed_unless_somebody_wants_them_searched():
    found = rules("""
aggregate: {discovery: search}
virtual_servers:
  full: {servers: [docs]}
  some: {servers: [docs], discovery: search}
""").views

    assert {name: view.searched for name, view in found.items()} == {
        "": True,
        "full": False,
        "some": True,
    }
    assert not rules("").views[""].searched


def test_a_new_name_must_not_be_one_of_the_gateways_own():
    text = """
virtual_servers:
  some: {tools: [docs__a], rename: {docs__a: call_tool}}
"""

    assert any("gateway itself" in each for each in problems(text))


def test_an_alias_is_a_second_name_at_the_aggregate_alone():
    found = rules("""
aggregate: {aliases: {issues: github__list_issues}}
virtual_servers: {some: {servers: [docs]}}
""").views

    assert found[""].aliases == {("github", "list_issues"): "issues"}
    assert found["some"].aliases == {}


def test_an_alias_that_would_be_unclear_is_refused():
    found = problems("""
aggregate:
  aliases:
    one: github__list_issues
    two: github__list_issues
    three: githup__list_issues
    four: github__*
    five: list_issues
    docs__x: github__get_issue
    search_tools: github__get_issue
""")

    assert sorted(each.split(": ", 1)[0].rpartition(".")[2] for each in found) in (
        ["docs__x", "search_tools"],
        ["five", "four", "three", "two"],
    )


def test_several_unclear_aliases_are_each_told():
    found = problems("""
aggregate:
  aliases:
    one: github__list_issues
    two: github__list_issues
    three: githup__list_issues
    four: github__*
    five: list_issues
""")

    assert [each.split(": ", 1)[1] for each in found] == [
        "this tool is called one already",
        "there is no server 'githup'",
        "this is no single tool",
        "this is no single tool",
    ]


def test_what_clients_write_before_a_name_counts():
    text = """
aggregate: {client_prefix: "%s", aliases: {%s: docs__a}}
virtual_servers:
  some: {tools: [docs__a, docs__b], rename: {docs__a: %s}}
"""
    short, long = "a" * 50, "a" * 51
    loaded = load_text(BASE + text % ("mcp__torhaus__", long, long), "torhaus.yml", {})

    paths = [each.path for each in loaded.warnings if "longer than 64" in each.message]
    assert paths == [
        f"aggregate.aliases.{long}",
        "virtual_servers.some.rename.docs__a",
    ]
    for prefix, name in (("mcp__torhaus__", short), ("", long)):
        loaded = load_text(BASE + text % (prefix, name, name), "torhaus.yml", {})
        assert not [each for each in loaded.warnings if "longer than 64" in each.message]
    assert any("no prefix" in each for each in problems('aggregate: {client_prefix: "a b"}'))
