import pytest
from pydantic import TypeAdapter

from torhaus.config.access import AccessRule, Block, DriftOrWord, GroupOrList, Role, ScopeOrList

SCOPE, DRIFT, GROUP = map(TypeAdapter, (ScopeOrList, DriftOrWord, GroupOrList))


@pytest.mark.parametrize("written", [["a/b"], "a/b", {"allow": ["a/b"]}, {"allow": "a/b"}])
def test_a_scope_is_a_list_or_allow_and_deny(written: object) -> None:
    scope = SCOPE.validate_python(written)

    assert (scope.allow, scope.deny) == (("a/b",), ())


def test_an_empty_list_allows_nothing_and_none_allows_all() -> None:
    assert SCOPE.validate_python([]).allow == ()
    assert SCOPE.validate_python({"deny": "a/b"}).allow is None


@pytest.mark.parametrize(
    ("written", "fates"),
    [
        ("accept", ("accept", "accept")),
        ({"new": "quarantine"}, ("quarantine", "quarantine")),
        ({"changed": "warn"}, ("warn", "warn")),
        ({}, ("warn", "quarantine")),
    ],
)
def test_drift_is_one_word_or_two(written: object, fates: tuple[str, str]) -> None:
    drift = DRIFT.validate_python(written)

    assert (drift.new, drift.changed) == fates


@pytest.mark.parametrize("written", ["ignore", {"new": "ignore"}, {"old": "warn"}, ["warn"], 5])
def test_what_is_no_drift_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"valid"):
        DRIFT.validate_python(written)


def test_a_list_of_members_stands_for_a_group() -> None:
    assert GROUP.validate_python(["A@x.de"]) == GROUP.validate_python({"members": ["a@x.de"]})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no_delete", ("no_delete", None)),
        ({"only_repos": ["a/b", "c/*"]}, ("only_repos", ("a/b", "c/*"))),
        ({"only_repos": "a/b"}, ("only_repos", ("a/b",))),
    ],
)
def test_a_restriction_is_a_word_or_a_word_with_a_list(written: object, meant: object) -> None:
    role = Role.model_validate({"restrictions": [written]})

    assert role.restrictions == (meant,)


@pytest.mark.parametrize("written", [{}, {"a": [], "b": []}, 5, None, ["no_delete"], {"a": 5}])
def test_what_is_no_restriction_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"restriction|needs a list"):
        Role.model_validate({"restrictions": [written]})


def test_a_rule_that_says_nothing_is_refused_and_an_empty_block_is_not() -> None:
    with pytest.raises(ValueError, match="allows and denies nothing"):
        AccessRule.model_validate({"role": "dev"})
    assert Block.model_validate({}).allow == ()
