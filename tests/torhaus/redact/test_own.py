"""A server's own credentials in what it says."""

import json

import pytest

from torhaus.redact.own import Own

TOKEN = "sk-live/AbC+0123456789&x'yz<é>\"q\\"
MASK = "[redacted:gateway-secret]"


def cleaned(text: str, *secrets: str) -> str:
    return Own(secrets).clean(text.encode()).decode()


def escapes(secret: str) -> dict[str, str]:
    """One secret, as writers of JSON spell it."""
    python = json.dumps(secret)[1:-1]
    dotnet = python.replace("+", "\\u002B").replace("&", "\\u0026").replace("<", "\\u003C")
    return {
        "python": python,
        "javascript": json.dumps(secret, ensure_ascii=False)[1:-1],
        "php": python.replace("/", "\\/"),
        "dotnet": dotnet.replace('\\"', "\\u0022").replace("'", "\\u0027"),
    }


@pytest.mark.parametrize("spelling", ["python", "javascript", "php", "dotnet"])
def test_a_credential_is_masked_however_its_json_is_written(spelling):
    said = f'{{"text":"it is {escapes(TOKEN)[spelling]}, really"}}'

    clean = cleaned(said, TOKEN)

    assert json.loads(clean) == {"text": f"it is {MASK}, really"}


@pytest.mark.parametrize("secret", ["pa$$/w0rd", "a\"b'c<d>&+/é1", "12345678"])
def test_a_credential_without_any_long_plain_part_is_found_as_well(secret):
    said = json.dumps({"a": [secret, 7], secret: f"x{secret}y"})

    assert json.loads(cleaned(said, secret)) == {"a": [MASK, 7], MASK: f"x{MASK}y"}


def test_text_without_it_is_the_very_same_object():
    said = b'{"password":"of somebody else","token":"ghp_0123456789abcdefghijABCDEFGHIJ012345"}'

    assert Own([TOKEN]).clean(said) is said


def test_nothing_but_the_credential_is_masked():
    others = {"password": "of somebody else", "token": "ghp_0123456789abcdefghijABCDEFGHIJ0123"}
    said = json.dumps({**others, "own": TOKEN})

    assert json.loads(cleaned(said, TOKEN)) == {**others, "own": MASK}


def test_a_part_of_it_alone_is_no_credential():
    said = '{"a": "0123456789"}'

    assert cleaned(said, TOKEN) == said


def test_json_within_strings_is_masked_and_stays_json():
    inner = json.dumps({"headers": {"authorization": f"Bearer {TOKEN}"}})

    clean = json.loads(cleaned(json.dumps({"text": inner}), TOKEN))

    assert json.loads(clean["text"]) == {"headers": {"authorization": f"Bearer {MASK}"}}


def test_a_number_that_is_the_credential_becomes_zero():
    assert cleaned('{"pin":7123456789012345}', "7123456789012345") == '{"pin":0}'


@pytest.mark.parametrize("around", ["%s", '{"a":NaN,"b":"%s"}', "[" * 9999 + '"%s"'])
def test_what_cannot_be_read_is_masked_octet_by_octet(around):
    clean = cleaned(around % "tok-0123456789abc", "tok-0123456789abc")

    assert clean == around % MASK


def test_short_secrets_and_plain_words_are_not_looked_for():
    assert not Own(["short", "production", "        "])


def test_whoever_wants_to_know_is_told_that_one_was_found():
    told: list[str] = []
    own = Own(["tok-0123456789abc"], lambda: told.append("found"))

    own.clean(b'{"a":"nothing"}')
    assert told == []
    own.clean(b'{"a":"tok-0123456789abc"}')
    assert told == ["found"]
