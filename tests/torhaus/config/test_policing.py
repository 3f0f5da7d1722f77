from datetime import date

import pytest

from tests.torhaus.config.deciding import SERVERS, allowed, at, decided, loaded, verdict
from torhaus.config.policies import TimeSpec
from torhaus.config.policing import hours
from torhaus.config.problems import ConfigError
from torhaus.model.rules import Rules
from torhaus.model.verdict import Allow, Deny, Hold

DEV, LEAD, NIGHT = "dev@x.de", "lead@x.de", "night@x.de"
PEOPLE = (
    "roles: {dev: {permissions: ['*']}, lead: {permissions: ['*']}, night: {permissions: ['*']}}\n"
    f"users:\n  - {{email: {DEV}, role: dev}}\n  - {{email: {LEAD}, roles: [dev, lead]}}\n"
    f"  - {{email: {NIGHT}, role: night, groups: [shift]}}\n"
)
MORE = SERVERS + (
    '  stage: {url: "https://s.example.com", environment: staging}\n'
    '  firebase: {url: "https://f.example.com", environment: production}\n'
)
CALL = {"owner": "o", "repo": "r"}


def rules(policy: str, more: str = "") -> Rules:
    text = f"{PEOPLE}policies:\n  - name: the rule\n{policy}\n    reason: because\n{more}"
    return loaded(text, servers=MORE).rules


def applies_to(target: str) -> Rules:
    return rules(f"    applies_to: {target}\n    action: deny")


def refused(found: Rules, who: str, call: str = "github.create_issue") -> bool:
    denied = verdict(found, who, call, **CALL)
    if isinstance(denied, Deny):
        assert denied.rule == "the rule"
    return isinstance(denied, Deny)


@pytest.mark.parametrize(
    ("target", "who"),
    [
        ("{role: dev}", {DEV, LEAD}),
        ("{role: [lead, night]}", {LEAD, NIGHT}),
        ("{user: DEV@x.de}", {DEV}),
        ("{group: shift}", {NIGHT}),
        ("{role: dev, user: lead@x.de}", {LEAD}),
        ("[{role: dev}, {role: lead}]", {LEAD}),
        ("[{role: dev}, {group: shift}]", set()),
        ("[{role: [dev, night]}, {user: [dev@x.de, night@x.de]}]", {DEV, NIGHT}),
    ],
)
def test_entries_and_keys_must_all_fit_and_values_of_one_need_not(
    target: str, who: set[str]
) -> None:
    found = applies_to(target)

    assert {each for each in (DEV, LEAD, NIGHT) if refused(found, each)} == who


def test_a_policy_without_a_target_is_for_every_call() -> None:
    found = rules("    action: deny")

    assert refused(found, DEV)
    assert refused(found, NIGHT, "stage.anything_at_all")


@pytest.mark.parametrize(
    ("target", "servers"),
    [
        ("{mcp_servers: github}", {"github"}),
        ("{mcp_servers: [github, stage]}", {"github", "stage"}),
        ('{mcp_servers: ["firebase:production", "stage:production"]}', {"firebase"}),
        ("[{mcp_servers: [github, stage]}, {mcp_servers: [stage, firebase]}]", {"stage"}),
        ('{mcp_servers: "*"}', {"github", "stage", "firebase"}),
    ],
)
def test_servers_may_be_named_with_their_environment(target: str, servers: set[str]) -> None:
    found = applies_to(target)

    every = ("github", "stage", "firebase")
    assert {name for name in every if refused(found, DEV, f"{name}.create_issue")} == servers


@pytest.mark.parametrize(
    ("target", "refuses", "lets"),
    [
        ("{tools: create_issue}", "create_issue", "create_branch"),
        ("{tools: createIssue}", "create_issue", "create_branch"),
        ("{tools: ['create_*', fork_repository]}", "create_branch", "push_files"),
        ("{tools: github.create_issue}", "create_issue", "create_branch"),
        ("{actions: delete}", "delete_file", "create_issue"),
        ("{actions: [write, delete]}", "create_issue", "list_issues"),
        ("{types: issues}", "list_issues", "list_commits"),
        ("{types: issues}", "label_write", "list_commits"),
        ("{types: issues, actions: write}", "create_issue", "list_issues"),
        ("{actions: '*'}", "create_issue", None),
    ],
)
def test_tools_actions_and_types_choose_calls(target: str, refuses: str, lets: str | None) -> None:
    found = applies_to(target)
    method = {"method": "create"}

    assert isinstance(verdict(found, DEV, f"github.{refuses}", **CALL, **method), Deny)
    assert lets is None or allowed(found, DEV, f"github.{lets}", **CALL, **method)


def test_a_tool_of_one_server_is_not_another_servers() -> None:
    found = applies_to("{tools: github.create_issue}")

    assert refused(found, DEV)
    assert not refused(found, DEV, "stage.create_issue")


def test_hours_close_outside_of_them_and_choose_within_them() -> None:
    hours_of = "    time: {weekdays: [mon], hours: ['08:00-10:00', '12:00-13:00']}\n    action: %s"
    closes, denies = rules(hours_of % "deny_outside_hours"), rules(hours_of % "deny")

    open_at = [at(f"2025-10-20T{hour}:30:00+00:00") for hour in ("09", "12")]
    closed_at = [at("2025-10-20T11:00:00+00:00"), at("2025-10-21T09:00:00+00:00")]
    assert all(allowed(closes, DEV, "github.get_me", now) for now in open_at)
    assert not any(allowed(closes, DEV, "github.get_me", now) for now in closed_at)
    assert not any(allowed(denies, DEV, "github.get_me", now) for now in open_at)
    assert all(allowed(denies, DEV, "github.get_me", now) for now in closed_at)


def test_hours_are_of_the_policys_zone_or_of_the_servers() -> None:
    own = TimeSpec.model_validate({"weekdays": True, "timezone": "Asia/Tokyo"})
    none = TimeSpec.model_validate({"hours": "08:00-18:00", "holidays": ["2025-12-25"]})

    assert str(hours(own, "Europe/Berlin").zone) == "Asia/Tokyo"
    assert str(hours(none, "Europe/Berlin").zone) == "Europe/Berlin"
    assert hours(own, "UTC").windows == ((0, 0),)
    assert hours(none, "UTC").days == frozenset(range(7))
    assert hours(none, "UTC").holidays == {date(2025, 12, 25)}


def test_networks_and_clients_close_to_others() -> None:
    nets = rules("    networks: [10.0.0.0/8]\n    action: deny_outside_networks")
    clients = rules("    clients: [Claude-Code]\n    action: deny_other_clients")

    def may(found: Rules, ip: str = "192.0.2.1", client: str = "") -> bool:
        asked = decided(found, DEV, "github.get_me", {}, ip=ip, client=client)
        return isinstance(asked, Allow)

    assert may(nets, ip="10.0.0.1")
    assert not may(nets)
    assert may(clients, client="claude-code")
    assert not may(clients, client="other")


def test_approval_is_asked_of_whom_the_policy_names() -> None:
    target = "    applies_to: {actions: delete}\n"
    found = rules(f"{target}    action: require_approval\n    approvers: [lead, dev@x.de]")

    held = verdict(found, DEV, "github.delete_file", **CALL)

    assert isinstance(held, Hold)
    assert (held.rule, held.approvers) == ("the rule", (("lead", "dev@x.de"),))


def test_what_only_watches_or_masks_lets_calls_pass() -> None:
    watched = verdict(rules("    action: log_only"), DEV, "github.get_me")
    masked = verdict(rules("    action: redact"), DEV, "github.get_me")
    some = rules("    applies_to: {actions: write}\n    action: redact")

    assert isinstance(watched, Allow)
    assert isinstance(masked, Allow)
    assert (watched.noted, masked.redact) == (("the rule",), "the rule")
    written = verdict(some, DEV, "github.create_issue", **CALL)
    read = verdict(some, DEV, "github.get_me")
    assert isinstance(written, Allow)
    assert isinstance(read, Allow)
    assert (written.redact, read.redact) == ("the rule", None)


def test_a_condition_reads_the_call_and_where_it_fails_the_call_is_refused() -> None:
    found = rules("    when: 'args.title.size() > 3'\n    action: deny")

    assert isinstance(verdict(found, DEV, "github.create_issue", **CALL, title="long"), Deny)
    assert isinstance(verdict(found, DEV, "github.create_issue", **CALL, title="s"), Allow)
    assert isinstance(verdict(found, DEV, "github.create_issue", **CALL), Deny)


def test_a_condition_asks_the_clock_of_the_policys_zone() -> None:
    zone = "    time: {timezone: Asia/Tokyo, hours: 00:00-24:00}\n"
    found = rules(f"{zone}    when: 'hour == 21'\n    action: deny")

    assert not allowed(found, DEV, "github.get_me", at("2025-10-20T12:30:00+00:00"))


@pytest.mark.parametrize(
    ("policy", "line", "path", "message", "fix"),
    [
        ("    applies_to: {role: dve}\n    action: deny", 13,
         "policies[0].applies_to.role", "no such role: 'dve'", "did you mean dev?"),
        ("    applies_to:\n      - rloe: dev\n    action: deny", 14,
         "policies[0].applies_to[0].rloe", "unknown key 'rloe'", "did you mean role?"),
        ("    applies_to: {rloe: dev}\n    action: deny", 13,
         "policies[0].applies_to.rloe", "unknown key 'rloe'", "did you mean role?"),
        ("    applies_to:\n      - user: [dev@x.de, dave@x.de]\n    action: deny", 14,
         "policies[0].applies_to[0].user[1]", "no such user", "did you mean"),
        ("    applies_to: {group: shfit}\n    action: deny", 13,
         "policies[0].applies_to.group", "no such group", "did you mean shift?"),
        ("    applies_to: {mcp_servers: githbu}\n    action: deny", 13,
         "policies[0].applies_to.mcp_servers", "no server 'githbu'", "did you mean github?"),
        ("    applies_to: {actions: [raed]}\n    action: deny", 13,
         "policies[0].applies_to.actions[0]", "'raed' is not an action", "did you mean read?"),
        ("    applies_to: {types: isues}\n    action: deny", 13,
         "policies[0].applies_to.types", "'isues' is not a type", "did you mean issues?"),
        ("    applies_to: {tools: []}\n    action: deny", 13,
         "policies[0].applies_to.tools", "nothing is listed", "remove the key"),
        ("    applies_to: [{tools: a}, {tools: b}]\n    action: deny", 13,
         "policies[0].applies_to[1].tools", "must fit twice", "write one list"),
        ("    applies_to: {tools: '*a*b*c*d*e*f*g*h*i*j*k*l*m*n*o*p*q*'}\n    action: deny", 13,
         "policies[0].applies_to.tools", "stars", "correct it"),
        ("    action: deny_outside_hour", 13, "policies[0].action", "must be", "did you mean"),
        ("    when: 'user = 5'\n    action: deny", 13, "policies[0].when", "not CEL", ""),
        ("    action: require_approval\n    approvers: [led]", 14,
         "policies[0].approvers[0]", "nobody is called 'led'", "did you mean lead?"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_policy_is_named_with_its_line(
    policy: str, line: int, path: str, message: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        rules(policy)

    problem = caught.value.problems[0]
    assert (problem.line, problem.path) == (line, path)
    assert message in problem.message
    assert fix in problem.fix


def test_another_environment_and_a_name_given_twice_are_warned_about() -> None:
    target = '{name: the rule, action: deny, applies_to: {mcp_servers: "stage:production"}}'
    text = f"{PEOPLE}policies: [{target}, {target}]"

    said = [str(warning) for warning in loaded(text, servers=MORE).warnings]

    assert any("its environment is staging" in each for each in said)
    assert any("has this name already" in each for each in said)


def test_servers_that_no_call_can_be_to_at_once_are_doubted() -> None:
    both = "[{mcp_servers: github}, {mcp_servers: [sentry]}]"
    rule = "policies: [{name: x, action: deny, applies_to: %s}]"

    doubts = [w.message for w in loaded(rule % both).warnings]
    fine = [w.message for w in loaded(rule % both.replace("[sentry]", "[sentry, github]")).warnings]

    assert any("no server is in all the lists" in each for each in doubts)
    assert not any("no server is in all" in each for each in fine)
