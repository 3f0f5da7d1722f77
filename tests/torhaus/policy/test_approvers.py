"""Who may decide, beyond what tests/torhaus/admin/test_deciding.py plays through."""

import msgspec
import pytest

from torhaus.model.access import Access, Permission
from torhaus.model.approval import Approval, State, Wanted
from torhaus.model.people import Phase, Principal
from torhaus.model.rules import Rules
from torhaus.policy.approvers import administers, administrators, may_decide, named

NOW = 1_790_000_000.0


class Sometimes:
    text = "call.hour < 12"

    def holds(self, facts: object) -> bool:
        raise AssertionError("nobody asks here")


def permission(text: str, when: Sometimes | None = None) -> Permission:
    server, type_, action = text.split(":")
    return Permission(server, type_, action, text, when)


def person(
    name: str, *allows: str, denies: tuple[str, ...] = (), when: Sometimes | None = None
) -> Principal:
    access = Access(
        allows=tuple(permission(text, when) for text in allows),
        denies=tuple(permission(text) for text in denies),
    )
    phase = Phase(roles=("lead",), access={"github": access})
    email = f"{name}@example.org"
    return Principal(id=email, email=email, groups=("owners",), phases=(phase,))


def asked(*approvers: tuple[str, ...]) -> Approval:
    wanted = Wanted(
        digest=b"",
        requester="alice@example.org",
        email="alice@example.org",
        server="github",
        tool="merge_pull_request",
        arguments="{}",
        policy="merges",
        reason="",
        policy_version="v1",
        approvers=approvers,
    )
    return Approval(id="a", state=State.PENDING, wanted=wanted, created=NOW, expires=NOW + 900)


def why(who: Principal, *approvers: tuple[str, ...]) -> str | None:
    return may_decide(who, asked(*approvers), Rules(version="1", principals={who.id: who}), NOW)


def test_nobody_approves_his_own_call_under_whatever_name() -> None:
    sentence = "nobody approves his own call: ask somebody else"
    alice = person("alice", "*:*:*")

    assert why(alice) == sentence
    assert why(msgspec.structs.replace(alice, email="renamed@example.org")) == sentence
    assert why(msgspec.structs.replace(alice, id="another key", email="Alice@Example.org")) == (
        sentence
    )


def test_the_anonymous_decide_nothing() -> None:
    nobody = msgspec.structs.replace(person("bob", "*:*:*"), id="anonymous", email="anonymous")

    assert why(nobody) == "a decision needs a person: send a key of your own"


def test_an_administrator_is_one_until_his_access_ends() -> None:
    bob = msgspec.structs.replace(person("bob", "*:*:*"), expires=NOW)

    assert administers(bob, "github", NOW - 1)
    assert not administers(bob, "github", NOW)


@pytest.mark.parametrize("text", ["github:*:admin", "github:*:*", "*:*:*", "*:*:admin"])
def test_admin_on_the_whole_server_makes_an_administrator(text: str) -> None:
    assert why(person("bob", text)) is None


@pytest.mark.parametrize(
    "text", ["github:*:write", "github:repos:admin", "github:repos:*", "jira:*:admin"]
)
def test_less_does_not(text: str) -> None:
    assert why(person("bob", text)) == "this needs somebody with admin permission on github"


@pytest.mark.parametrize("deny", ["github:*:admin", "*:*:*", "github:*:*"])
def test_a_deny_takes_it_away(deny: str) -> None:
    assert why(person("bob", "*:*:*", denies=(deny,))) is not None


def test_a_deny_of_something_else_does_not() -> None:
    assert why(person("bob", "*:*:*", denies=("github:*:delete", "github:repos:admin"))) is None


def test_admin_under_a_condition_is_not_enough() -> None:
    assert why(person("bob", "*:*:*", when=Sometimes())) is not None


def test_every_list_must_name_him() -> None:
    bob = person("bob", "*:*:*")

    assert why(bob, ("lead",), ("owners",), ("BOB@EXAMPLE.ORG",), ()) is None
    assert why(bob, ("lead",), ("cto", "carol@example.org")) == (
        "this needs one of: cto, carol@example.org"
    )


def test_roles_count_while_they_last() -> None:
    bob = person("bob")
    leaving = msgspec.structs.replace(bob, expires=NOW)
    later = Phase(begins=NOW + 1, roles=("cto",))
    now = msgspec.structs.replace(bob.phases[0], ends=NOW + 1)
    promoted = msgspec.structs.replace(bob, phases=(now, later))

    assert not named(leaving, ("lead", "owners", bob.email), NOW, "github")
    assert not named(promoted, ("cto",), NOW, "github")
    assert named(promoted, ("cto",), NOW + 1, "github")
    assert not named(promoted, ("lead",), NOW + 1, "github")


def test_the_rules_in_force_say_what_he_holds_not_what_he_came_with() -> None:
    came = person("bob", "*:*:*")
    rules = Rules(version="2", principals={came.id: person("bob")})

    assert may_decide(came, asked(), rules, NOW) is not None
    assert may_decide(person("bob"), asked(), Rules(version="1"), NOW) == (
        "bob@example.org is not in the configuration any more"
    )


def test_administrators_are_listed_in_order_and_without_the_anonymous() -> None:
    people = [person("dana", "*:*:*"), person("bob", "github:*:*"), person("carol")]
    nobody = msgspec.structs.replace(people[0], id="anonymous", email="anonymous")
    rules = Rules(version="1", principals={each.id: each for each in (*people, nobody)})

    assert administrators(rules, "github", NOW) == ("bob@example.org", "dana@example.org")
    assert not administers(people[1], "jira", NOW)
    assert may_decide(nobody, asked(), rules, NOW) is not None
