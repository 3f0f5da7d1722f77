"""Assertions of identity (ID-JAG) that are none, at the token endpoint of a running gateway."""

import json
import time
from typing import Any

import pytest

from tests.stories.idp import Idp
from tests.stories.somebody import AGENT, AGENT_SECRET, Place
from tests.stories.ways import place as opened
from tests.torhaus.identity.tokens import Signer, b64, hmac_with_public_key, unsigned
from torhaus.identity.oauth.idjag import TYPE

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
BOB = "bob-of-idp@example.com"
HUGE = "k" * 30_000

FUTURE = 4102444800
"""2100. A time of today would name the tests otherwise in each process."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with opened(tmp_path_factory.mktemp("forged") / "town", 1) as found:
        found.idp.sign_in(found.town.port, BOB, "makers")
        yield found


def claims(at: Place, **changed: Any) -> dict[str, Any]:
    idp, origin, now = at.idp, at.agent.origin, time.time()
    idp.number += 1
    said = {
        "iss": idp.issuer,
        "aud": origin,
        "sub": BOB,
        "client_id": AGENT,
        "scope": "mcp",
        "resource": f"{origin}/mcp/scripted",
        "iat": now - 1,
        "exp": now + 60,
        "jti": f"forged{idp.number}",
        **changed,
    }
    return {name: value for name, value in said.items() if value is not None}


def brought(at: Place, token: str) -> tuple[int, dict[str, Any]]:
    return at.agent.token(grant_type=GRANT, assertion=token, client_secret=AGENT_SECRET)


def test_a_true_one_gives_a_token_once(place: Place) -> None:
    token = place.idp.signer.sign(claims(place), typ=TYPE)

    assert brought(place, token)[0] == 200
    assert brought(place, token)[0] == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "http://127.0.0.1:9/other"},
        {"iss": None},
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"aud": []},
        {"aud": "torhaus"},
        {"client_id": "another"},
        {"client_id": None},
        {"sub": "nobody@example.com"},
        {"sub": ""},
        {"sub": f"{BOB}\0"},
        {"sub": BOB.upper()},
        {"sub": 7},
        {"jti": None},
        {"jti": ""},
        {"jti": "j" * 300},
        {"resource": None},
        {"resource": "https://elsewhere.example/mcp/scripted"},
        {"resource": "/mcp/scripted"},
        {"resource": "javascript:alert(1)"},
        {"exp": 1},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 1e300},
        {"iat": FUTURE},
        {"iat": None},
        {"nbf": FUTURE},
    ],
    ids=lambda each: json.dumps(each)[:40],
)
def test_every_word_of_it_counts(place: Place, changed: dict[str, Any]) -> None:
    status, told = brought(place, place.idp.signer.sign(claims(place, **changed), typ=TYPE))

    assert (status, set(told)) == (400, {"error", "error_description"})


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "logout+jwt", "dpop+jwt", "", None, TYPE.upper()])
def test_tokens_of_other_kinds_are_no_assertions(place: Place, typ: str | None) -> None:
    status, told = brought(place, place.idp.signer.sign(claims(place), typ=typ))

    assert (status, told["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "k1' OR '1'='1"},
        {"kid": "k1\0"},
        {"kid": HUGE},
        {"kid": ["k1"]},
        {"kid": {"k": 1}},
        {"kid": 1},
        {"crit": ["exp"]},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES512"},
        {"alg": ["ES256"]},
        {"alg": None},
    ],
    ids=lambda each: json.dumps(each)[:40],
)
def test_no_header_finds_another_key(place: Place, header: dict[str, Any]) -> None:
    status, told = brought(place, place.idp.signer.sign(claims(place), typ=TYPE, **header))

    assert (status, told["error"]) == (400, "invalid_grant")


def test_keys_that_it_brings_along_or_points_at_are_not_believed(place: Place) -> None:
    evil = Signer(kid="evil")
    with Idp(signer=evil) as theirs:
        for kid in ("evil", "k1", None):
            forged = {"kid": kid, "jwk": evil.public(), "typ": TYPE}
            forged |= {"jku": f"{theirs.issuer}/keys", "x5u": f"{theirs.issuer}/keys"}
            status, told = brought(place, evil.sign(claims(place), **forged))

            assert (status, told["error"]) == (400, "invalid_grant")


def test_what_nobody_signed_is_nobodys(place: Place) -> None:
    true = place.idp.signer.sign(claims(place), typ=TYPE)
    head, body, signature = true.split(".")
    deep = b64(b'{"a":' * 4_000 + b"1" + b"}" * 4_000)
    twice = b64(json.dumps(claims(place)).encode()[:-1] + b',"sub":"x","sub":"y"}')
    for token in (
        unsigned(claims(place)),
        unsigned(claims(place), "NONE"),
        hmac_with_public_key(claims(place), place.idp.signer),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{signature}.{signature}",
        f"{head}.{body}.{'A' * len(signature)}",
        f"{head}.{body}.{signature}=",
        f"{head}.{deep}.{signature}",
        f"{deep}.{body}.{signature}",
        f"{head}.{twice}.{signature}",
        f"{head}.{b64(bytes(range(256)))}.{signature}",
        f" {true}",
        "x" * 60_000,
        "..",
        "",
        "\0",
    ):
        status, told = brought(place, token)

        assert (status, told["error"] in ("invalid_grant", "invalid_request")) == (400, True)

    assert brought(place, "x" * 70_000)[0] == 413


def test_nothing_of_it_reaches_the_log(place: Place) -> None:
    token = place.idp.signer.sign(claims(place), typ=TYPE)
    assert brought(place, token)[0] == 200

    said = place.town.output()
    assert token.split(".")[2] not in said
    assert "Traceback" not in said
    assert AGENT_SECRET not in said
