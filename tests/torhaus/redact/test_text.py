import re
from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torhaus.redact.samples import CARD, GITHUB, IBAN, JWT, MAIL, TOKENS, mixed, pem, token
from torhaus.model.redaction import Pattern
from torhaus.redact.detector import Level
from torhaus.redact.patterns import configured
from torhaus.redact.text import UncheckableError, detectors, found, redact_text

BOTH = detectors(Level)
MIB = 1024 * 1024


def test_a_text_without_hits_is_the_very_same() -> None:
    text = "nothing to see, 12 of 13 issues are closed"

    assert redact_text(text, BOTH).text is text
    assert not found(text, BOTH.rows)


def test_the_mask_shows_the_kind_and_nothing_of_the_secret() -> None:
    masked = redact_text(f"use {GITHUB} and write to {MAIL}", BOTH)

    assert masked.text == "use [redacted:github-token] and write to [redacted:email]"
    assert masked.counts == {"github-token": 1, "email": 1}
    assert found(GITHUB, BOTH.rows)


def test_finds_that_overlap_become_one_mask() -> None:
    masked = redact_text(f"https://user:{GITHUB}@example.org/ password={JWT}", BOTH)

    assert GITHUB[-8:] not in masked.text
    assert JWT[-8:] not in masked.text
    assert sum(masked.counts.values()) == masked.text.count("[redacted:")


def test_a_secret_inside_of_something_like_a_mask_is_masked() -> None:
    masked = redact_text(f"[redacted:{GITHUB}] [redacted:email]{MAIL}", BOTH)

    assert masked.text == "[redacted:[redacted:github-token]] [redacted:email][redacted:email]"


def test_what_is_configured_is_masked_under_its_name() -> None:
    more = configured([Pattern("customer", r"CUST-\d{6}")])

    masked = redact_text("see CUST-123456", detectors([Level.SECRETS], more))

    assert masked.text == "see [redacted:customer]"
    assert masked.counts == {"customer": 1}


def test_a_pattern_that_finds_its_own_mask_comes_to_an_end() -> None:
    more = configured([Pattern("x", "redacted|[a-z]{3}")])

    assert redact_text("abc abc", detectors([], more)).text == "[redacted:x] [redacted:x]"


def test_a_text_that_changes_for_ever_is_not_passed_on() -> None:
    more = configured([Pattern("x", "abc")])
    endless = detectors([], (_growing(more[0]),))

    with pytest.raises(UncheckableError):
        redact_text("abc", endless)


def _growing(detector):
    from torhaus.redact.detector import Detector, Span  # noqa: PLC0415

    return Detector(detector.kinds, detector.level, detector.gate, lambda text: [Span(0, 0, "x")])


FRAGMENTS = st.sampled_from(
    [
        *(sample for samples in TOKENS.values() for sample in samples),
        *(GITHUB, MAIL, CARD, IBAN, JWT, pem(), pem(end=False), "[redacted:email]"),
        *("password=", "token: ", "Authorization: Bearer ", "://a:", "@", "@b.co", "+49", " 30 "),
        *("\\n", "\n", " ", "=", ":", '"', "'", "a1", "0171", "[redacted:", "]", "-----", "é"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=6)), max_size=12).map("".join))
def test_masking_again_changes_nothing(text: str) -> None:
    masked = redact_text(text, BOTH)

    assert redact_text(masked.text, BOTH).text is masked.text
    assert bool(masked.counts) == (masked.text != text)


def repeated(part: str) -> str:
    return part * (MIB // len(part))


BEGIN = token("-----BEGIN PRIV", "ATE KEY-----")
HOSTILE = [
    "a", "@", "1", "-", "+1", "1 ", "eyJ", "eyJ.", "a.eyJ", "a@", "a@b.c", "@a.", "://", "://a:",
    BEGIN, BEGIN + "\n", "-----BEGIN ", "password=", "token", "token: ", "sk-", "xoxb-", "0171 ",
    "DE89 ", "4111 ", "4111-1111-1111-1112 ", "Bearer ", "\\n", "\\", "%40a.", "cookie: ",
    "a" * 63 + ".", "authorization:", "Private-Lines: 1\n", "[redacted:", '{"', "key=", "0 ",
    "ghp_", "A", "(((1", "é", "password: x1y2z3 ", "\n  password: x1y2z3",
]  # fmt: skip


@pytest.mark.parametrize("part", HOSTILE, ids=[repr(each[:24]) for each in HOSTILE])
def test_no_text_of_a_mebibyte_takes_long(part: str) -> None:
    text = repeated(part)

    started = thread_time()
    redact_text(text, BOTH)

    # The slowest takes most of a second, and half as much again beside a busy neighbour.
    assert thread_time() - started < 2.0


def test_keys_without_an_end_are_masked_in_time() -> None:
    text = (BEGIN + "\n" + mixed(64) + "\n") * 10_000

    started = thread_time()
    masked = redact_text(text, BOTH)

    assert thread_time() - started < 1.0
    assert masked.counts == {"private-key": 10_000}
    assert re.fullmatch(r"(?:\[redacted:private-key\]\n?)+", masked.text)
