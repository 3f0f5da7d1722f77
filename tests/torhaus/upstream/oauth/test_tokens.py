import asyncio

import msgspec
import pytest

from tests.torhaus.upstream.oauth.town import ISSUER, Asked, Clock, Web, said
from tests.torhaus.upstream.proofs import opened
from torhaus.model.fetch import Fetched
from torhaus.upstream.again import NONCES
from torhaus.upstream.oauth.client import Client
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.dpop import Key, Nonces
from torhaus.upstream.oauth.tokens import Endpoint, Rejected, Tokens

GOOD = {"access_token": "canary-access", "token_type": "bearer"}


def ask(answer: Fetched, **form: str) -> tuple[Tokens, Web]:
    web = Web(**{f"{ISSUER}/token": lambda _: answer})
    endpoint = Endpoint(
        fetch=web,
        url=f"{ISSUER}/token",
        issuer=ISSUER,
        client=Client(id="me"),
        clock=Clock(),
        ids=lambda: "1",
    )
    return asyncio.run(endpoint.ask(form)), web


def test_what_is_empty_is_not_sent():
    _, web = ask(said(GOOD), grant_type="x", scope="")

    assert web.asked[0].form == {"grant_type": "x", "client_id": "me"}


@pytest.mark.parametrize(
    ("lasts", "expires"),
    [(3600, 4600.0), ("60", 1060.0), (None, None), (0, None), (-5, None), ("soon", None)],
)
def test_how_long_it_lasts_is_counted_from_now(lasts, expires):
    found, _ = ask(said({**GOOD, "expires_in": lasts}))

    assert found.expires == expires
    assert "canary" not in repr(found)


def test_what_is_null_is_as_if_it_were_not_there():
    """Some authorization servers write all members of their answer, also those without a value."""
    empty = dict.fromkeys(("refresh_token", "scope", "expires_in", "error"))
    found, _ = ask(said({**GOOD, **empty}))

    assert (found.access, found.refresh, found.scope) == ("canary-access", "", "")


@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_no_has_its_word(status):
    with pytest.raises(Rejected) as failed:
        ask(said({"error": "invalid_grant", "error_description": "canary"}, status))
    assert failed.value.code == "invalid_grant"
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize(
    "answer",
    [
        said({}),
        said({"access_token": "canary"}),
        said({**GOOD, "token_type": "mac"}),
        said({**GOOD, "access_token": "two words"}),
        said({**GOOD, "access_token": "line\r\nbreak"}),
        said({**GOOD, "access_token": 5}),
        said([], 200),
        Fetched(500, {}, b"canary"),
        Fetched(200, {}, b"\xff"),
        said({"error": "<b>canary</b>"}, 400),
    ],
)
def test_an_answer_without_a_token_is_none_and_is_not_repeated(answer):
    with pytest.raises(OAuthError) as failed:
        ask(answer)
    assert not isinstance(failed.value, Rejected)
    assert "canary" not in str(failed.value)


def test_what_cannot_be_reached_is_said():
    web = Web()
    web.down.add("as.example")
    endpoint = Endpoint(
        fetch=web,
        url=f"{ISSUER}/token",
        issuer=ISSUER,
        client=Client(id="me"),
        clock=Clock(),
        ids=lambda: "1",
    )

    with pytest.raises(OAuthError, match="cannot be reached"):
        asyncio.run(endpoint.ask({}))


BOUND = {"access_token": "canary-access", "token_type": "DPoP"}
URL = f"{ISSUER}/token"


class Strict:
    """A token endpoint that wants a nonce in the proof; `nonces`: what it wants in turn."""

    def __init__(self, *nonces: str) -> None:
        self.nonces = list(nonces)
        self.proofs: list[dict[str, object]] = []

    def __call__(self, asked: Asked) -> Fetched:
        _, claims = opened(asked.headers["DPoP"])
        self.proofs.append(claims)
        if self.nonces and claims.get("nonce") != self.nonces[0]:
            nonce = self.nonces.pop(0) if len(self.nonces) > 1 else self.nonces[0]
            answer = said({"error": "use_dpop_nonce"}, 400)
            return Fetched(answer.status, {"dpop-nonce": nonce}, answer.body)
        return said(BOUND)


def bound(place: object, nonces: Nonces | None = None) -> Endpoint:
    numbers = iter(range(1000))
    return Endpoint(
        fetch=Web(**{URL: place}),
        url=URL,
        issuer=ISSUER,
        client=Client(id="me"),
        clock=Clock(),
        ids=lambda: f"id-{next(numbers)}",
        key=Key.fresh(),
        nonces=nonces or Nonces(),
    )


def test_a_request_proves_the_key_that_its_token_is_bound_to():
    place = Strict()
    found = asyncio.run(bound(place).ask({"grant_type": "x"}))

    assert found.access == "canary-access"
    assert place.proofs == [{"jti": "id-0", "htm": "POST", "htu": URL, "iat": 1000}]


def test_the_nonce_of_the_token_endpoint_is_used_and_kept_for_the_next():
    place, nonces = Strict("n-1"), Nonces()
    asyncio.run(bound(place, nonces).ask({}))
    asyncio.run(bound(place, nonces).ask({}))

    assert [each.get("nonce") for each in place.proofs] == [None, "n-1", "n-1"]
    assert len({each["jti"] for each in place.proofs[:2]}) == 2


def test_one_nonce_after_another_is_a_no():
    place = Strict("n-1", "n-2", "n-3", "n-4")
    place.nonces = [f"n-{n}" for n in range(9)]

    def moody(asked: Asked) -> Fetched:
        place.nonces = [f"n-{len(place.proofs)}"]
        opened(asked.headers["DPoP"])
        place.proofs.append({})
        answer = said({"error": "use_dpop_nonce"}, 400)
        return Fetched(400, {"dpop-nonce": place.nonces[0]}, answer.body)

    with pytest.raises(Rejected, match="use_dpop_nonce"):
        asyncio.run(bound(moody).ask({}))
    assert len(place.proofs) == 1 + NONCES


def test_a_token_that_anybody_could_use_is_not_taken_for_a_bound_one():
    with pytest.raises(OAuthError, match="not bound to a key"):
        asyncio.run(bound(lambda _: said(GOOD)).ask({}))


def test_a_bound_token_is_of_no_use_to_whoever_has_no_key():
    with pytest.raises(OAuthError, match="no bearer token"):
        ask(said(BOUND))


def test_an_assertion_of_the_client_is_another_one_each_time():
    """It has an id that counts once (RFC 7523 section 3)."""
    key = "a-secret-of-the-tests-that-is-long-enough"
    place, seen = Strict("n-1"), []

    def noted(asked: Asked) -> Fetched:
        seen.append(asked.form["client_assertion"])
        return place(asked)

    endpoint = bound(noted)
    client = Client(id="me", method="client_secret_jwt", secret=key)
    asyncio.run(msgspec.structs.replace(endpoint, client=client).ask({}))

    assert len(seen) == len(set(seen)) == 2
