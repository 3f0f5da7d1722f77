from typing import Any

import pytest

from tests.torhaus.config.deciding import allowed, loaded
from torhaus.config.problems import ConfigError
from torhaus.model.servers import Server, TargetArgs
from torhaus.policy.tables import shipped

GITHUB, GITHUB_PARENTS = shipped("github", None)


def server(classification: str, name: str = "github") -> Server:
    servers = (
        f"mcpServers:\n  {name}:\n    url: https://x.de\n    classification: {classification}\n"
    )
    return loaded("", servers=servers).rules.servers[name]


def test_without_a_classification_the_shipped_table_stands() -> None:
    found = loaded("", servers="mcpServers: {github: {url: 'https://x.de'}}\n").rules

    assert found.servers["github"].classes == GITHUB
    assert found.servers["github"].parents == GITHUB_PARENTS


def test_a_row_takes_the_place_of_the_shipped_one_and_no_other() -> None:
    found = server("{tools: {mergePullRequest: {action: admin, resource: pull_requests}}}")

    row = found.classes["mergepullrequest"]
    assert (row.actions, row.type, row.source) == ({"admin"}, "pull_requests", "config")
    assert row.targets == GITHUB["mergepullrequest"].targets
    assert {**found.classes, "mergepullrequest": None} == {**GITHUB, "mergepullrequest": None}


def test_nothing_is_shipped_where_the_file_extends_nothing() -> None:
    found = server("{extends: none, tools: {a: {action: read}}}")

    assert set(found.classes) == {"a"}
    assert found.parents == {}


def test_the_words_mean_what_they_mean_in_the_shipped_tables() -> None:
    found = server(
        """
      resource_parents: {lines: orders}
      project_args: [shop]
      pinned_args: {region: "eu-[0-9]"}
      tools:
        ship: {action: write, also: [admin], resource: orders, scope: project, tags: [cost]}
        move: {action: write, resource: lines, scope: repo, owner_arg: org, repo_arg: name}
        act:
          action: write
          resource: orders
          method: {arg: how, map: {drop: delete, keep: write}, absent: write}
        run: {dispatch: {name_arg: tool, args_arg: with}}
        copy:
          action: write
          targets: [{kind: paths, args: [from]}, {kind: paths, args: [to], missing: none}]
          blind: [repos]
""",
        name="shop",
    )

    ship, move, act, run, copy = (found.classes[n] for n in ("ship", "move", "act", "run", "copy"))
    assert (ship.actions, ship.tags) == ({"write", "admin"}, {"cost"})
    assert ship.targets[0].args[0] == "shop"
    assert ship.pinned == (("region", "eu-[0-9]"),)
    assert move.targets == (TargetArgs(kind="repos", args=("org", "name")),)
    assert (act.method_arg, act.method_absent) == ("how", "write")
    assert act.method_actions == {"drop": "delete", "keep": "write"}
    assert run.dispatch == ("tool", "with")
    assert [(each.args, each.missing) for each in copy.targets] == [
        (("from",), "unknown"),
        (("to",), "none"),
    ]
    assert copy.blind == {"repos"}
    assert found.parents == {"lines": "orders"}


def test_pinned_arguments_go_before_the_tables_on_all_of_its_rows() -> None:
    found = server('{pinned_args: {regionUrl: "https://sentry.corp.example"}}', name="sentry")

    assert dict(found.classes["whoami"].pinned) == {"regionUrl": "https://sentry.corp.example"}


def test_globs_stand_for_tools_without_a_row_of_their_own() -> None:
    found = server(
        "{tools: {'get_*': {action: admin}, '*': {action: write}, get_me: {action: read}}}"
    )

    assert found.classes["getme"].actions == {"read"}
    assert found.classes["getcommit"].actions == {"admin"}
    assert found.classes["listissues"].actions == {"write"}
    chosen = [glob.text for glob, _ in found.selectors if glob.pattern.fullmatch("getnew")]
    assert chosen == ["get*", "*"]


@pytest.mark.parametrize(
    ("classification", "path", "message"),
    [
        ("{tools: {a: {action: raed}}}", "tools.a", "raed"),
        ("{tools: {a: {}}}", "tools.a", ""),
        ("{tools: {a: {action: read, scope: repos}}}", "tools.a", "repos"),
        ("{tools: {a: {action: read, tags: [secret]}}}", "tools.a", "secret"),
        ("{tools: {a: {action: read, blind: [repo]}}}", "tools.a", "repo"),
        ("{tools: {a: {action: read, resource: 'Big Things'}}}", "tools.a", "Big Things"),
        ("{tools: {a: {action: read, method: {arg: m, map: {x: frob}}}}}", "tools.a", "frob"),
        ("{tools: {a: {actoin: read}}}", "tools.a.actoin", "unknown key 'actoin'"),
        ("{tools: {a: {action: read, targets: [{kind: repo, args: [x]}]}}}",
         "tools.a.targets[0].kind", "must be repos"),
        ("{tools: {'a b': {action: read}}}", "tools.a b", "not a tool's name"),
        ("{tools: {'a**********': {action: read}}}", "tools.a**********", "stars"),
        ("{pinned_args: {region: '('}}", "pinned_args", "region"),
        ("{resource_parents: {labels: 'A B'}}", "resource_parents", "A B"),
        ("{extend: none}", "extend", "did you mean extends"),
        ("{extends: nothing}", "extends", "must be shipped or none"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_path(classification: str, path: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        server(classification)

    problem = caught.value.problems[0]
    assert problem.path == f"mcpServers.github.classification.{path}"
    assert message in problem.message + problem.fix


def test_no_message_shows_what_the_environment_holds() -> None:
    from_env: dict[str, Any] = {"servers": (
        "mcpServers:\n  github:\n    url: https://x.de\n"
        "    classification: {tools: {a: {action: '${ACTION}'}}}\n"
    )}  # fmt: skip

    with pytest.raises(ConfigError) as caught:
        loaded("", **from_env)

    assert "ACTION is not set" in str(caught.value)


def test_calls_are_judged_by_a_glob_of_the_file_where_no_row_is_closer() -> None:
    text = (
        "mcpServers:\n  own:\n    url: https://x.de\n"
        "    classification: {tools: {'get_*': {action: delete, resource: things}}}\n"
    )
    roles = "roles: {dev: {permissions: [own:things:delete]}}\nusers: [{email: a@x.de, role: dev}]"
    rules = loaded(roles, servers=text).rules

    assert allowed(rules, "a@x.de", "own.get_anything")
    assert allowed(rules, "a@x.de", "own.getAnything")
    assert not allowed(rules, "a@x.de", "own.fetch_anything")
