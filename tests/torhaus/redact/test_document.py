import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from time import thread_time
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.torhaus.redact.samples import (
    AWS,
    CARD,
    GITHUB,
    IBAN,
    JWT,
    MAIL,
    PHONE,
    TOKENS,
    mixed,
    pem,
)
from tests.torhaus.redact.test_text import FRAGMENTS
from torhaus.model.redaction import Pattern
from torhaus.redact.detector import Level
from torhaus.redact.document import MAX_BYTES, Redacted, redact_json
from torhaus.redact.patterns import configured
from torhaus.redact.text import UncheckableError, detectors, redact_text
from torhaus.redact.walk import is_json

BOTH = detectors(Level)
SECRETS = detectors([Level.SECRETS])


def redacted(value: object) -> Any:
    return json.loads(redact_json(json.dumps(value).encode(), BOTH).text)


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_a_result_without_hits_is_the_very_same_bytes() -> None:
    raw = b'{ "content" : [ {"type":"text","text":"12 issues\\nall \\u0041 closed"} ], "n": 1.10 }'

    masked = redact_json(raw, BOTH)

    assert masked.text is raw
    assert masked.counts == {}


def test_everything_but_what_is_masked_keeps_its_bytes() -> None:
    raw = (
        b'{"a" :\t1.10, "b":1e400,"c":12345678901234567890123, "c":null,\n"d":"\\u00e9\\/",'
        b'"e":"%b","f":["%b"]}' % (GITHUB.encode(), b"x")
    )

    masked = redact_json(raw.replace(b"1e400", b"1e40"), BOTH)

    expected = raw.replace(b"1e400", b"1e40").replace(GITHUB.encode(), b"[redacted:github-token]")
    assert masked == Redacted(expected, {"github-token": 1})


PLACES = {
    "text": lambda secret: {"content": [{"type": "text", "text": f"see {secret}."}]},
    "structured": lambda secret: {"structuredContent": {"a": [{"b": {"c": secret}}]}},
    "key": lambda secret: {"structuredContent": {secret: 1}},
    "resource text": lambda secret: {"contents": [{"uri": "a:b", "text": f"{secret}\n"}]},
    "resource blob": lambda secret: {"contents": [{"uri": "a:b", "blob": b64(f"key {secret}")}]},
    "embedded": lambda secret: {
        "content": [{"type": "resource", "resource": {"uri": "a:b", "blob": b64(secret)}}]
    },
    "uri": lambda secret: {"content": [{"type": "resource_link", "uri": f"x://h/?a={secret}"}]},
    "JSON in text": lambda secret: {"text": json.dumps({"a": [secret, 1]})},
    "JSON in JSON in text": lambda secret: {"text": json.dumps({"a": json.dumps([secret])})},
    "JSON string in text": lambda secret: {"text": json.dumps(secret)},
    "escapes": lambda secret: {"text": "ESCAPED" + secret},
    "JSON lines": lambda secret: {"text": f'{{"a":1}}\n{{"b":"{secret}"}}\n'},
    "JSON in base64": lambda secret: {"blob": b64(json.dumps({"k": [secret]}))},
    "url-safe base64": lambda secret: {
        "data": urlsafe_b64encode(f"???>>> {secret}".encode()).decode()
    },
    "meta": lambda secret: {"_meta": {"x/y": secret}, "content": []},
    "markdown": lambda secret: {"text": f"| a |\n|---|\n| `{secret}` |"},
    "error": lambda secret: {"code": -32000, "message": f"401 for {secret}", "data": {"t": secret}},
    "telling name": lambda secret: {"password": secret},
    "list under a telling name": lambda secret: {"tokens_list": 1, "secrets": [secret, secret]},
    "object under a telling name": lambda secret: {"credentials": {"a": {"b": secret}}},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "canary", [GITHUB, JWT, MAIL, CARD, IBAN, PHONE, pem()], ids=lambda canary: canary[:6]
)
def test_a_canary_is_found_in_every_place(place: str, canary: str) -> None:
    document = PLACES[place](canary)
    raw = json.dumps(document).replace("ESCAPED", "")
    if place == "escapes":
        raw = raw.replace(canary[0], f"\\u{ord(canary[0]):04x}").replace("/", "\\/")
        raw = raw.replace("\\u0074ex\\u0074", "text").replace("\\u0065x", "ex")

    masked = redact_json(raw.encode(), BOTH)

    after = json.loads(masked.text)
    assert canary[-12:] not in spelled_out(after)
    assert sum(masked.counts.values()) >= 1
    assert shape(after) == shape(json.loads(raw))


def spelled_out(value: Any) -> str:
    """All text in it, base64 and JSON in strings decoded."""
    if isinstance(value, dict):
        return " ".join(spelled_out(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return " ".join(map(spelled_out, value))
    if not isinstance(value, str):
        return str(value)
    inside = [value]
    for read in (json.loads, lambda text: b64decode(text, altchars=b"-_").decode()):
        try:
            inner = read(value)
        except ValueError:
            continue
        inside.append(spelled_out(inner) if inner != value else "")
    return " ".join(inside)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return [shape(each) for each in value.values()]
    if isinstance(value, list):
        return [shape(each) for each in value]
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def test_values_of_any_type_under_telling_names_are_masked_in_their_type() -> None:
    masked = redacted(
        {
            "password": "x",
            "api_key": 123456,
            "secret": [1, "b", None, True, {"c": 1.5}],
            "token": "",
            "phone": 301234567,
            "mobile": "on",
            "credit_card": int(CARD),
        }
    )

    assert masked == {
        "password": "[redacted:password]",
        "api_key": 0,
        "secret": [0, "[redacted:secret]", None, True, {"c": 0}],
        "token": "",
        "phone": 0,
        "mobile": "on",
        "credit_card": 0,
    }


def test_tokens_are_amounts_as_numbers_and_secrets_as_strings() -> None:
    usage = {"tokens": 12, "usage": {"tokens": {"input": 5, "output": 7}}}

    assert redacted(usage) == usage
    assert redacted({"tokens": ["abc"]}) == {"tokens": ["[redacted:secret]"]}


def test_a_value_is_masked_by_the_name_beside_it() -> None:
    variables = [
        {"name": "API_TOKEN", "value": "abc"},
        {"Name": "Authorization", "Value": "Bearer x"},
        {"key": "REGION", "value": "eu"},
        {"name": "token_type", "value": "bearer"},
    ]

    values = [list(each.values())[1] for each in redacted(variables)]

    assert values == ["[redacted:secret]", "[redacted:secret]", "eu", "bearer"]


def test_the_content_of_a_file_is_looked_into() -> None:
    file = {"encoding": "base64", "content": "\n".join(wrapped(b64(f"KEY = {GITHUB}\n" * 3)))}

    content = redacted(file)["content"]

    assert b64decode(content) == b"KEY = [redacted:github-token]\n" * 3
    assert redacted({"content": "a plain text"}) == {"content": "a plain text"}


def wrapped(text: str) -> list[str]:
    return [text[at : at + 60] for at in range(0, len(text), 60)]


def test_what_could_be_base64_is_read_as_text_too() -> None:
    assert redacted({"data": AWS}) == {"data": "[redacted:aws-key]"}


def test_a_card_is_masked_as_a_number_too() -> None:
    assert redacted({"n": int(CARD), "m": int(CARD) + 1}) == {"n": 0, "m": int(CARD) + 1}


def test_a_schema_of_a_password_stays() -> None:
    schema = {"properties": {"password": {"type": "string", "minLength": 8}}}

    assert redacted(schema) == schema


def test_personal_data_stays_where_only_secrets_are_looked_for() -> None:
    raw = json.dumps({"assignee": MAIL, "phone": 301234567, "card": CARD}).encode()

    assert redact_json(raw, SECRETS).text is raw


def test_keys_that_become_the_same_mask_stay_different() -> None:
    masked = redacted({GITHUB: 1, "gh" + "o_" + mixed(36): 2, "a": 3})

    assert masked == {"[redacted:github-token]": 1, "[redacted:github-token] 2": 2, "a": 3}


def test_a_key_that_stands_twice_hides_nothing() -> None:
    raw = b'{"text":"%b","text":"harmless"}' % GITHUB.encode()

    assert GITHUB.encode() not in redact_json(raw, BOTH).text


def test_telling_names_are_read_through_escapes_and_white_space() -> None:
    raw = b'{"\\u0070assword" : "x", "pass_\\u0077ord"\n:\t"y", "c\\u006fokie"\r\n:"z"}'

    assert list(json.loads(redact_json(raw, BOTH).text).values()) == [
        "[redacted:password]",
        "[redacted:password]",
        "[redacted:cookie]",
    ]


def test_pictures_and_sounds_stay() -> None:
    picture = b64encode(bytes(range(256)) * 400).decode()
    raw = json.dumps(
        {"content": [{"type": "image", "data": picture, "mimeType": "image/png"}]}
    ).encode()

    assert redact_json(raw, BOTH).text is raw


def test_base64_that_is_a_text_without_hits_stays() -> None:
    raw = json.dumps({"blob": b64("nothing to see"), "data": "!!! no base64"}).encode()

    assert redact_json(raw, BOTH).text is raw


def test_what_is_configured_is_found_in_documents() -> None:
    among = detectors(Level, configured([Pattern("customer", r"CUST-\d{6}")]))

    masked = redact_json(b'{"a":"x CUST-123456"}', among)

    assert masked == Redacted(b'{"a":"x [redacted:customer]"}', {"customer": 1})


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff",
        b'{"password":"\xff"}',
        b'{"password":"x"',
        b'{"password":tru}',
        b'{"password":"x"}}',
        b'{"password":"\\ud800"' + b" " * MAX_BYTES + b"}",
        b'{"password":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"password":"x","b":"' + b"\\ud83d" + b'"}x',
    ],
    ids=range(8),
)
def test_what_cannot_be_checked_is_not_passed_on(raw: bytes) -> None:
    with pytest.raises(UncheckableError):
        redact_json(raw, BOTH)


def test_half_a_character_beside_a_secret_is_written_as_it_came() -> None:
    raw = b'{"a":"\\ud83d %b"}' % GITHUB.encode()

    masked = redact_json(raw, BOTH)

    assert masked.text == b'{"a":"\\ud83d [redacted:github-token]"}'


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        [*(each for samples in TOKENS.values() for each in samples), MAIL, CARD, IBAN, PHONE, pem()]
    ),
)
NAMES = st.one_of(
    st.text(max_size=8), st.sampled_from(["password", "token", "data", "blob", "phone", GITHUB])
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(NAMES, inner, max_size=4),
        inner.map(json.dumps),
        inner.map(lambda value: {"blob": b64(json.dumps(value))}),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]))
def test_any_document_stays_json_of_the_same_shape_and_is_masked_once(
    document: Any, ascii_only: bool, indent: int | None
) -> None:
    raw = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()

    masked = redact_json(raw, BOTH)

    assert shape(json.loads(masked.text)) == shape(document)
    assert bool(masked.counts) == (masked.text != raw)
    assert redact_json(masked.text, BOTH).text is masked.text


@pytest.mark.parametrize("token", [each for samples in TOKENS.values() for each in samples])
def test_a_backslash_before_a_token_hides_nothing(token: str) -> None:
    path = f"C:\\{token}"

    assert token[-12:] not in json.dumps(redacted({"a": path, "b": json.dumps({"c": path})}))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=6)), max_size=10).map("".join))
def test_a_text_is_masked_in_a_document_as_it_is_alone(text: str) -> None:
    assume(not is_json(text))

    alone = redact_text(text, BOTH).text

    assert redacted([text]) == [alone]
    assert json.loads(redacted([json.dumps({"a": text})])[0]) == {"a": alone}


def issues(size: int) -> bytes:
    items: list[dict[str, Any]] = []
    one = {
        "title": "The list of issues is slow when many are open",
        "html_url": "https://github.com/myorg/api/issues/1",
        "user": {"login": "octo-cat", "id": 583231},
        "labels": [{"name": "bug", "color": "d73a4a"}],
        "created_at": "2025-10-20T14:23:11Z",
        "sha": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "body": "It takes 12.5 s.\n\n- fixed in 1.2.3 and 10.0.1\n\nThanks, @octo-cat! " * 5,
    }
    while len(items) * 700 < size:
        items.append({**one, "id": 1_000_000_000 + len(items), "number": len(items)})
    text = json.dumps(items, separators=(",", ":"))
    return json.dumps({"content": [{"type": "text", "text": text}]}).encode()


def test_a_long_result_without_hits_costs_little() -> None:
    raw = issues(100_000)
    times = []
    for _ in range(20):
        started = thread_time()
        assert redact_json(raw, BOTH).text is raw
        times.append(thread_time() - started)

    assert min(times) < 0.012  # 3 ms on an idle machine


@pytest.mark.parametrize(
    "part", ['{"password":"a"},', '"a@b.io",', "[],", '"\\\\\\"",', '{"\\u0061":1},', '{"a":"{}"},']
)
def test_the_work_grows_with_the_length_and_not_with_its_square(part: str) -> None:
    def seconds(size: int) -> float:
        raw = f"[{part * (size // len(part))}0]".encode()
        started = thread_time()
        redact_json(raw, BOTH)
        return thread_time() - started

    # Against itself, for a processor that others use is slower: 16 times the length.
    little = min(seconds(16 * 1024) for _ in range(3))

    assert seconds(256 * 1024) < 40 * little + 0.1
