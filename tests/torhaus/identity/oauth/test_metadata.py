import json
from typing import Any

import pytest

from torhaus.identity.oauth.metadata import (
    MetadataError,
    from_document,
    host,
    is_document,
    readable,
    registration,
    response,
)
from torhaus.model.oauth import Client

URL = "https://client.example/oauth/client.json"
CURSOR = {
    "client_name": "Cursor",
    "redirect_uris": [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
    ],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
    "application_type": "web",
}
VSCODE = {
    "client_name": "Visual Studio Code",
    "client_uri": "https://code.visualstudio.com",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "redirect_uris": [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
    ],
    "token_endpoint_auth_method": "none",
    "application_type": "native",
}
CLAUDE = {
    "client_name": "Claude Code (github)",
    "redirect_uris": ["http://localhost:3118/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
DOCUMENT = {
    "client_id": URL,
    "client_name": "Example",
    "redirect_uris": ["http://127.0.0.1/callback"],
}


def encoded(told: Any, **changes: Any) -> bytes:
    return json.dumps({**told, **changes}).encode()


@pytest.mark.parametrize("told", [CURSOR, VSCODE, CLAUDE])
def test_real_clients_register_with_all_they_name(told: dict[str, Any]) -> None:
    found = registration(encoded(told))

    assert found.name == told["client_name"]
    assert list(found.redirect_uris) == told["redirect_uris"]
    assert found.method == "none"
    assert found.dropped == ()


@pytest.mark.parametrize("kind", ["web", "native"])
def test_the_kind_of_application_decides_nothing(kind: str) -> None:
    assert registration(encoded(CURSOR, application_type=kind)).application_type == kind
    assert registration(encoded(CLAUDE)).application_type is None


def test_one_bad_address_does_not_spoil_the_others() -> None:
    mixed = ["javascript:alert(1)", *CURSOR["redirect_uris"], "http://evil.example/"]

    found = registration(encoded(CURSOR, redirect_uris=mixed))

    assert list(found.redirect_uris) == CURSOR["redirect_uris"]
    assert found.dropped == ("javascript:alert(1)", "http://evil.example/")


@pytest.mark.parametrize(
    "redirects",
    [
        None,
        [],
        "http://localhost/callback",
        [7],
        [None],
        ["javascript:alert(1)"],
        ["http://localhost/callback"] * 21,
        {},
    ],
)
def test_without_any_good_address_nobody_registers(redirects: Any) -> None:
    with pytest.raises(MetadataError) as caught:
        registration(encoded(CLAUDE, redirect_uris=redirects))
    assert caught.value.code == "invalid_redirect_uri"


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"]},
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["implicit"]},
        {"grant_types": "authorization_code"},
        {"response_types": ["token"]},
        {"response_types": [7]},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": ["none"]},
        {"token_endpoint_auth_method": None},
        {"application_type": "service"},
        {"application_type": []},
    ],
)
def test_nobody_registers_for_what_we_do_not_have(changes: dict[str, Any]) -> None:
    with pytest.raises(MetadataError) as caught:
        registration(encoded(CLAUDE, **changes))
    assert caught.value.code == "invalid_client_metadata"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff", b'"x"', b"[" * 60_000, b" " * 65_537, b"{}"],
)
def test_what_is_no_registration_is_refused(body: bytes) -> None:
    with pytest.raises(MetadataError):
        registration(body)


def test_a_name_is_one_short_line_of_visible_text() -> None:
    told = encoded(CLAUDE, client_name="  Good\u202e\u200bname\n<b>x</b> " + "y" * 200)

    name = registration(told).name

    assert name.startswith("Good name <b>x</b> yyy")
    assert len(name) == 80
    assert readable("\x1b[31mred") == "[31mred"
    assert registration(encoded(CLAUDE, client_name=7)).name == ""


def test_the_answer_has_no_null_and_a_secret_only_where_there_is_one() -> None:
    registered = registration(encoded(CLAUDE))
    client = Client(
        id="dcr_1", kind="registered", name="x", redirect_uris=registered.redirect_uris, created=9.7
    )

    public, secret = response(client, registered, None), response(client, registered, "s")

    assert None not in public.values()
    assert public["client_id_issued_at"] == 9
    assert "client_secret" not in public
    assert (secret["client_secret"], secret["client_secret_expires_at"]) == ("s", 0)


def test_an_id_that_is_a_document_has_a_path_and_one_spelling() -> None:
    assert is_document(URL)
    assert is_document("https://client.example:8443/c")
    assert host(URL) == "client.example"
    assert host("dcr_1") == ""


@pytest.mark.parametrize(
    "id",
    [
        "https://client.example",
        "https://client.example/",
        "http://client.example/c",
        "https://user@client.example/c",
        "https://client.example/c#x",
        "https://client.example/c?x=1",
        "https://client.example/../c",
        "https://client.example/a/%2E%2e/c",
        "https://client.example//c",
        "https://CLIENT.example/c",
        "https://client.example\\@evil/c",
        "https://client.example/c d",
        "https://[::1]/c",
        "https://client.example/" + "c" * 600,
        "dcr_1",
        "",
    ],
)
def test_other_ids_are_no_documents(id: str) -> None:
    assert not is_document(id)


def test_a_document_describes_a_public_client() -> None:
    found = from_document(URL, encoded(DOCUMENT))

    assert (found.id, found.kind, found.name) == (URL, "document", "Example")
    assert found.redirect_uris == ("http://127.0.0.1/callback",)
    assert (found.method, found.secret) == ("none", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "https://other.example/c"},
        {"client_id": None},
        {"client_name": ""},
        {"client_name": None},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": []},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"client_secret": "s"},
    ],
)
def test_a_document_that_says_otherwise_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MetadataError):
        from_document(URL, encoded(DOCUMENT, **changes))
