"""Explanations: what the gate would say, through its own functions."""

import msgspec
import pytest

from tests.torhaus.cast import ALICE, CAROL, DANA, NOW, github
from torhaus.gate.explain import Question, explain
from torhaus.model.access import Access, Effect, Policy
from torhaus.model.people import Phase, Principal
from torhaus.model.rules import Rules

AGREED = Principal(
    id="u-erin",
    email="erin@example.org",
    phases=(
        Phase(
            roles=("developer",),
            access={
                "*": Access(
                    allows=DANA.phases[0].access["*"].allows,
                    policies=(Policy(name="deletes need a yes", effect=Effect.REQUIRE_APPROVAL),),
                )
            },
        ),
    ),
)
RULES = Rules(
    version="1",
    servers={"github": github()},
    principals={each.email: each for each in (ALICE, CAROL, DANA, AGREED)},
)


def asked(**changes: str) -> Question:
    whole = {"user": ALICE.email, "server": "github", "tool": "list_issues", **changes}
    return msgspec.convert(whole, Question)


def test_the_last_step_is_the_verdict() -> None:
    for user, word in ((ALICE.email, "allow"), ("erin@example.org", "approval")):
        found = explain(RULES, asked(user=user), NOW)

        assert found.verdict == word
        assert found.trace[-1].step == "verdict"
        assert (found.trace[-1].result, found.trace[-1].rule) == (word, found.policy_applied)


def test_a_denial_has_rule_code_and_sentence() -> None:
    found = explain(RULES, asked(tool="create_issue"), NOW)

    assert (found.verdict, found.code) == ("deny", "no_grant")
    assert "create_issue" in found.reason
    assert found.trace[-1].result == "deny"


def test_time_is_an_argument() -> None:
    assert explain(RULES, asked(user=CAROL.email), NOW).verdict == "allow"
    assert CAROL.expires is not None
    assert explain(RULES, asked(user=CAROL.email), CAROL.expires).verdict == "deny"


def test_an_address_is_the_same_in_any_case() -> None:
    found = explain(RULES, asked(user="Alice@Example.ORG"), NOW)

    assert found == explain(RULES, asked(user=ALICE.email), NOW)
    assert found.verdict == "allow"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"user": "nobody@example.org"}, "no_active_role"), ({"server": "gitlab"}, "unknown_server")],
)
def test_the_unknown_is_denied(changes: dict[str, str], code: str) -> None:
    found = explain(RULES, asked(**changes), NOW)

    assert (found.verdict, found.code) == ("deny", code)
    assert found.trace[-1].step == "verdict"


@pytest.mark.parametrize(
    "arguments",
    ["", "[]", "7", "null", "{", '{"a":1,"a":2}', '{}},"x":{}', '{}, "name":"get_me"', "{}\n{}"],
)
def test_arguments_that_the_gate_would_not_read_are_not_explained(arguments: str) -> None:
    with pytest.raises(ValueError, match="arguments"):
        explain(RULES, asked(arguments=arguments), NOW)


def test_what_the_gate_answers_with_an_error_is_a_denial() -> None:
    found = explain(RULES, asked(user=DANA.email, arguments='{"repo":"a","Repo":"b"}'), NOW)

    assert (found.verdict, found.code) == ("deny", "invalid_request")


def test_annotations_make_it_stricter() -> None:
    tool = asked(tool="frobnicate_get_things")
    hinted = msgspec.structs.replace(tool, hints={"readOnlyHint": False})

    assert explain(RULES, tool, NOW).verdict == "allow"
    assert explain(RULES, hinted, NOW).verdict == "deny"
