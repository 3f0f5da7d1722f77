"""What an identity provider says of people, and its word for others."""

import asyncio
from typing import Any

import pytest

from tests.torhaus.upstream.oauth.company import (
    ALICE,
    IDP,
    METADATA,
    TOKEN,
    WISH,
    Company,
    identity,
    refuses,
    renewed,
    token,
    vouches,
    word,
)
from tests.torhaus.upstream.oauth.town import ISSUER, SERVER, said
from torhaus.model.ports import NotConnected, UpstreamError
from torhaus.upstream.oauth import vouching as module
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.vouching import EXCHANGE, ID_JAG, ID_TOKEN, REFRESH_TOKEN

OF = f"{IDP}/.well-known/openid-configuration"


def asked(town: Company) -> str:
    return asyncio.run(town.vouching().word(ALICE, WISH)).assertion


def test_the_id_token_is_exchanged_for_a_word_to_one_authorization_server() -> None:
    town = Company(identity())

    assert asked(town) == word()

    assert town.forms(TOKEN) == [
        {
            "grant_type": EXCHANGE,
            "requested_token_type": ID_JAG,
            "subject_token": "canary-id-token",
            "subject_token_type": ID_TOKEN,
            "audience": ISSUER,
            "resource": SERVER,
            "scope": "read write",
            "client_id": "gateway",
        }
    ]
    sent = town.web.asked[-1]
    assert sent.headers["Authorization"].startswith("Basic ")
    assert sent.named == (IDP,)  # what its metadata points to is not the administrator's word


def test_who_has_not_signed_in_is_told_where_to() -> None:
    with pytest.raises(NotConnected, match="you have not signed in with Acme") as failed:
        asked(Company())

    assert (failed.value.provider, failed.value.barred) == ("acme", False)
    with pytest.raises(NotConnected, match="not signed in"):
        asked(Company(identity(issuer="https://former.example")))


def test_an_id_token_that_ends_is_renewed_first() -> None:
    town = Company(identity(expires=1010.0))

    asked(town)

    (renewal,) = town.forms(TOKEN, "refresh_token")
    assert renewal == {
        "grant_type": "refresh_token",
        "refresh_token": "canary-refresh",
        "client_id": "gateway",
    }
    (exchange,) = town.forms(TOKEN, "token-exchange")
    assert exchange["subject_token"] == token(iss=IDP, sub="u-1", exp=9000)
    kept = town.wallet.helds[0]
    assert (kept.kept.expires, kept.content.refresh) == (9000.0, "canary-refresh-2")


def test_where_no_newer_id_token_comes_the_refresh_token_stands_for_him() -> None:
    town = Company(identity(expires=1010.0))
    town.renewals = [renewed(id_token=None)]

    for _ in range(2):
        asked(town)

    assert len(town.forms(TOKEN, "refresh_token")) == 1
    found = town.forms(TOKEN, "token-exchange")[-1]
    said_for = (found["subject_token"], found["subject_token_type"])
    assert said_for == ("canary-refresh-2", REFRESH_TOKEN)


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client"])
def test_a_sign_in_that_has_ended_has_to_be_made_anew(code: str) -> None:
    town = Company(identity(expires=1010.0))
    town.renewals = [refuses(code)]

    with pytest.raises(NotConnected, match="your sign-in has ended with Acme") as failed:
        asked(town)

    assert failed.value.provider == "acme"
    assert code in town.wallet.troubles[0]
    with pytest.raises(NotConnected, match="has ended"):
        asked(Company(identity(expires=1010.0, refresh="")))


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://evil.example", "sub": "u-1"}, {"iss": IDP, "sub": "u-2"}, {"iss": IDP}],
)
def test_a_newer_id_token_is_about_the_same_person_of_the_same_issuer(
    claims: dict[str, Any],
) -> None:
    town = Company(identity(expires=1010.0))
    town.renewals = [renewed(id_token=token(**claims, exp=9000))]

    with pytest.raises(OAuthError, match="about somebody else"):
        asked(town)

    assert town.wallet.helds[0].content.value == "canary-id-token"
    assert town.forms(TOKEN, "token-exchange") == []


def test_a_newer_id_token_that_is_none_is_not_used() -> None:
    town = Company(identity(expires=1010.0))
    town.renewals = [renewed(id_token="canary-no-jwt")]

    with pytest.raises(OAuthError, match="cannot be read") as failed:
        asked(town)
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (vouches(issued_token_type="urn:ietf:params:oauth:token-type:access_token"), "another"),
        (vouches(issued_token_type=""), "another token"),
        (vouches(token_type="Bearer"), "another token"),
        (vouches(word(typ="JWT")), "another kind"),
        (vouches(word(aud="https://other.example")), "another authorization server"),
        (vouches(word(aud=[ISSUER, "https://other.example"])), "another authorization server"),
        (vouches(word(resource="https://other.example/mcp")), "for another server"),
        (vouches(word(client_id="somebody")), "another client"),
        (vouches(word(client_id=None)), "another client"),
        (vouches(word(iss="https://evil.example")), "another issuer"),
        (vouches(word(exp=939)), "has expired"),
        (vouches(word(iat=1061, exp=1400)), "from the future"),
        (vouches(word(iat=1000, exp=1000 + 3601)), "longer than an hour"),
        (vouches("canary-no-jwt"), "no signed token"),
        (said("canary"), "another token"),
        (said({}, 500), "HTTP 500"),
    ],
)
def test_what_was_not_asked_for_goes_nowhere(answer: Any, words: str) -> None:
    town = Company(identity())
    town.answers = [answer]

    with pytest.raises(OAuthError, match=words) as failed:
        asked(town)

    assert "canary" not in str(failed.value)


@pytest.mark.parametrize(
    "changes",
    [{"aud": [ISSUER]}, {"resource": None}, {"resource": [SERVER]}, {"exp": 941}, {"iat": 1059}],
)
def test_what_was_asked_for_is_taken_however_it_is_spelled(changes: dict[str, Any]) -> None:
    town = Company(identity())
    changed = word(**({"iat": 900} | changes))
    town.answers = [vouches(changed)]

    assert asked(town) == changed


def test_of_an_encrypted_word_nothing_is_known_but_to_whom_it_goes() -> None:
    town = Company(identity())
    town.answers = [vouches("a.b.c.d.e")]

    assert asked(town) == "a.b.c.d.e"


@pytest.mark.parametrize("code", ["access_denied", "invalid_target", "unauthorized_client"])
def test_a_provider_that_does_not_let_somebody_in_is_heard(code: str) -> None:
    town = Company(identity())
    town.answers = [refuses(code)]

    with pytest.raises(NotConnected, match=rf"Acme does not let you in there \({code}\)") as failed:
        asked(town)

    assert failed.value.barred
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize("code", ["insufficient_user_authentication", "login_required"])
def test_a_provider_that_wants_to_see_him_again_is_heard(code: str) -> None:
    town = Company(identity())
    town.answers = [refuses(code)]

    with pytest.raises(NotConnected, match="not enough any more at Acme") as failed:
        asked(town)

    assert (failed.value.provider, failed.value.barred) == ("acme", False)


def test_an_id_token_that_was_ended_before_its_time_is_renewed_once() -> None:
    town = Company(identity())
    town.answers = [refuses("invalid_grant"), vouches()]
    assert asked(town) == word()
    assert len(town.forms(TOKEN, "refresh_token")) == 1

    town = Company(identity())
    town.answers = [refuses("invalid_grant")]
    with pytest.raises(NotConnected) as failed:
        asked(town)
    assert failed.value.provider == "acme"
    assert len(town.forms(TOKEN, "token-exchange")) == 2


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({**METADATA, "issuer": "https://evil.example"}, "another issuer"),
        ({**METADATA, "token_endpoint": None}, "token_endpoint"),
        (lambda _: said({}, 503), "HTTP 503"),
    ],
)
def test_a_provider_whose_metadata_is_not_its_own_is_told_nothing(page: Any, words: str) -> None:
    town = Company(identity())
    town.web.pages[OF] = page

    with pytest.raises(OAuthError, match=words):
        asked(town)

    assert town.forms(TOKEN) == []


def test_a_provider_that_is_down_is_said_and_ends_nothing() -> None:
    town = Company(identity(expires=1010.0))
    town.web.down.add("idp.example")

    with pytest.raises(OAuthError, match="Acme cannot vouch for you right now"):
        asked(town)
    town.web.down.clear()

    assert asked(town) == word()


def test_of_many_who_renew_one_sign_in_one_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """For other servers, and in other processes: refresh tokens may count once."""
    monkeypatch.setattr(module, "WAIT", 0.001)

    async def story() -> None:
        town = Company(identity(expires=1010.0))
        found = await asyncio.gather(*(town.vouching().word(ALICE, WISH) for _ in range(8)))

        assert {each.assertion for each in found} == {word()}
        assert len(town.forms(TOKEN, "refresh_token")) == 1

    asyncio.run(story())


def test_a_database_that_is_down_is_said() -> None:
    town = Company(identity())
    town.wallet.down = town.wallet.cold = True

    with pytest.raises(UpstreamError, match="state database"):
        asked(town)


def test_no_print_shows_the_word() -> None:
    found = asyncio.run(Company(identity()).vouching().word(ALICE, WISH))

    assert found.assertion == word()
    assert word() not in repr(found)
