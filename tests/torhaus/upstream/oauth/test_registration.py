import asyncio
import json

import msgspec
import pytest

from tests.torhaus.upstream.oauth.town import CALLBACK, ISSUER, USER, Asked, Web, said
from torhaus.model.fetch import Fetched
from torhaus.upstream.oauth.client import Client
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.registration import given, register
from torhaus.upstream.oauth.wellknown import Authority

AUTHORITY = Authority(
    issuer=ISSUER,
    token=f"{ISSUER}/token",
    registration=f"{ISSUER}/register",
    methods=("none", "client_secret_post"),
)
DOCUMENT = "https://gw.example/connect/client.json"


def registered(answer: Fetched, *, bound: bool = False, **changes: object) -> tuple[Client, Asked]:
    web = Web(**{f"{ISSUER}/register": lambda _: answer})
    authority = msgspec.structs.replace(AUTHORITY, **changes)
    found = asyncio.run(register(web, authority, CALLBACK, "read", bound=bound))
    return found, web.asked[0]


def test_torhaus_registers_with_what_it_needs():
    found, asked = registered(said({"client_id": "new"}, 201))

    assert found == Client(id="new", method="none")
    assert json.loads(asked.body) == {
        "client_name": "Torhaus",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "web",
        "scope": "read",
    }


def test_it_says_that_its_tokens_will_be_bound():
    _, asked = registered(said({"client_id": "new"}, 201), bound=True)

    assert json.loads(asked.body)["dpop_bound_access_tokens"] is True


def test_the_answer_decides_how_we_prove_it():
    post = {
        "client_id": "new",
        "client_secret": "s",
        "token_endpoint_auth_method": "client_secret_post",
    }

    assert registered(said(post, 201))[0] == Client(
        id="new", method="client_secret_post", secret="s"
    )
    silent = {"client_id": "new", "client_secret": "s"}
    found, asked = registered(said(silent), methods=("client_secret_basic",))
    assert found.method == "client_secret_basic"
    assert json.loads(asked.body)["token_endpoint_auth_method"] == "client_secret_basic"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (said({"error": "invalid_redirect_uri"}, 400), "HTTP 400"),
        (said({}, 201), "without an id"),
        (Fetched(201, {}, b"no json"), "without an id"),
    ],
)
def test_a_refusal_is_said(answer, words):
    with pytest.raises(OAuthError, match=words):
        registered(answer)


def test_where_nobody_may_register_people_read_what_to_do():
    with pytest.raises(OAuthError, match="register Torhaus there by hand"):
        registered(said({}), registration="")


def test_the_files_client_goes_first_and_a_document_where_nobody_may_register():
    both = msgspec.structs.replace(AUTHORITY, documents=True)
    documents = msgspec.structs.replace(both, registration="")
    own = msgspec.structs.replace(USER, client_id="mine")

    assert given(own, documents, DOCUMENT) == Client(id="mine")
    assert given(USER, documents, DOCUMENT) == Client(id=DOCUMENT)
    assert given(USER, both, DOCUMENT) is None
    assert given(USER, AUTHORITY, DOCUMENT) is None
    assert given(USER, documents, "") is None


def test_where_a_scope_cannot_be_registered_it_goes_without():
    def fussy(asked: Asked) -> Fetched:
        if "scope" in json.loads(asked.body):
            return said({"error": "invalid_client_metadata"}, 400)
        return said({"client_id": "new"}, 201)

    web = Web(**{f"{ISSUER}/register": fussy})
    found = asyncio.run(register(web, AUTHORITY, CALLBACK, "read", (ISSUER,)))

    assert found.id == "new"
    assert [each.named for each in web.asked] == [(ISSUER,)] * 2
