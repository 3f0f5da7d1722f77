import hashlib
from typing import Any

import msgspec
import pytest

from torhaus.audit.parameters import MAX_BYTES, parameters


def seen(payload: bytes) -> Any:
    return msgspec.json.decode(parameters(payload))


def test_arguments_are_spliced_in_as_they_are():
    payload = b'{"repo": "myorg/myrepo","n":123456789012345678901234567890,"f":1.10}'

    assert bytes(parameters(payload)) == payload


def test_no_arguments_are_an_empty_object():
    assert bytes(parameters(b"")) == b"{}"


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Password",
        "db_passwd",
        "client_secret",
        "token",
        "accessToken",
        "GITHUB_TOKEN",
        "api_key",
        "API-Key",
        "apikey",
        "X-Api-Key",
        "api key",
        "authorization",
        "private_key",
        "credentials",
    ],
)
@pytest.mark.parametrize("value", ["hunter2", 123456, ["hunter2"], {"a": "hunter2"}])
def test_values_named_like_secrets_are_masked(key: str, value: object):
    payload = msgspec.json.encode({"deep": [{"er": {key: value, "other": 1}}]})

    assert seen(payload) == {"deep": [{"er": {key: "•••", "other": 1}}]}


def test_a_key_spelled_with_escapes_is_masked():
    assert seen(rb'{"\u0070\u0061\u0073\u0073\u0077ord":"hunter2"}') == {"password": "•••"}


@pytest.mark.parametrize(
    "payload",
    [
        b'{"max_tokens":100,"tokens":3.5}',
        b'{"token":null,"secret":false}',
        b'{"key":"value","keyboard":"de","author":"alice","passed":true}',
        b'{"text":"my password is a token"}',
    ],
)
def test_what_only_looks_like_a_secret_stays(payload: bytes):
    assert seen(payload) == msgspec.json.decode(payload)


def test_numbers_survive_masking_exactly():
    payload = b'{"token":"t","n":123456789012345678901234567890}'

    assert seen(payload)["n"] == 123456789012345678901234567890


def test_long_arguments_are_recorded_by_digest():
    payload = b'{"a":"%s"}' % (b"x" * MAX_BYTES)

    assert seen(payload) == {
        "_truncated": True,
        "bytes": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
    }


def test_arguments_of_just_the_allowed_length_are_kept():
    payload = b'{"a":"%s"}' % (b"x" * (MAX_BYTES - 8))

    assert bytes(parameters(payload)) == payload


def test_deep_arguments_are_recorded_by_digest():
    payload = b'{"a":%s%s}' % (b"[" * 101, b"]" * 101)

    assert seen(payload)["_truncated"] is True


def test_broad_arguments_are_kept():
    payload = b'{"a":[%s]}' % b",".join([b"[]"] * 500)

    assert bytes(parameters(payload)) == payload


@pytest.mark.parametrize(
    "payload", [b"{", b"\xff", b'{"a":"\xff"}', b"NaN", b'{"a":1}{}', b"[" * 9000, b'"\\ud800"']
)
def test_what_is_not_json_is_recorded_by_digest(payload: bytes):
    assert seen(payload) == {
        "_invalid": True,
        "bytes": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
    }


def test_line_breaks_between_tokens_go():
    assert bytes(parameters(b'{\r\n "a": "b\\nc"\n}')) == b'{"a":"b\\nc"}'


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"name": "API_TOKEN", "value": "x1"}, {"name": "API_TOKEN", "value": "•••"}),
        ({"Key": "Authorization", "Value": "x1"}, {"Key": "Authorization", "Value": "•••"}),
        ({"header": "Cookie", "values": ["x1"]}, {"header": "Cookie", "values": "•••"}),
        ([["X-Api-Key", "x1"], ["Accept", "y"]], [["X-Api-Key", "•••"], ["Accept", "y"]]),
        ({"name": "state", "value": "token"}, {"name": "state", "value": "token"}),
        ({"name": "t" * 90 + "token", "value": 1}, {"name": "t" * 90 + "token", "value": 1}),
        (["token", ["a"]], ["token", ["a"]]),
        (["sql", "--password", "x1", "db"], ["sql", "--password", "•••", "db"]),
        (["run", "-token", "x1", "--api-key", "x2"], ["run", "-token", "•••", "--api-key", "•••"]),
        (["run", "--token", "--verbose", "x"], ["run", "--token", "--verbose", "x"]),
        (["run", "--password=x1", "db", 1], ["run", "--password=x1", "db", 1]),
        (["run", "--max-tokens", "100"], ["run", "--max-tokens", "100"]),
        (["my password", "is", "a token"], ["my password", "is", "a token"]),
    ],
)
def test_a_value_beside_a_name_that_tells_of_a_secret_is_masked(value: Any, masked: Any):
    payload = msgspec.json.encode({"deep": [{"er": value}]})

    assert seen(payload) == {"deep": [{"er": masked}]}


@pytest.mark.parametrize("key", ["pAsSwOrD", "ACCESS_token", "ApIkEy", "Set-COOKIE", "cReDeNtIaLs"])
def test_the_case_of_a_name_makes_no_difference(key: str):
    assert seen(msgspec.json.encode({key: "x"})) == {key: "•••"}
