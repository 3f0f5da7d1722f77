"""Credentials of the database, at the places they are for."""

from hashlib import sha256
from typing import Any

import pytest

from torhaus.identity.identify import NotProved, Proof, identify, key_id
from torhaus.model.credentials import Credential, CredentialKind
from torhaus.model.live import Lease, NobodyElse
from torhaus.model.people import Principal
from torhaus.model.rules import Rules

ALICE = Principal(id="alice@example.org", email="alice@example.org")
KEY = b"thk_some"
RULES = Rules(
    version="1",
    principals={ALICE.id: ALICE},
    keys={sha256(b"file-key").digest(): ALICE},
)
NOW = 100.0


class Known(NobodyElse):
    """One credential, and whom it is not for."""

    def __init__(self, credential: Credential | None, unwelcome: str | None = None) -> None:
        super().__init__()
        self._credential = credential
        self._why = unwelcome

    def find(self, digest: bytes) -> Credential | None:
        found = self._credential
        return found if found is not None and found.digest == digest else None

    def unwelcome(self, email: str, credential: str, now: float) -> str | None:
        return None if self._why is None else f"{self._why} {email} {credential}"


def credential(**more: Any) -> Credential:
    base: dict[str, Any] = {"kind": CredentialKind.KEY, "email": ALICE.email, "id": "k1"}
    return Credential(digest=sha256(KEY).digest(), **{**base, **more})


def asked(place: str | None = "github", **more: Any) -> Proof | NotProved:
    return identify(RULES, Known(credential(**more)), KEY, place, NOW)


def test_a_key_of_the_database_is_its_owners() -> None:
    proof = asked()

    assert isinstance(proof, Proof)
    assert proof.principal is ALICE
    assert proof.credential == credential()


@pytest.mark.parametrize(
    ("audience", "place", "good"),
    [
        (None, "github", True),
        (None, None, True),
        ("", "github", True),
        ("", "", True),
        ("github", "github", True),
        ("github", "sentry", False),
        ("github", "", False),
        ("github", None, False),
        ("team-view", "team-view", True),
        ("team-view", "github", False),
    ],
)
def test_a_credential_is_good_where_it_is_for(
    audience: str | None, place: str | None, good: bool
) -> None:
    assert isinstance(asked(place, audience=audience), Proof) is good


def test_access_tokens_are_for_mcp_alone() -> None:
    found = asked(None, kind=CredentialKind.ACCESS, audience="")

    assert isinstance(found, NotProved)
    assert "MCP clients" in found.reason


@pytest.mark.parametrize("place", ["github", "", None])
def test_a_browsers_cookie_is_no_key(place: str | None) -> None:
    found = asked(place, kind=CredentialKind.SESSION)

    assert isinstance(found, NotProved)
    assert "cookie" in found.reason


def test_what_is_over_proves_nothing_from_that_instant_on() -> None:
    assert isinstance(asked(expires=NOW + 0.1), Proof)
    assert isinstance(asked(expires=NOW), NotProved)


def test_whose_owner_is_nobody_here_proves_nothing() -> None:
    assert isinstance(asked(email="gone@example.org"), NotProved)


def test_who_is_not_welcome_hears_why() -> None:
    live = Known(credential(), "stopped:")

    found = identify(RULES, live, KEY, "github", NOW)
    own = identify(RULES, live, b"file-key", "github", NOW)

    assert found == NotProved("stopped: alice@example.org k1")
    assert own == NotProved(f"stopped: alice@example.org {key_id(sha256(b'file-key').digest())}")


def test_an_unknown_key_may_be_asked_about() -> None:
    found = identify(RULES, NobodyElse(), KEY, "github", NOW)

    assert isinstance(found, NotProved)
    assert found.unknown


def test_what_is_too_old_is_not_believed_but_the_file_is() -> None:
    live = Known(credential())
    live.until = NOW

    found = identify(RULES, live, KEY, "github", NOW)

    assert isinstance(found, NotProved)
    assert found.down
    assert isinstance(identify(RULES, live, b"file-key", "github", NOW), Proof)


def test_an_ended_lease_lets_nobody_in() -> None:
    lease = Lease(5.0)
    lease.end()

    assert lease.ended
    assert lease.until < 0
