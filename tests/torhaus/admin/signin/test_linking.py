import msgspec
import pytest

from torhaus.admin.signin.linking import (
    GONE,
    NO_ADDRESS,
    NOT_LINKED,
    OTHER_ACCOUNT,
    STRANGER,
    WRONG_DOMAIN,
    Known,
    stranger,
)
from torhaus.model.accounts import Link
from torhaus.model.person import Person, PersonState
from torhaus.model.providers import Gains, Terms
from torhaus.model.signin import Identity

EMAIL = "alice@example.org"
IDENTITY = Identity(provider="corp", issuer="i", subject="s", email=EMAIL)
LINK = Link(issuer="i", subject="s", email=EMAIL, provider="corp")
LINKS, NONE = Terms(link_by_email=True), Terms()
ROLE, TEAM, NOTHING = Gains(roles=("dev",)), Gains(groups=("eng",)), Gains()
ROW = Person(email=EMAIL)
LEFT = Person(email=EMAIL, state=PersonState.GONE)


@pytest.mark.parametrize(
    ("known", "terms", "gains", "why"),
    [
        (Known(link=LINK, linked=True), NONE, NOTHING, None),
        (Known(link=LINK, linked=True, person=ROW), NONE, NOTHING, None),
        (Known(configured=True), LINKS, NOTHING, None),
        (Known(person=ROW), LINKS, NOTHING, None),
        (Known(configured=True), NONE, ROLE, NOT_LINKED),
        (Known(person=ROW), NONE, ROLE, NOT_LINKED),
        (Known(person=LEFT), LINKS, ROLE, GONE),
        (Known(configured=True, linked=True), LINKS, ROLE, OTHER_ACCOUNT),
        (Known(person=ROW, linked=True), LINKS, ROLE, OTHER_ACCOUNT),
        (Known(linked=True), LINKS, ROLE, OTHER_ACCOUNT),
        (Known(), NONE, ROLE, None),
        (Known(), NONE, TEAM, None),
        (Known(), LINKS, NOTHING, STRANGER),
    ],
)
def test_who_comes_in(known: Known, terms: Terms, gains: Gains, why: str | None) -> None:
    assert stranger(IDENTITY, known, terms, gains) == why


def test_without_a_verified_address_only_a_known_account_comes_in() -> None:
    bare = msgspec.structs.replace(IDENTITY, email=None)

    assert stranger(bare, Known(), LINKS, ROLE) == NO_ADDRESS
    assert stranger(bare, Known(link=LINK), LINKS, NOTHING) is None


def test_other_domains_stay_out_even_with_a_link() -> None:
    terms = Terms(link_by_email=True, domains=("example.com",))

    assert stranger(IDENTITY, Known(link=LINK), terms, ROLE) == WRONG_DOMAIN
