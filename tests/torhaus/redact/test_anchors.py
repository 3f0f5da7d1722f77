import json

import pytest

from tests.torhaus.redact.samples import TOKENS, mixed, pem, token
from torhaus.redact.anchors import HARD, SOFT, cases
from torhaus.redact.detector import Level
from torhaus.redact.guard import SHAPES
from torhaus.redact.text import detectors, redact_text

SECRETS = detectors([Level.SECRETS])
KEY = mixed(24)
OTHERS = [
    pem(),
    pem("RSA "),
    pem(end=False),
    f"Authorization: {KEY}",
    f"authorization={KEY}",
    f"AUTHORIZATION: Bearer {KEY}",
    f"bearer {KEY}",
    f"Basic {KEY}",
    "Cookie: session=abcdef; other=1",
    "set-cookie: a=b12345",
    "https://alice:hunter2@example.org/x",
    f"https://{mixed(20)}@example.org",
    "https://0f1e2d3c4b5a69788796a5b4c3d2e1f0@sentry.example/1",
    "curl -u alice:hunter2 https://example.org",
    "DB_PASSWORD=hunter2",
    "--password hunter2",
    f"--x-api-key {KEY}",
    f"--apikey '{KEY}'",
    f"api_key: {KEY}",
    f'"token": "{KEY}"',
    f"client_secret := {KEY}",
    "pwd=hunter2go",
    f"credential => '{KEY}'",
    f"PassPhrase: {KEY}",
]
EVERY = [*OTHERS, *(each for some in TOKENS.values() for each in some)]


@pytest.mark.parametrize("number", range(len(EVERY)))
@pytest.mark.parametrize(
    "written", ["{}", "text before {} and after", "a\n{}\tb", "({})", "x%0A{}", "ä{}"]
)
def test_whatever_a_detector_finds_has_an_anchor(number: int, written: str):
    text = written.replace("{}", EVERY[number])
    raw = json.dumps({"said": text}, ensure_ascii=False).encode()

    assert redact_text(text, SECRETS).counts == {} or SHAPES.suspects(raw)
    assert redact_text(text, SECRETS).counts == {} or SHAPES.text(text) is not text


@pytest.mark.parametrize(
    "payload",
    [
        b'{"repo":"myorg/myrepo","state":"open","labels":["bug"]}',
        b'{"issue_key":"ABC-123","key":"value","page_token":null,"max_tokens":100}',
        b'{"url":"https://github.com/myorg/myrepo/issues/12","task":"disk-full-on-task-12"}',
        b'{"body":"A basic example of what a bearer of news may say, with keys and tokens."}',
        b'{"email":"alice@example.org","at":"2025-10-20T14:23:11Z"}',
    ],
)
def test_ordinary_arguments_need_no_closer_look(payload: bytes):
    assert not SHAPES.suspects(payload)


def test_anchors_are_few_and_long_enough_to_be_rare():
    assert all(len(each) >= 2 for each in HARD)
    assert len(HARD) + len(SOFT) < 1500
    assert len(set(HARD)) == len(HARD)


def test_a_word_has_every_mixture_of_cases():
    assert set(cases("a-b")) == {"a-b", "A-b", "a-B", "A-B"}
    assert token("a", "b") == "ab"
