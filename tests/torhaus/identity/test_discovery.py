"""What is an OpenID provider's metadata, and what only looks like it."""

import json

import pytest

from torhaus.identity.discovery import MetadataError, OidcMetadata, location, metadata

ISSUER = "https://idp.example/realm"
SAID = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://idp.example/auth",
    "token_endpoint": "https://idp.example/token",
    "jwks_uri": "https://idp.example/keys",
}


def read(**changed: object) -> OidcMetadata:
    said = {key: value for key, value in {**SAID, **changed}.items() if value is not None}
    return metadata(json.dumps(said).encode(), ISSUER)


def test_it_is_found_below_the_issuer() -> None:
    assert location(ISSUER) == ISSUER + "/.well-known/openid-configuration"
    assert location("https://i.example/") == "https://i.example/.well-known/openid-configuration"


def test_what_is_left_out_has_the_defaults_of_the_specification() -> None:
    found = read()

    assert found.keys == "https://idp.example/keys"
    assert found.methods == ("basic",)
    assert (found.userinfo, found.end_session, found.says_issuer) == (None, None, False)
    assert not found.offline


def test_what_it_says_counts() -> None:
    found = read(
        userinfo_endpoint="https://idp.example/me",
        end_session_endpoint="https://idp.example/out",
        token_endpoint_auth_methods_supported=["private_key_jwt", "client_secret_post", "none", 7],
        authorization_response_iss_parameter_supported=True,
        scopes_supported=["openid", "offline_access"],
    )

    assert found.methods == ("post", "none")
    assert (found.userinfo, found.end_session) == (
        "https://idp.example/me",
        "https://idp.example/out",
    )
    assert found.says_issuer
    assert found.offline
    assert not read(scopes_supported="offline_access").offline


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"issuer": ISSUER + "/"}, "another issuer"),
        ({"issuer": "https://evil.test"}, "another issuer"),
        ({"issuer": None}, "another issuer"),
        ({"token_endpoint": None}, "no token_endpoint"),
        ({"jwks_uri": 7}, "jwks_uri is no http"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri is no http"),
        ({"jwks_uri": "https://"}, "jwks_uri is no http"),
        ({"jwks_uri": "https://[x"}, "jwks_uri is no http"),
        ({"jwks_uri": "https://a b/"}, "jwks_uri is no http"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint is no http"),
        ({"authorization_endpoint": "http://idp.example/"}, "not https"),
        ({"token_endpoint_auth_methods_supported": "none"}, "no list"),
    ],
)
def test_what_is_wrong_is_said(changed: dict, why: str) -> None:
    with pytest.raises(MetadataError, match=why):
        read(**changed)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b"[" * 50000])
def test_what_is_no_json_is_no_metadata(body: bytes) -> None:
    with pytest.raises(MetadataError):
        metadata(body, ISSUER)
