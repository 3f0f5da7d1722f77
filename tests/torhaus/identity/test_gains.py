"""What groups of a provider give, and to whom."""

import pytest

from torhaus.identity.gains import gained, welcome
from torhaus.model.providers import Gains, Terms
from torhaus.model.signin import Identity

TERMS = Terms(
    groups={
        "devs": Gains(roles=("developer",), groups=("all", "builders")),
        "leads": Gains(roles=("lead", "developer"), groups=("all",)),
    }
)


def test_groups_add_up_and_nothing_is_there_twice() -> None:
    found = gained(TERMS, ("leads", "unknown", "devs"))

    assert found == Gains(roles=("developer", "lead"), groups=("all", "builders"))


@pytest.mark.parametrize("groups", [(), ("Devs",), ("devs ",), ("dev",), ("developer",)])
def test_a_group_that_is_not_spelled_so_gives_nothing(groups: tuple[str, ...]) -> None:
    assert gained(TERMS, groups) == Gains()


def test_everyone_of_a_provider_may_have_a_role() -> None:
    terms = Terms(everyone=Gains(roles=("reader",)))

    assert gained(terms, ()).roles == ("reader",)


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("alice@example.com", True),
        ("alice@sub.example.com", False),
        ("alice@example.com.evil.test", False),
        ("alice@notexample.com", False),
        (None, False),
    ],
)
def test_only_addresses_of_listed_domains_are_welcome(email: str | None, expected: bool) -> None:
    identity = Identity(provider="p", issuer="i", subject="s", email=email)

    assert welcome(Terms(domains=("example.com",)), identity) is expected
    assert welcome(Terms(), identity) is True
