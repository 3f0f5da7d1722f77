import base64

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from torhaus.model.ports import UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.servers import Acting, Assertion, OAuthAccess
from torhaus.upstream.oauth.client import ASSERTION, Client, configured, renewed, usual

ISSUER = "https://as.example"


def proof(client: Client) -> tuple[dict[str, str], dict[str, str]]:
    return client.proof(ISSUER, f"{ISSUER}/token", 1000.0, lambda: "id-1")


def test_each_method_proves_it_in_its_own_way():
    basic = Client(id="a:b", method="client_secret_basic", secret="p@ss word")
    post = Client(id="me", method="client_secret_post", secret="s")

    pair = base64.b64encode(b"a%3Ab:p%40ss%20word").decode()
    assert proof(basic) == ({"Authorization": f"Basic {pair}"}, {"client_id": "a:b"})
    assert proof(post) == ({}, {"client_id": "me", "client_secret": "s"})
    assert proof(Client(id="me")) == ({}, {"client_id": "me"})


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("ES256", ECKey.generate_key("P-256")), ("RS256", RSAKey.generate_key(2048))],
)
def test_a_key_signs_who_we_are_for_this_issuer_alone(algorithm, key):
    pem = key.as_pem(private=True).decode()
    client = Client(id="me", method="private_key_jwt", key=pem, algorithm=algorithm)

    headers, form = proof(client)

    assert headers == {}
    assert form["client_assertion_type"] == ASSERTION
    token = jwt.decode(form["client_assertion"], key, algorithms=[algorithm])
    assert token.claims == {
        "iss": "me", "sub": "me", "aud": ISSUER, "jti": "id-1", "iat": 1000, "exp": 1060,
    }  # fmt: skip


def test_a_secret_signs_too_and_is_not_sent():
    secret = "a-secret-of-the-tests-that-is-long-enough"
    client = Client(id="me", method="client_secret_jwt", secret=secret)

    headers, form = proof(client)

    assert headers == {}
    assert set(form) == {"client_id", "client_assertion_type", "client_assertion"}
    key = OctKey.import_key(secret)
    token = jwt.decode(form["client_assertion"], key, algorithms=["HS256"])
    assert (token.header, token.claims["aud"]) == ({"alg": "HS256", "typ": "JWT"}, ISSUER)


def test_the_key_and_the_reader_are_named_as_the_file_says():
    key = ECKey.generate_key("P-256")
    pem = key.as_pem(private=True).decode()
    client = Client(
        id="me", method="private_key_jwt", key=pem, key_id="k-7", reader="token_endpoint"
    )

    token = jwt.decode(proof(client)[1]["client_assertion"], key, algorithms=["ES256"])

    assert token.header["kid"] == "k-7"
    assert token.claims["aud"] == f"{ISSUER}/token"


def test_the_platforms_word_stands_in_for_a_signature():
    client = Client(
        id="me", method="private_key_jwt", assertion=Assertion("file", "token", "/nowhere")
    )
    assert client.lends == client.assertion

    _, form = client.proof(ISSUER, f"{ISSUER}/token", 1000.0, lambda: "id-1", "its.own.word")

    assert (form["client_id"], form["client_assertion"]) == ("me", "its.own.word")
    assert Client(id="me", method="private_key_jwt", key="pem").lends is None


def test_a_secret_that_is_no_key_is_said_without_it():
    client = Client(id="me", method="client_secret_jwt", secret="")
    with pytest.raises(UpstreamError, match="client_secret is no key for HS256"):
        proof(client)


def test_a_key_that_is_none_is_said_without_it():
    for pem in ("canary-no-key", RSAKey.generate_key(2048).as_pem(private=True).decode()):
        client = Client(id="me", method="private_key_jwt", key=pem)
        with pytest.raises(UpstreamError, match="no key for ES256") as failed:
            proof(client)
        assert "canary" not in str(failed.value)
        assert failed.value.__cause__ is None


def test_no_print_shows_the_secret():
    assert "canary" not in repr(Client(id="me", secret="canary", key="canary"))


@pytest.mark.parametrize(
    ("offered", "more", "method"),
    [
        (("client_secret_basic",), {"secret": True}, "client_secret_basic"),
        (("client_secret_post",), {"secret": True}, "client_secret_post"),
        (("client_secret_jwt", "private_key_jwt"), {"secret": True}, "client_secret_jwt"),
        ((), {"secret": True}, "client_secret_basic"),
        (("none",), {"secret": False}, "none"),
        ((), {"secret": False, "key": True}, "private_key_jwt"),
    ],
)
def test_the_usual_way_fits_what_is_offered(offered, more, method):
    assert usual(offered, **more) == method


def test_the_files_client_is_used_as_it_says():
    access = OAuthAccess(mode=Acting.CLIENT, client_id="me", client_secret=Secret("s"))

    assert configured(access) == Client(id="me", method="client_secret_basic", secret="s")
    assert configured(OAuthAccess(mode=Acting.USER)) is None


def test_a_platform_that_gives_the_grant_proves_no_client():
    platform = Assertion("file", "token", "/nowhere")
    access = OAuthAccess(mode=Acting.CLIENT, client_id="me", assertion=platform)

    proving = configured(access)
    assert proving is not None
    assert (proving.method, proving.lends) == ("private_key_jwt", platform)
    granting = OAuthAccess(mode=Acting.CLIENT, client_id="me", assertion=platform, federated=True)
    assert configured(granting) == Client(id="me")


def test_a_client_of_its_own_registration_gets_nothing_of_the_files():
    access = OAuthAccess(mode=Acting.USER, client_id="me", client_secret=Secret("new"))

    assert renewed(access, "registered", "client_secret_post", "old").secret == "old"
    assert renewed(access, "me", "client_secret_post", "old").secret == "new"
