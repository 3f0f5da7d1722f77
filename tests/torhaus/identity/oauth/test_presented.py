from base64 import b64encode
from hashlib import sha256

import pytest

from torhaus.identity.oauth.presented import ClientError, Presented, check, presented
from torhaus.model.oauth import Client

PUBLIC = Client(id="p", kind="registered", name="p", redirect_uris=())
SECRET = Client(
    id="c", kind="file", name="c", redirect_uris=(), method="", secret=sha256(b"word").digest()
)
POST = Client(
    id="c",
    kind="registered",
    name="c",
    redirect_uris=(),
    method="client_secret_post",
    secret=sha256(b"word").digest(),
)


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode()).decode()


def test_a_public_client_says_its_name() -> None:
    assert check(PUBLIC, presented(None, {"client_id": "p"})) is PUBLIC


def test_a_secret_may_come_in_the_form_or_in_the_header() -> None:
    assert check(SECRET, presented(None, {"client_id": "c", "client_secret": "word"})) is SECRET
    assert check(SECRET, presented(basic("c:word"), {})) is SECRET
    assert presented(basic("a%3Ab:w%2Bx"), {}) == Presented("a:b", "w+x", basic=True)


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (None, Presented("x", None)),
        (PUBLIC, Presented("p", "word")),
        (SECRET, Presented("c", None)),
        (SECRET, Presented("c", "wrong")),
        (SECRET, Presented("c", "")),
        (POST, Presented("c", "word", basic=True)),
    ],
)
def test_whoever_does_not_prove_himself_is_told_the_same(
    client: Client | None, told: Presented
) -> None:
    with pytest.raises(ClientError) as caught:
        check(client, told)
    assert caught.value.code == "invalid_client"
    assert "word" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "form", "code"),
    [
        (None, {}, "invalid_client"),
        ("Bearer x", {}, "invalid_client"),
        ("Basic %%%", {}, "invalid_client"),
        ("Basic " + b64encode(b"\xff:x").decode(), {}, "invalid_client"),
        (basic("noword"), {}, "invalid_client"),
        (basic("c:word"), {"client_id": "other"}, "invalid_client"),
        (basic("c:word"), {"client_id": "c", "client_secret": "word"}, "invalid_request"),
    ],
)
def test_what_is_unclear_is_refused(header: str | None, form: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        presented(header, form)
    assert caught.value.code == code
