"""Tokens of a sign-in that are needed later."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.torhaus.identity.tokens import NOW
from tests.torhaus.signin.provider import CALLBACK, Provider, provider
from tests.torhaus.signin.test_oidc import STATE, back, configured
from tests.torhaus.upstream.pipes import run
from torhaus.signin.oidc import OidcSignIn
from torhaus.upstream.egress import Bounds, Egress


def keeping(idp: Provider, *, keeps: bool = True) -> OidcSignIn:
    return OidcSignIn(configured(idp.issuer), Egress(bounds=Bounds(total=2.0)), lambda: keeps)


OFFLINE = {"scopes_supported": ["openid", "offline_access"]}


@pytest.mark.parametrize(
    ("metadata", "keeps", "asked"),
    [(OFFLINE, True, True), (OFFLINE, False, False), ({}, True, False)],
)
def test_what_gets_newer_id_tokens_is_asked_for_where_somebody_uses_them(
    metadata: dict[str, Any], keeps: bool, asked: bool
) -> None:
    async def story() -> None:
        async with provider(metadata=metadata, token={"refresh_token": "rt-1"}) as idp:
            ours = keeping(idp, keeps=keeps)
            left = await ours.depart(STATE, CALLBACK, NOW)
            scope = parse_qs(urlsplit(left.url).query)["scope"][0].split()
            assert ("offline_access" in scope) is asked

            found = await ours.arrive(back(idp, left), CALLBACK, NOW)
            assert found.refresh == ("rt-1" if keeps else "")
            assert (found.ends is not None) is keeps

    run(story())
