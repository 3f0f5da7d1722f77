import pytest

from tests.torhaus.redact.samples import AWS, GITHUB, TOKENS, hexes, mixed, token
from torhaus.redact.detector import Level
from torhaus.redact.text import detectors, redact_text
from torhaus.redact.tokens import TOKENS as DETECTORS
from torhaus.redact.tokens import random_looking

SECRETS = detectors([Level.SECRETS])
CASES = [(kind, each) for kind, samples in TOKENS.items() for each in samples]

AROUND = [
    ("", ""), ("see ", " there"), ("`", "`"), ("x=", "\n"), ("(", ")"), ("a\\n", "\\n"),
    ("<b>", "</b>"), ("1. ", ", and"), ("'", "';"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "secret"), CASES, ids=[kind for kind, _ in CASES])
def test_a_token_is_masked_wherever_it_stands(kind: str, secret: str) -> None:
    for before, after in AROUND:
        masked = redact_text(f"{before}{secret}{after}", SECRETS)

        assert secret[-16:] not in masked.text
        assert f"[redacted:{kind}]" in masked.text
        assert masked.counts == {kind: 1}


def test_every_kind_of_token_has_its_sample() -> None:
    kinds = {kind for each in DETECTORS for kind in each.kinds}

    assert kinds == set(TOKENS)


@pytest.mark.parametrize(
    "harmless",
    [
        "ghp_short",
        "the prefix ghp_ marks a personal access token",
        token("gh", "x_", mixed(36)),
        "task-management-with-a-long-kebab-case-name-2",
        "sk-learn-some-long-kebab-case-name-3",
        "risk-assessment-for-the-whole-of-2025",
        "xoxo-love",
        "AKIA is how their keys begin",
        token("AK", "IA", "ABCDEFGH234567234"),
        token("x", "AK", "IAabcdefgh"),
        "AIza",
        "npm_config_registry=https://registry.example.org",
        "npm_lifecycle_event",
        "pypi-server",
        "hf_hub_download(repo_id)",
        "SG.short.token",
        token("S", "K", hexes(31)),
        token("SKU", hexes(32)),
        "eyJ",
        "eyJhbGciOiJIUzI1NiJ9",
        "package.json.lock.v1",
        "throughput_of_a_very_long_benchmark_name",
        "thr_x",
        "the_thk_variable",
        "commit " + hexes(40),
        "sha256:" + hexes(64),
        "550e8400-e29b-41d4-a716-446655440000",
        "node_id: I_kwDOABCD1234567890abcdef",
        "glpat-",
        "dapi" + hexes(20),
        "hooks.slack.com",
        "https://hooks.slack.com/services/",
        "live_sk_test",
        "docker pull dckr/pat_image",
        "a base64 word: " + mixed(40),
        "12345678:AAshort",
    ],
)
def test_what_only_resembles_a_token_stays(harmless: str) -> None:
    masked = redact_text(harmless, SECRETS)

    assert masked.text is harmless
    assert masked.counts == {}


def test_two_tokens_side_by_side_are_two() -> None:
    masked = redact_text(f"{GITHUB} {AWS},{GITHUB}", SECRETS)

    assert masked.text == "[redacted:github-token] [redacted:aws-key],[redacted:github-token]"
    assert masked.counts == {"github-token": 2, "aws-key": 1}


def test_random_looking_needs_a_digit_and_both_cases() -> None:
    assert random_looking("aB1")
    assert not random_looking("ab1")
    assert not random_looking("AB1")
    assert not random_looking("aBc")
