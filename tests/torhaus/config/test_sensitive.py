import pytest

from tests.torhaus.config.deciding import allowed, loaded
from torhaus.config.problems import ConfigError
from torhaus.model.redaction import Pattern
from torhaus.model.rules import Rules

WHO = "a@x.de"
MANY = "{patterns: {" + ", ".join(f"p{n}: abc{n}" for n in range(60)) + "}}"
ROLE = (
    "roles: {dev: {permissions: ['*'], restrictions: [no_sensitive_data]}}\n"
    f"users: [{{email: {WHO}, role: dev}}]\n"
)


def rules(classes: str) -> Rules:
    return loaded(f"{ROLE}data_classes: {classes}").rules


@pytest.mark.parametrize("name", ["sensitive", "personal"])
def test_what_a_class_lists_is_out_of_reach(name: str) -> None:
    found = rules(f"{{{name}: {{repos: ['myorg/hr-*'], projects: [payroll]}}}}")

    assert allowed(found, WHO, "github.list_issues", owner="myorg", repo="api")
    assert not allowed(found, WHO, "github.list_issues", owner="MYORG", repo="hr-data")
    assert not allowed(
        found, WHO, "sentry.find_releases", organizationSlug="o", projectSlug="payroll"
    )


def test_the_class_of_administration_is_another_restrictions() -> None:
    found = rules("{admin: {repos: [myorg/infra]}}")

    assert allowed(found, WHO, "github.list_issues", owner="myorg", repo="infra")


def test_tools_are_globs_and_may_be_one_servers() -> None:
    found = rules("{sensitive: {tools: ['list_*', sentry.find_teams, github.whoami]}}")

    assert not allowed(found, WHO, "github.listGists")
    assert not allowed(found, WHO, "sentry.find_teams")
    assert allowed(found, WHO, "sentry.whoami")
    assert allowed(found, WHO, "github.get_me")


def test_a_star_alone_is_everything() -> None:
    found = rules("{sensitive: {repos: '*'}}")

    assert not allowed(found, WHO, "github.list_issues", owner="myorg", repo="api")
    assert allowed(found, WHO, "github.get_me")


def test_patterns_are_for_redaction() -> None:
    found = rules("{patterns: {customer-number: 'K-[0-9]{8}'}}")

    assert found.patterns == (Pattern("customer-number", "K-[0-9]{8}"),)


@pytest.mark.parametrize(
    ("classes", "path", "message"),
    [
        ("{sensitive: {repos: ['a{b}']}}", "sensitive.repos[0]", "means nothing here"),
        (
            "{sensitive: {tools: ['*a*b*c*d*e*f*g*h*i*j*k*l*m*n*o*p*q*']}}",
            "sensitive.tools[0]",
            "stars",
        ),
        ("{secret: {repos: [a/b]}}", "secret", "unknown key 'secret'"),
        ("{patterns: {x: '('}}", "patterns.x", "("),
        ("{patterns: {x: '[a-z]+abc'}}", "patterns.x", "slow"),
        ("{patterns: {X Y: 'abc'}}", "patterns.X Y", "name"),
        ("{patterns: [abc]}", "patterns", "must be a block of keys"),
        (
            MANY,
            "patterns",
            "more than 50",
        ),
    ],
)
def test_a_mistake_is_named_once(classes: str, path: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rules(classes)

    (problem,) = caught.value.problems
    assert problem.path == f"data_classes.{path}"
    assert message in problem.message
