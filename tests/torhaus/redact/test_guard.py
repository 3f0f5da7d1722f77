import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from tests.torhaus.redact.samples import GITHUB, JWT
from torhaus.redact.guard import KIND, PERSONAL, SHAPES, WITHHELD, Guard
from torhaus.redact.text import UncheckableError

SECRET = "alice-secret-key-abc123"
GUARD = Guard([SECRET, "83746501928", 'quo"te\\d-pass'])
MASK = f"[redacted:{KIND}]"


def seen(value: Any) -> Any:
    return msgspec.json.decode(GUARD.json(msgspec.json.encode(value)))


def test_clean_text_is_the_very_same_object():
    raw, text = b'{"repo":"myorg/myrepo"}', "developer may read"

    assert GUARD.json(raw) is raw
    assert GUARD.text(text) is text


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"a": SECRET}, {"a": MASK}),
        ({"a": {"b": [1, [SECRET]]}}, {"a": {"b": [1, [MASK]]}}),
        ({SECRET: 1}, {MASK: 0}),  # the name tells of a secret
        ({"a": 83746501928}, {"a": 0}),
        ({"a": f"x{SECRET}y"}, {"a": f"x{MASK}y"}),
        ({"a": 'quo"te\\d-pass'}, {"a": MASK}),
        ({"a": json.dumps({"b": SECRET})}, {"a": json.dumps({"b": MASK})}),
        ({"a": GITHUB}, {"a": "[redacted:github-token]"}),
        ({JWT: 1}, {"[redacted:jwt]": 1}),
    ],
)
def test_secrets_are_masked_wherever_they_stand(value: Any, masked: Any):
    assert seen(value) == masked


def test_escapes_hide_nothing():
    spelled = "".join(f"\\u{ord(each):04x}" for each in SECRET)

    assert SECRET not in json.loads(GUARD.json(f'{{"a":"{spelled}"}}'.encode()))["a"]
    assert json.loads(GUARD.json(b'{"a":"' + GITHUB.replace("_", "\\u005f").encode() + b'"}')) == {
        "a": "[redacted:github-token]"
    }


def test_base64_of_a_secret_is_masked():
    inside = b64encode(f"alice:{SECRET}".encode()).decode()

    assert MASK in seen({"a": inside})["a"]
    assert MASK in GUARD.text(f"Basic {inside}") or "[redacted:" in GUARD.text(f"Basic {inside}")


def test_a_mask_of_the_audit_log_is_not_masked_again():
    assert seen({"password": "•••", "a": SECRET}) == {"password": "•••", "a": MASK}


def test_it_looks_for_what_it_was_told_last_and_the_time_before():
    guard = Guard(["first-secret-1"])
    before = guard.sight
    guard.renew(["second-secret-2"])

    assert guard.text("first-secret-1 second-secret-2") == f"{MASK} {MASK}"
    assert guard.sight is not before

    guard.renew(["third-secret-3"])

    assert guard.text("first-secret-1 second-secret-2") == f"first-secret-1 {MASK}"


def test_a_key_is_looked_for_for_good():
    guard, key = Guard(), bytes(range(100, 132))
    guard.keep(key)
    guard.renew(["a-secret-of-12"])
    guard.renew([])

    assert guard.text(f"key {key.hex()}") == f"key {MASK}"


def test_what_cannot_be_checked_is_withheld():
    with pytest.raises(UncheckableError):
        GUARD.json(f'{{"a":"{SECRET}"'.encode())
    nested = b"[" * 100_000 + f'"{SECRET}"'.encode() + b"]" * 100_000
    with pytest.raises(UncheckableError):
        GUARD.json(nested)
    assert WITHHELD.startswith("[redacted:")


def test_half_a_character_stops_nothing():
    assert GUARD.text(f"\ud800 {SECRET}") == f"\ud800 {MASK}"


def test_many_secrets_are_found_as_one_is():
    many = [f"user-{number:05d}-secret" for number in range(3000)]
    guard = Guard(many)

    assert guard.text(f"a {many[0]} b {many[-1]}") == f"a {MASK} b {MASK}"
    assert not guard.suspects(b'{"repo":"myorg/myrepo"}')


def test_shapes_alone_know_no_secret_of_a_gateway():
    assert SHAPES.text(SECRET) is SECRET
    assert SHAPES.text(GITHUB) == "[redacted:github-token]"


def test_what_is_lent_is_looked_for_beside_the_rest_and_once_more_after_it_changed():
    guard = Guard([SECRET])
    old, new, newer = (f"{name}-token-0123456789abcdef" for name in ("old", "new", "newer"))

    guard.lend("github", [old])
    guard.lend("sentry", [newer])
    guard.lend("github", [new])
    guard.renew([SECRET])

    for each in (SECRET, old, new, newer):
        assert each not in guard.text(f"it said {each}!")


def test_lending_the_same_again_changes_nothing():
    guard = Guard()
    guard.lend("github", ["some-token-0123456789abcdef"])
    sight = guard.sight

    guard.lend("github", ["some-token-0123456789abcdef"])

    assert guard.sight is sight


def test_secrets_of_long_ago_are_forgotten():
    guard = Guard()
    for n in range(40):
        guard.lend("github", [f"rotated-token-{n:020}"])

    assert f"rotated-token-{0:020}" in guard.text(f"rotated-token-{0:020}")
    assert f"rotated-token-{39:020}" not in guard.text(f"rotated-token-{39:020}")


def test_what_is_one_persons_is_looked_for_as_it_is():
    guard = Guard([SECRET])
    guard.lend_personal({"github:alice": ["token-of-alice-0001"]})
    guard.lend_personal({"github:bob": ["token-of-bob-0001"]})
    guard.lend_personal({"github:alice": ["token-of-alice-0002"]})

    said = guard.text(f"token-of-alice-0001, token-of-alice-0002, token-of-bob-0001, {SECRET}")
    assert said == f"{MASK}, {MASK}, {MASK}, {MASK}"
    escaped = b'{"a":"token-of-b\\u006fb-0001"}'
    assert guard.json(escaped) == f'{{"a":"{MASK}"}}'.encode()
    guard.renew(["another-secret-0001"])
    assert guard.text("token-of-bob-0001") == MASK


def test_of_many_people_the_newest_are_looked_for():
    guard = Guard()
    tokens = [f"token-of-person-{number:06}" for number in range(PERSONAL + 10)]
    for number in range(0, len(tokens), 10):
        guard.lend_personal({f"p{number}": tokens[number : number + 10]})

    assert guard.text(tokens[0]) == tokens[0]
    assert guard.text(tokens[10]) == guard.text(tokens[-1]) == MASK


def test_what_several_threads_lend_at_once_is_all_looked_for():
    guard = Guard()
    names = [f"secret-of-thread-{number:04}" for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: guard.lend(name, [name]), names))

    assert [name for name in names if guard.text(name) != MASK] == []
