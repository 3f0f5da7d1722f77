"""Providers are told that somebody has to prove himself once more, and are held to it."""

import asyncio
import datetime
import time
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from zlib import decompress

import pytest
from lxml import etree

from tests.torhaus.identity.tokens import NOW
from tests.torhaus.signin.assertions import CALLBACK as ACS
from tests.torhaus.signin.assertions import IDP, REQUEST, encoded, of, response, signed, stamp
from tests.torhaus.signin.assertions import assertion as asserted
from tests.torhaus.signin.assertions import signing as saml
from tests.torhaus.signin.provider import CALLBACK, Provider, provider
from tests.torhaus.signin.test_oidc import STATE, back, signing
from tests.torhaus.upstream.pipes import run
from torhaus.model.signin import Arrival, Identity, SignInError


async def comes_anew(idp: Provider) -> Identity:
    ours = signing(idp)
    left = await ours.depart(STATE, CALLBACK, NOW, anew=True)
    said = dict(parse_qsl(urlsplit(left.url).query))
    assert (said["prompt"], said["max_age"]) == ("login", "0")
    return await ours.arrive(back(idp, left), CALLBACK, NOW)


@pytest.mark.parametrize(("ago", "proved"), [(0, NOW), (59, NOW - 59), (-30, NOW)])
def test_an_openid_provider_that_has_asked_again_is_believed(ago: float, proved: float) -> None:
    async def story() -> None:
        async with provider(claims={"auth_time": NOW - ago}) as idp:
            assert (await comes_anew(idp)).proved == proved

    run(story())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "does not say when"),
        ({"auth_time": None}, "does not say when"),
        ({"auth_time": True}, "does not say when"),
        ({"auth_time": str(NOW)}, "does not say when"),
        ({"auth_time": NOW + 3600}, "does not say when"),
        ({"auth_time": NOW - 61}, "has not asked you to sign in again"),
        ({"auth_time": 0}, "has not asked you to sign in again"),
    ],
)
def test_one_that_has_not_asked_again_or_does_not_say_proves_nothing(
    said: dict[str, Any], why: str
) -> None:
    async def story() -> None:
        async with provider(claims=said) as idp:
            with pytest.raises(SignInError, match=why):
                await comes_anew(idp)

    run(story())


@pytest.mark.parametrize(
    ("said", "proved"),
    [({}, None), ({"auth_time": NOW - 4000}, NOW - 4000), ({"auth_time": "yesterday"}, None)],
)
def test_an_ordinary_sign_in_goes_on_whatever_it_says_of_when(
    said: dict[str, Any], proved: float | None
) -> None:
    async def story() -> None:
        async with provider(claims=said) as idp:
            ours = signing(idp)
            left = await ours.depart(STATE, CALLBACK, NOW)
            asked = dict(parse_qsl(urlsplit(left.url).query))
            found = await ours.arrive(back(idp, left), CALLBACK, NOW)

            assert {"prompt", "max_age"}.isdisjoint(asked)
            assert found.proved == proved

    run(story())


@pytest.mark.parametrize("said", [{}, {"auth_time": NOW - 4000}, {"auth_time": NOW}])
def test_one_that_cannot_ask_again_is_believed_for_having_sent_him_back(
    said: dict[str, Any],
) -> None:
    async def story() -> None:
        async with provider(claims=said) as idp:
            ours = signing(idp, asks_again=False)
            left = await ours.depart(STATE, CALLBACK, NOW, anew=True)
            asked = dict(parse_qsl(urlsplit(left.url).query))
            found = await ours.arrive(back(idp, left), CALLBACK, NOW + 20)

            assert asked["prompt"] == "select_account"
            assert "max_age" not in asked
            assert found.proved == NOW + 20

    run(story())


def answered(instant: str, since: float | None) -> Identity:
    """What a SAML provider's answer to our request says."""
    said = asserted()
    of(said, "./a:AuthnStatement").set("AuthnInstant", instant)
    private = {"request": REQUEST, "idp": IDP}
    if since is not None:
        private["anew"] = str(since)
    arrival = Arrival(form={"SAMLResponse": encoded(response(signed(said)))}, private=private)
    return asyncio.run(saml().arrive(arrival, ACS, time.time()))


def test_a_saml_provider_is_told_to_ask_again() -> None:
    def request(*, anew: bool) -> Any:
        left = asyncio.run(saml().depart("a-state", ACS, 100.0, anew=anew))
        query = parse_qs(urlsplit(left.url).query)
        found = etree.fromstring(decompress(b64decode(query["SAMLRequest"][0]), -15))
        return found.get("ForceAuthn"), left.private.get("anew")

    assert request(anew=True) == ("true", "100.0")
    assert request(anew=False) == (None, None)


def test_a_saml_provider_that_has_asked_again_is_believed() -> None:
    now = time.time()

    found = answered(stamp(-30), now)

    assert found.proved is not None
    assert now - 32 < found.proved < now - 28
    assert answered(stamp(-4000), None).proved is not None


def test_a_saml_provider_that_has_not_asked_again_proves_nothing() -> None:
    with pytest.raises(SignInError, match="has not asked you to sign in again"):
        answered(stamp(-70), time.time())
    with pytest.raises(SignInError, match="has not asked you to sign in again"):
        answered(stamp(3600), time.time())
    zoneless = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with pytest.raises(SignInError, match="has not asked you to sign in again"):
        answered(zoneless, time.time())
    assert answered(zoneless, None).proved is None
