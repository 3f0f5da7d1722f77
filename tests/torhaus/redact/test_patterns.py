from time import thread_time

import pytest

from torhaus.model.redaction import Pattern
from torhaus.redact.detector import Level
from torhaus.redact.patterns import MAX_PATTERNS, checked, configured
from torhaus.redact.text import detectors, redact_text


def masked(text: str, pattern: str) -> str:
    return redact_text(text, detectors([], configured([Pattern("x", pattern)]))).text


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"CUST-\d{6}", "a CUST-123456 b", "a [redacted:x] b"),
        (r"\bEMP\d+\b", "EMP12 EMP12a", "[redacted:x] EMP12a"),
        (r"(?i)project[ -](?:apollo|artemis)", "Project-Apollo!", "[redacted:x]!"),
        (r"[\w.]+@corp\.example", "x alice.a@corp.example y", "x [redacted:x] y"),
        (r"[A-Z]{2}\d{2}(?:-\d{4}){2,3}", "AB12-1234-1234-1234", "[redacted:x]"),
        (r"(?:K|KD|KDNR)-?\d{5}", "KDNR12345 KD-12345", "[redacted:x] [redacted:x]"),
        (r"[^\s,;]{4}-intern", "abcd-intern", "[redacted:x]"),
        (r"host\d*\.intern", "host.intern host12.intern", "[redacted:x] [redacted:x]"),
        (r"^SECRET$", "SECRET", "[redacted:x]"),
        (r"\[x\]\(\d\)", "[x](1)", "[redacted:x]"),
        (r"[]a]bc", "]bc", "[redacted:x]"),
        (r"größe[äöü]", "größeä", "[redacted:x]"),
    ],
)
def test_what_a_pattern_matches_is_masked(pattern: str, text: str, expected: str) -> None:
    assert masked(text, pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("", "fewer than 3"),
        ("ab", "fewer than 3"),
        ("a*", "fewer than 3"),
        ("abc|", "fewer than 3"),
        ("(a+)+b123", "at most 256"),
        ("(?:a|a)*bcd", "slow"),
        ("(?:a|ab)+ccc", "slow"),
        ("(?:a?b?){2}ccc", "slow"),
        (r"(?:\d+-?){2}x12", "slow"),
        (r".*secret", "slow"),
        (r"\w+\d{3}", "slow"),
        (r"\d+\d+abc", "slow"),
        ("(?:a|b|ab)(?:a|b|ab)(?:a|b|ab)(?:a|b|ab)xyz", "slow"),
        ("(?:abc|a)?bcd", "slow"),
        (r"(?:\w+\.)+x12", "at most 256"),
        ("(?:abc){99}{99}", "behind a repeat"),
        ("[a-z]{200}", "at most 64"),
        ("a{5,2}bcd", "least before most"),
        ("abc+?", "behind a repeat"),
        ("abc++", "behind a repeat"),
        (r"(abc)\1", "not supported"),
        ("(?=abc)abc", "only plain groups"),
        ("(?<!a)bcd", "only plain groups"),
        ("(?P<n>abc)", "only plain groups"),
        ("(?P=n)abc", "only plain groups"),
        ("(?#abc)abc", "only plain groups"),
        ("abc(?i)", "only plain groups"),
        (r"\Aabc", "not supported"),
        (r"abc\p{L}", "not supported"),
        ("abc\\", "not supported"),
        ("(abc", "without its `)`"),
        ("abc)", "without its `(`"),
        ("[abc", "no `]`"),
        ("[z-a]bc", "cannot be read"),
        ("*abc", "repeats nothing"),
        ("a|*bcd", "repeats nothing"),
        (r"\b+abc", "cannot be repeated"),
        ("a" * 301, "longer than 300"),
    ],
)
def test_what_can_be_slow_or_is_not_understood_is_refused_with_a_reason(
    pattern: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why.replace("(", r"\(").replace(")", r"\)")):
        checked(Pattern("x", pattern))


@pytest.mark.parametrize("name", ["", "X", "a b", "a]", "-a", "a" * 33, "ä"])
def test_names_that_would_not_read_as_kinds_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        checked(Pattern(name, "abc"))


def test_there_are_not_too_many_patterns() -> None:
    with pytest.raises(ValueError, match="more than 50"):
        configured([Pattern(f"p{number}", "abc") for number in range(MAX_PATTERNS + 1)])


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        (r"[a-z]+=\d{3}", "a"),
        (r"\w+@corp\.example", "a"),
        (r"(?:\w{1,20}\.){4}intern", "a."),
        (r"(?:abc|abd|abe)-\d{3}", "ab"),
        (r"[\d-]+x{3}", "1-"),
        (r"(?:a|b|c)*ddd", "abc"),
        (r"(?i)[a-z0-9 ]+\.doc", "a "),
        (r"\s+zzz", " "),
    ],
)
def test_every_pattern_that_is_taken_is_fast_on_texts_that_nearly_match(
    pattern: str, part: str
) -> None:
    among = detectors([Level.SECRETS], configured([Pattern("x", pattern)]))
    text = part * (1024 * 1024 // len(part))

    started = thread_time()
    redact_text(text, among)

    assert thread_time() - started < 2.0  # half a second on an idle machine
