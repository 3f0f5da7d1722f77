"""JWTs that the platform keeps for us."""

import asyncio
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from torhaus.model.servers import Assertion
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.platform import lent

NOW = 1000.0


def workload(subject: str, **claims: Any) -> str:
    """As it lies in the file. Nobody here looks at its signature: the authorization server does."""

    def part(found: object) -> str:
        return urlsafe_b64encode(msgspec.json.encode(found)).rstrip(b"=").decode()

    said = {"iss": "https://cluster.example", "sub": subject, "exp": NOW + 3600, **claims}
    return f"{part({'alg': 'RS256'})}.{part(said)}.c2lnbmF0dXJl"


def read(scheme: str, what: str, base: Path, now: float = NOW) -> str:
    return asyncio.run(lent(Assertion(scheme, what, str(base)), now))


def test_a_file_is_read_as_it_is_now(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / "token").write_text(f"{workload(name)}\n")

        assert read("file", "token", tmp_path) == workload(name)


def test_a_program_prints_one(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(workload("printed"))

    assert read("exec", "cat token", tmp_path) == workload("printed")


@pytest.mark.parametrize(
    ("scheme", "what", "words"),
    [
        ("file", "nothing-there", "cannot be read"),
        ("exec", "false", "ended with 1"),
        ("exec", "no-such-program-canary", "cannot be started"),
        ("file", "secret", "is no JWT"),
        ("exec", "cat secret", "is no JWT"),
    ],
)
def test_what_is_wrong_is_said_without_a_word_of_it(
    tmp_path: Path, scheme: str, what: str, words: str
) -> None:
    (tmp_path / "secret").write_text("canary-secret-that-is-no-jwt")

    with pytest.raises(OAuthError, match=words) as failed:
        read(scheme, what, tmp_path)

    assert "canary-secret" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_one_that_has_ended_is_not_sent_but_clocks_may_differ_by_a_minute(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(workload("old", exp=NOW - 30))
    assert read("file", "token", tmp_path)

    with pytest.raises(OAuthError, match="ended 61 s ago"):
        read("file", "token", tmp_path, NOW + 31)
