"""How the browser leaves for a SAML provider, and what is published for it."""

import asyncio
import time
from base64 import b64decode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zlib import decompress

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate
from lxml import etree

from tests.torhaus.signin.assertions import CALLBACK, OURS, Seen, keys, metadata, of, signing
from torhaus.model.fetch import Fetched, FetchError
from torhaus.model.providers import SamlProvider, Terms
from torhaus.model.signin import SignInError
from torhaus.signin.saml import SamlSignIn


def test_the_browser_leaves_with_a_signed_request() -> None:
    left = asyncio.run(signing().depart("a-state", CALLBACK, time.time()))

    query = {key: value[0] for key, value in parse_qs(urlsplit(left.url).query).items()}
    request = etree.fromstring(decompress(b64decode(query["SAMLRequest"]), -15))
    assert left.url.startswith("https://idp.example.com/sso?")
    assert query["RelayState"] == "a-state"
    assert query["SigAlg"].endswith("rsa-sha256")
    assert query["Signature"]
    assert request.get("ID") == left.private["request"]
    assert request.get("AssertionConsumerServiceURL") == CALLBACK
    assert of(request, "./a:Issuer").text == OURS
    assert "request" not in query


def test_our_metadata_says_where_answers_go_and_what_we_sign_with() -> None:
    root = etree.fromstring(signing().description(CALLBACK))

    assert root.get("entityID") == OURS
    assert CALLBACK in etree.tostring(root).decode()
    body = "".join(keys("ours")[1].splitlines()[1:-1])
    assert body in "".join(etree.tostring(root).decode().split())
    assert "PRIVATE" not in etree.tostring(root).decode()


def test_metadata_that_cannot_be_used_is_said_to_the_log() -> None:
    with pytest.raises(SignInError, match="Company cannot be asked right now") as error:
        asyncio.run(signing(metadata="<x/>").depart("s", CALLBACK, time.time()))
    assert "no such identity provider" in error.value.detail


class Fetching:
    """Answers with metadata, or with nothing."""

    def __init__(self) -> None:
        self.asked = 0
        self.text: str | None = None

    async def get(self, url: str, *_: Any, named: tuple[str, ...], limit: int) -> Fetched:
        assert (url, named) == (METADATA, (METADATA,))
        self.asked += 1
        if self.text is None:
            raise FetchError("idp.example.com cannot be reached")
        return Fetched(200, {}, self.text.encode())


METADATA = "https://idp.example.com/metadata"


def test_metadata_of_a_url_is_kept_for_an_hour_and_a_failure_for_seconds() -> None:
    async def story() -> None:
        body = "".join(keys("idp")[1].splitlines()[1:-1])
        pin = sha256(b64decode(body)).hexdigest()
        provider = SamlProvider(
            name="company", label="Company", terms=Terms(), metadata_url=METADATA, pins=(pin,)
        )
        fetching = Fetching()
        ours = SamlSignIn(provider, fetching, Seen().first, *keys("ours"))  # type: ignore[arg-type]
        for now, asked in ((1000.0, 1), (1004.0, 1), (1005.0, 2)):
            with pytest.raises(SignInError) as error:
                await ours.depart("s", CALLBACK, now)
            assert error.value.detail == "idp.example.com cannot be reached"
            assert fetching.asked == asked

        fetching.text = metadata()
        for now, asked in ((1010.0, 3), (4609.0, 3), (4610.0, 4)):
            assert await ours.depart("s", CALLBACK, now)
            assert fetching.asked == asked

    asyncio.run(story())


def test_the_signature_of_a_request_is_our_certificates() -> None:
    left = asyncio.run(signing().depart("a-state", CALLBACK, time.time()))

    parts = dict(each.split("=", 1) for each in urlsplit(left.url).query.split("&"))
    text = "&".join(f"{name}={parts[name]}" for name in ("SAMLRequest", "RelayState", "SigAlg"))
    raw = b64decode(unquote(parts["Signature"]))
    key = load_pem_x509_certificate(keys("ours")[1].encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(raw, text.encode(), PKCS1v15(), SHA256())
