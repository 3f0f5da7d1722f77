from typing import Any

import pytest

from torhaus.identity.oauth.documents import (
    authorization_server,
    challenge,
    metadata_url,
    protected_resource,
)
from torhaus.model.oauth import AuthorizationServer

ORIGIN = "https://gw.example"
EVERYTHING = AuthorizationServer(assertions=("okta",))
NOTHING = AuthorizationServer(documents=False, registration=False)


def test_the_challenge_names_an_absolute_document_and_the_scope() -> None:
    assert challenge(ORIGIN, "github") == (
        "Bearer resource_metadata="
        '"https://gw.example/.well-known/oauth-protected-resource/mcp/github", scope="mcp"'
    )
    assert metadata_url(ORIGIN) == f"{ORIGIN}/.well-known/oauth-protected-resource/mcp"


def test_a_challenge_for_a_wrong_token_says_so_without_breaking_the_header() -> None:
    said = challenge(ORIGIN, "github", "invalid_token", 'it "is" over\r\nX: y\\ ü')

    assert 'error="invalid_token"' in said
    assert said.endswith("error_description=\"it 'is' over''X: y' '\"")


@pytest.mark.parametrize("name", ["x\r\nX-Evil: 1", 'x", error="y', "x\0", "ü", "a/b", "a\\b"])
def test_a_name_that_no_server_has_stays_inside_the_challenge(name: str) -> None:
    said = challenge(ORIGIN, name)

    assert said.isascii()
    assert said.isprintable()
    assert said.count('"') == 4
    assert "\\" not in said


def test_the_document_about_a_server_names_what_the_user_typed() -> None:
    found = protected_resource(ORIGIN, "github")

    assert found["resource"] == "https://gw.example/mcp/github"
    assert found["authorization_servers"] == [ORIGIN]
    assert found["scopes_supported"] == ["mcp"]
    assert found["bearer_methods_supported"] == ["header"]
    assert protected_resource(ORIGIN)["resource"] == "https://gw.example/mcp"
    aliased = protected_resource(ORIGIN, "github", by_alias=True)
    assert aliased["resource"] == "https://github.gw.example/mcp"
    assert aliased["authorization_servers"] == [ORIGIN]


def test_the_issuer_is_the_one_that_resources_name() -> None:
    found = authorization_server(ORIGIN, AuthorizationServer())

    assert [found["issuer"]] == protected_resource(ORIGIN, "github")["authorization_servers"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert found["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert found["token_endpoint_auth_methods_supported"] == [
        "none",
        "client_secret_basic",
        "client_secret_post",
    ]
    assert found["scopes_supported"] == ["mcp", "offline_access"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["client_id_metadata_document_supported"] is True
    assert found["registration_endpoint"] == f"{ORIGIN}/register"
    assert found["revocation_endpoint"] == f"{ORIGIN}/revoke"


def test_what_is_switched_off_is_not_advertised() -> None:
    found = authorization_server(ORIGIN, NOTHING)

    assert "registration_endpoint" not in found
    assert found["client_id_metadata_document_supported"] is False
    assert "authorization_grant_profiles_supported" not in found


def test_assertions_are_advertised_where_they_are_taken() -> None:
    found = authorization_server(ORIGIN, EVERYTHING)

    assert "urn:ietf:params:oauth:grant-type:jwt-bearer" in found["grant_types_supported"]
    assert found["authorization_grant_profiles_supported"] == [
        "urn:ietf:params:oauth:grant-profile:id-jag"
    ]


@pytest.mark.parametrize("server", [EVERYTHING, NOTHING, AuthorizationServer()])
def test_no_document_ever_has_a_null(server: AuthorizationServer) -> None:
    documents = [
        authorization_server(ORIGIN, server),
        *(protected_resource(ORIGIN, name) for name in ("", "github")),
    ]

    assert not any(_empty(each) for each in documents)


def _empty(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_empty(each) for each in value.values())
    if isinstance(value, list):
        return not value or any(_empty(each) for each in value)
    return value is None or value == ""
