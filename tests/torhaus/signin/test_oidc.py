"""Whole sign-ins with an OpenID provider on loopback, and every answer that proves nothing."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec
import pytest

from tests.torhaus.identity.tokens import NOW, Signer
from tests.torhaus.signin.provider import CALLBACK, Provider, basic, provider
from tests.torhaus.upstream.pipes import run
from torhaus.identity.oidc import LOGOUT
from torhaus.model.providers import Gains, OidcProvider, Terms
from torhaus.model.secret import Secret
from torhaus.model.signin import Arrival, Departure, Identity, SignInError
from torhaus.signin.oidc import OidcSignIn
from torhaus.upstream.egress import Bounds, Egress

STATE = "a-random-state"
GROUPS = Terms(groups={"developers": Gains(roles=("developer",))})


def configured(issuer: str, **more: Any) -> OidcProvider:
    said = {
        "name": "company",
        "label": "Company",
        "terms": Terms(),
        "issuer": issuer,
        "client_id": "torhaus",
        "client_secret": Secret("a secret & more"),
    }
    return OidcProvider(**{**said, **more})


def signing(idp: Provider, **more: Any) -> OidcSignIn:
    return OidcSignIn(configured(idp.issuer, **more), Egress(bounds=Bounds(total=2.0)))


async def whole_sign_in(idp: Provider, ours: OidcSignIn, now: float = NOW) -> Identity:
    left = await ours.depart(STATE, CALLBACK, now)
    return await ours.arrive(back(idp, left), CALLBACK, now)


def back(idp: Provider, left: Departure, **changed: str | None) -> Arrival:
    query = {**idp.agrees(left.url), **changed}
    said = {key: value for key, value in query.items() if value is not None}
    return Arrival(query=said, private=left.private)


async def refusal(idp: Provider, ours: OidcSignIn, arrival: Arrival, now: float = NOW) -> str:
    with pytest.raises(SignInError) as error:
        await ours.arrive(arrival, CALLBACK, now)
    assert "secret" not in f"{error.value} {error.value.detail}"
    return error.value.detail or str(error.value)


def test_a_person_signs_in() -> None:
    async def story() -> None:
        async with provider(claims={"name": "Alice", "groups": ["developers"], "sid": "s1"}) as idp:
            found = await whole_sign_in(idp, signing(idp, terms=GROUPS))

            assert found.id_token_hint.count(".") == 2
            assert msgspec.structs.replace(found, id_token_hint="") == Identity(
                provider="company",
                issuer=idp.issuer,
                subject="u-alice",
                email="alice@example.com",
                name="Alice",
                groups=("developers",),
                session="s1",
            )
            assert idp.asked("/userinfo") == []

    run(story())


def test_the_browser_leaves_with_everything_that_binds_the_answer_to_it() -> None:
    async def story() -> None:
        async with provider() as idp:
            ours = signing(idp)
            first = await ours.depart(STATE, CALLBACK, NOW)
            second = await ours.depart(STATE, CALLBACK, NOW)

            said = dict(parse_qsl(urlsplit(first.url).query))
            assert first.url.startswith(idp.issuer.removesuffix("realm") + "auth?tenant=1&")
            assert said["state"] == STATE
            assert said["redirect_uri"] == CALLBACK
            assert said["scope"] == "openid email profile"
            assert (said["response_type"], said["code_challenge_method"]) == ("code", "S256")
            assert len(first.private["verifier"]) >= 43
            assert first.private["verifier"] not in first.url
            assert first.private["nonce"] != second.private["nonce"]
            assert first.private["verifier"] != second.private["verifier"]

    run(story())


@pytest.mark.parametrize(
    ("methods", "configured_as", "expected"),
    [
        (None, None, "basic"),
        (["client_secret_post"], None, "post"),
        (["client_secret_post", "client_secret_basic"], None, "basic"),
        (["private_key_jwt"], None, "basic"),
        (["client_secret_basic"], "post", "post"),
        (["client_secret_basic"], "none", "none"),
    ],
)
def test_the_secret_is_sent_as_the_provider_wants_it(
    methods: list[str] | None, configured_as: str | None, expected: str
) -> None:
    async def story() -> None:
        async with provider() as idp:
            idp.metadata["token_endpoint_auth_methods_supported"] = methods
            await whole_sign_in(idp, signing(idp, client_auth=configured_as))

            [asked] = idp.asked("/token")
            form = dict(parse_qsl(asked.body.decode()))
            if expected == "basic":
                assert basic(asked) == ("torhaus", "a secret & more")
                assert "client_secret" not in form
            else:
                assert "authorization" not in asked.headers
                assert form["client_id"] == "torhaus"
                assert form.get("client_secret") == {"post": "a secret & more"}.get(expected)

    run(story())


def test_a_public_client_sends_no_secret() -> None:
    async def story() -> None:
        async with provider() as idp:
            await whole_sign_in(idp, signing(idp, client_secret=None))

            [asked] = idp.asked("/token")
            assert "client_secret" not in asked.body.decode()
            assert "authorization" not in asked.headers

    run(story())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://evil.test"}, "another issuer"),
        ({"code": None}, "no code"),
        ({"code": "guessed"}, "HTTP 400 invalid_grant"),
        ({"error": "access_denied"}, "access_denied"),
        ({"error": "<script>secret"[:8]}, "error="),
    ],
)
def test_an_answer_that_is_not_this_sign_ins_is_refused(changed: dict, why: str) -> None:
    async def story() -> None:
        async with provider() as idp:
            ours = signing(idp)
            left = await ours.depart(STATE, CALLBACK, NOW)
            assert why in await refusal(idp, ours, back(idp, left, **changed))

    run(story())


def test_an_issuer_is_missed_where_the_provider_says_that_it_names_itself() -> None:
    async def story() -> None:
        says = {"authorization_response_iss_parameter_supported": True}
        async with provider(metadata=says) as idp:
            ours = signing(idp)
            left = await ours.depart(STATE, CALLBACK, NOW)
            assert "another issuer" in await refusal(idp, ours, back(idp, left, iss=None))
        async with provider() as idp:
            ours = signing(idp)
            left = await ours.depart(STATE, CALLBACK, NOW)
            assert await ours.arrive(back(idp, left, iss=None), CALLBACK, NOW)

    run(story())


def test_a_code_of_another_browser_does_not_fit_the_verifier() -> None:
    async def story() -> None:
        async with provider() as idp:
            ours = signing(idp)
            mine = await ours.depart(STATE, CALLBACK, NOW)
            hers = await ours.depart(STATE, CALLBACK, NOW)
            mixed = Arrival(query=idp.agrees(hers.url), private=mine.private)
            assert "invalid_grant" in await refusal(idp, ours, mixed)

    run(story())


def test_nothing_kept_of_a_sign_in_means_none() -> None:
    async def story() -> None:
        async with provider() as idp:
            ours = signing(idp)
            left = await ours.depart(STATE, CALLBACK, NOW)
            bare = Arrival(query=idp.agrees(left.url))
            assert "configured anew" in await refusal(idp, ours, bare)
            private = {"issuer": idp.issuer, "verifier": left.private["verifier"]}
            without = Arrival(query=idp.agrees(left.url), private=private)
            assert "nothing is kept" in await refusal(idp, ours, without)

    run(story())


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "other"}, "not for this gateway"),
        ({"iss": "https://other.example"}, "another issuer"),
        ({"exp": NOW - 100}, "expired"),
        ({"at_hash": "AAAA"}, "another access token"),
        ({"sub": None}, "names nobody"),
    ],
)
def test_an_id_token_that_proves_nothing_is_refused(claims: dict, why: str) -> None:
    class Forging(Provider):
        def _token(self, form: dict[str, str]) -> tuple[int, Any]:
            nonce = self.codes[form["code"]]["nonce"]
            said = {"iss": self.issuer, "sub": "u-alice", "aud": "torhaus", "nonce": nonce}
            said |= {"iat": NOW, "exp": NOW + 60}
            said = {key: each for key, each in {**said, **claims}.items() if each is not None}
            return 200, {"access_token": "at", "id_token": self.signer.sign(said)}

    async def story() -> None:
        async with provider() as idp:
            idp.__class__ = Forging
            ours = signing(idp)
            left = await ours.depart(STATE, CALLBACK, NOW)
            assert why in await refusal(idp, ours, back(idp, left))

    run(story())


@pytest.mark.parametrize(
    "token", [{"id_token": None}, {"id_token": "x.y.z"}, {"id_token": 7}, {"access_token": 7}]
)
def test_what_is_no_token_answer_is_refused(token: dict) -> None:
    async def story() -> None:
        async with provider(token=token) as idp:
            ours = signing(idp)
            left = await ours.depart(STATE, CALLBACK, NOW)
            assert "token" in await refusal(idp, ours, back(idp, left))

    run(story())


def test_a_new_key_is_fetched_once_a_minute_at_most() -> None:
    async def story() -> None:
        async with provider() as idp:
            ours = signing(idp)
            assert await whole_sign_in(idp, ours)
            idp.signer = Signer(kid="k2")
            left = await ours.depart(STATE, CALLBACK, NOW)
            assert "set" in await refusal(idp, ours, back(idp, left), NOW + 59)
            assert len(idp.asked("/keys")) == 1
            assert await whole_sign_in(idp, ours, NOW + 60)
            assert len(idp.asked("/keys")) == 2
            idp.signer, idp.listed = Signer(kid="k3"), [idp.signer.public()]
            for _ in range(3):
                left = await ours.depart(STATE, CALLBACK, NOW)
                await refusal(idp, ours, back(idp, left), NOW + 119)
            assert len(idp.asked("/keys")) == 2

    run(story())


def test_a_withdrawn_key_counts_for_an_hour_at_most() -> None:
    async def story() -> None:
        async with provider() as idp:
            ours = signing(idp)
            assert await whole_sign_in(idp, ours)
            idp.listed = [Signer(kid="k2").public()]
            idp.claims = {"exp": NOW + 9000}
            left = await ours.depart(STATE, CALLBACK, NOW + 3600)
            assert "set" in await refusal(idp, ours, back(idp, left), NOW + 3600)

    run(story())


def test_documents_are_fetched_once_however_many_come_at_once() -> None:
    async def story() -> None:
        async with provider() as idp:
            ours = signing(idp)
            await asyncio.gather(*(whole_sign_in(idp, ours) for _ in range(5)))
            assert len(idp.asked("/realm/.well-known/openid-configuration")) == 1
            assert len(idp.asked("/keys")) == 1

    run(story())


def test_what_an_id_token_leaves_out_comes_from_userinfo() -> None:
    said = {"sub": "u-alice", "email": "Alice@Example.com", "email_verified": True}

    async def story() -> None:
        left_out = {"email": None, "email_verified": None}
        async with provider(
            claims=left_out, userinfo={**said, "groups": ["developers"], "name": "Alice"}
        ) as idp:
            found = await whole_sign_in(idp, signing(idp, terms=GROUPS))
            assert found.email == "alice@example.com"
            assert (found.groups, found.name) == (("developers",), "Alice")
            [asked] = idp.asked("/userinfo")
            assert asked.headers["authorization"] == "Bearer at-1"

    run(story())


def test_an_address_and_its_verification_are_of_one_document() -> None:
    async def story() -> None:
        unsaid = {"email": None, "email_verified": True}
        told = {"sub": "u-alice", "email": "root@example.com"}
        async with provider(claims=unsaid, userinfo=told) as idp:
            assert (await whole_sign_in(idp, signing(idp))).email is None

    run(story())


def test_userinfo_about_somebody_else_is_refused() -> None:
    async def story() -> None:
        async with provider(userinfo={"sub": "u-root", "groups": ["developers"]}) as idp:
            ours = signing(idp, terms=GROUPS)
            left = await ours.depart(STATE, CALLBACK, NOW)
            assert "somebody else" in await refusal(idp, ours, back(idp, left))

    run(story())


def test_metadata_of_another_issuer_is_not_followed() -> None:
    async def story() -> None:
        async with provider(metadata={"issuer": "https://evil.test"}) as idp:
            with pytest.raises(SignInError, match="try again later") as error:
                await signing(idp).depart(STATE, CALLBACK, NOW)
            assert "another issuer" in error.value.detail

    run(story())


def test_metadata_may_not_point_into_the_private_network() -> None:
    async def story() -> None:
        async with provider() as other, provider() as idp:
            assert other.server is not None
            idp.metadata["jwks_uri"] = f"http://127.0.0.1:{other.server.port}/keys"
            idp.metadata["token_endpoint"] = f"http://127.0.0.1:{other.server.port}/token"
            ours = signing(idp)
            left = await ours.depart(STATE, CALLBACK, NOW)
            assert "https only" in await refusal(idp, ours, back(idp, left))
            assert other.heard == []

    run(story())


def test_a_provider_that_is_down_can_be_asked_again_later() -> None:
    async def story() -> None:
        async with provider(status=503) as idp:
            ours = signing(idp)
            with pytest.raises(SignInError, match="Company cannot be asked right now"):
                await ours.depart(STATE, CALLBACK, NOW)
            idp.status = 200
            assert await whole_sign_in(idp, ours, NOW + 5)

    run(story())


def test_the_browser_can_sign_out_there_too() -> None:
    async def story() -> None:
        async with provider() as idp:
            ours = signing(idp)
            url = await ours.farewell("hint", "https://gateway.example.com/", NOW)
            assert url is not None
            assert parse_qs(urlsplit(url).query) == {
                "client_id": ["torhaus"],
                "post_logout_redirect_uri": ["https://gateway.example.com/"],
                "id_token_hint": ["hint"],
            }
            idp.metadata["end_session_endpoint"] = None
            assert await signing(idp).farewell("", "https://g.example/", NOW) is None
            idp.status = 500
            assert await signing(idp).farewell("", "https://g.example/", NOW) is None

    run(story())


def test_the_provider_tells_who_has_signed_out() -> None:
    async def story() -> None:
        async with provider() as idp:
            ours = signing(idp)
            said = {"iss": idp.issuer, "aud": "torhaus", "iat": NOW, "jti": "j", "sub": "u-alice"}
            told = idp.signer.sign({**said, "events": {LOGOUT: {}}}, typ="logout+jwt")
            found = await ours.logged_out(told, NOW)
            assert (found.issuer, found.subject, found.id) == (idp.issuer, "u-alice", "j")
            for wrong in (idp.signer.sign(said), Signer(kid="k9").sign(said), "", json.dumps(said)):
                with pytest.raises(SignInError, match="not valid"):
                    await ours.logged_out(wrong, NOW)

    run(story())
