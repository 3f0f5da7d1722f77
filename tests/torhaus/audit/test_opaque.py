import os
import secrets
from base64 import b32encode

import pytest

from torhaus.audit.opaque import UNKNOWN, discreet, discreetly, opaque, without
from torhaus.identity import recovery

NAMES = (
    *("list_issues", "getUserById", "create-pull-request", "s3_list_v2", "k8s_get_pods_v1beta1"),
    *(
        "sha256sum",
        "getRepositoryIssuesByLabelAndMilestoneState",
        "oauth2_token_v3",
        "tools/call",
        "notifications/x",
        "github",
        "web search",
    ),
    *("alice@example.com", "developer", "2026-11", "get_2026_report", "", "x" * 300, "12345"),
    *("adm_0123456789abcdef0123", "Straße_öffnen", "Zaunkönig", "delete_everything_in_repository"),
)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_people_give_stay(name: str):
    assert discreet(name) == name


@pytest.mark.parametrize(
    "make",
    [
        lambda: secrets.token_hex(16),
        lambda: secrets.token_hex(20).upper(),
        lambda: secrets.token_urlsafe(32),
        lambda: "token-" + secrets.token_hex(12),
        lambda: b32encode(os.urandom(20)).decode(),
        lambda: f"{secrets.randbelow(10**6):06}",
        lambda: f"{secrets.randbelow(10**3):03} {secrets.randbelow(10**3):03}",
        lambda: recovery.codes(os.urandom)[0],
        lambda: "tcs_" + secrets.token_hex(32),
    ],
)
def test_random_text_does_not(make):
    hits = [opaque(make()) for _ in range(200)]

    assert sum(hits) >= 198  # chance makes a word once in a while


def test_everything_within_is_looked_at():
    bare = secrets.token_hex(16)

    found = discreetly({"tool": bare, "roles": [bare, "reader"], "n": 3, "more": {"x": (bare,)}})

    assert found == {
        "tool": UNKNOWN,
        "roles": [UNKNOWN, "reader"],
        "n": 3,
        "more": {"x": [UNKNOWN]},
    }


def test_a_sentence_loses_the_names_alone():
    bare = secrets.token_hex(16)

    assert without(f"there is no server {bare!r}", bare, "x") == (f"there is no server '{UNKNOWN}'")
    assert without("there is no server 'github'", "github") == "there is no server 'github'"
