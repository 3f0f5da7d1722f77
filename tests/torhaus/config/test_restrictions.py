import pytest

from tests.torhaus.config.deciding import SERVERS, allowed, loaded, verdict
from torhaus.config.problems import ConfigError
from torhaus.model.rules import Rules
from torhaus.model.verdict import Allow, Deny

REPO = {"owner": "myorg", "repo": "api"}
WHO = "a@x.de"
MORE = SERVERS + '  my-api: {url: "https://api.example.com"}\n'


def restricted(*restrictions: str, more: str = "") -> Rules:
    listed = "".join(f"      - {each}\n" for each in restrictions)
    text = f"roles:\n  dev:\n    permissions: ['*']\n    restrictions:\n{listed}"
    return loaded(text + f"users: [{{email: {WHO}, role: dev}}]\n{more}", servers=MORE).rules


def refused_by(rules: Rules, call: str, **arguments: str) -> str | None:
    found = verdict(rules, WHO, call, **arguments)
    return found.rule if isinstance(found, Deny) else None


@pytest.mark.parametrize(
    ("restriction", "call", "other"),
    [
        ("no_delete", "github.delete_file", "github.push_files"),
        ("no_write", "github.push_files", "github.delete_file"),
        ("no_admin", "github.create_repository", "github.push_files"),
        ("no_execute", "github.actions_run_trigger", "github.push_files"),
        ("no_github_delete", "github.delete_file", "my-api.delete_thing"),
        ("no_my_api_delete", "my-api.delete_thing", "github.delete_file"),
        ("no_my-api_delete", "my-api.delete_thing", "github.delete_file"),
        ("no_delete_contents", "github.delete_file", "github.remove_sub_issue"),
        ("no_write_pull_requests", "github.merge_pull_request", "github.push_files"),
        ("no_admin_repos", "github.create_repository", "github.push_files"),
    ],
)
def test_a_restriction_takes_what_it_names_and_nothing_else(
    restriction: str, call: str, other: str
) -> None:
    rules = restricted(restriction)
    run = {"method": "run_workflow"}

    assert refused_by(rules, call, **REPO, **run) == f"dev: {restriction}"
    assert refused_by(rules, other, **REPO, **run) is None


@pytest.mark.parametrize("names", ['["myorg/api", "open/*"]', "myorg/api"])
def test_only_repos_is_a_bound_on_every_server(names: str) -> None:
    rules = restricted(f"only_repos: {names}")

    assert allowed(rules, WHO, "github.push_files", **REPO)
    assert refused_by(rules, "github.push_files", owner="myorg", repo="x") == "dev: only_repos"
    assert refused_by(rules, "github.search_code", query="repo:myorg/api") == "dev: only_repos"
    assert refused_by(rules, "my-api.delete_thing") == "dev: only_repos"


def test_only_projects_is_about_projects() -> None:
    rules = restricted("only_projects: [web]")

    assert allowed(rules, WHO, "sentry.find_releases", organizationSlug="o", projectSlug="web")
    assert not allowed(rules, WHO, "sentry.find_releases", organizationSlug="o", projectSlug="app")
    assert allowed(rules, WHO, "github.push_files", **REPO)


def test_a_star_alone_is_every_repository() -> None:
    assert allowed(restricted('only_repos: ["*"]'), WHO, "github.search_code", query="x")


def test_no_sensitive_data_denies_tags_and_classes_and_masks_the_rest() -> None:
    classes = (
        "data_classes: {sensitive: {repos: [myorg/vault-*], tools: [github.get_me]}, "
        "personal: {tools: [list_label]}}"
    )
    rules = restricted("no_sensitive_data", more=classes)

    for call, arguments in (
        ("github.get_job_logs", REPO),
        ("github.list_repository_collaborators", REPO),
        ("github.push_files", {"owner": "myorg", "repo": "Vault-1"}),
        ("github.get_me", {}),
        ("github.listLabel", REPO),
        ("github.search_code", {"query": "password"}),
    ):
        assert refused_by(rules, call, **arguments) == "dev: no_sensitive_data", call
    found = verdict(rules, WHO, "github.push_files", **REPO)
    assert isinstance(found, Allow)
    assert found.redact == "dev: no_sensitive_data"
    assert refused_by(rules, "sentry.find_teams") is None


def test_no_admin_repos_keeps_off_repositories_of_that_class() -> None:
    rules = restricted("no_admin_repos", more="data_classes: {admin: {repos: [myorg/infra]}}")

    assert refused_by(rules, "github.push_files", owner="myorg", repo="infra")
    assert refused_by(rules, "github.push_files", **REPO) is None


@pytest.mark.parametrize(
    ("restriction", "message", "fix"),
    [
        ("no_deletes", "no restriction is called 'no_deletes'", "did you mean no_delete?"),
        ("nodelete", "no restriction is called 'nodelete'", "did you mean no_delete?"),
        ("no_sensitive_date", "'no_sensitive_date'", "did you mean no_sensitive_data?"),
        ("no_", "no restriction is called 'no_'", ""),
        ("frobnicate", "no restriction is called", "use no_<action>"),
        ("no_githb_delete", "no server 'githb' is configured", "did you mean github?"),
        ("no_delete_isues", "no restriction is called", ""),
        ("NO_DELETE", "no restriction is called", "did you mean no_delete?"),
        ("only_repos", "only_repos needs a list", "write only_repos"),
        ("only_repos: []", "only_repos needs a list", "write only_repos"),
        ("only_repo: [a/b]", "takes no list", ""),
        ("no_delete: [x]", "takes no list", "write - no_delete"),
        ("only_repos: ['a/{b}']", "means nothing here", "correct it"),
        ("{only_repos: [a/b], no_delete: []}", "this is not a restriction", "write no_delete"),
        ("only_repos: {a: b}", "only_repos needs a list", ""),
        ("5", "this is not a restriction", ""),
    ],
)
def test_an_unknown_restriction_is_an_error_and_never_no_restriction(
    restriction: str, message: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        restricted("no_write", restriction)

    (problem,) = caught.value.problems
    assert problem.line == 10
    assert problem.path.startswith("roles.dev.restrictions[1]")
    assert message in problem.message
    assert fix in problem.fix


def test_a_restriction_for_a_server_that_is_to_come_is_a_warning() -> None:
    text = "roles: {dev: {permissions: [crm.read], restrictions: [no_crm_delete]}}\n"

    found = loaded(text + f"users: [{{email: {WHO}, role: dev}}]")

    assert {w.path for w in found.warnings if "'crm'" in w.message} == {
        "roles.dev.permissions[0]",
        "roles.dev.restrictions[0]",
    }


def test_restrictions_of_every_role_count() -> None:
    text = (
        "roles: {one: {permissions: ['*']}, two: {restrictions: [no_delete]}}\n"
        f"users: [{{email: {WHO}, roles: [one, two]}}]"
    )

    assert refused_by(loaded(text).rules, "github.delete_file", **REPO) == "two: no_delete"
