"""People, credentials, families and stops for the tests."""

from hashlib import sha256
from typing import Any

import msgspec

from tests.torhaus.store.state.requests import NOW
from torhaus.model.credentials import Credential, CredentialKind, Family, FamilyKind
from torhaus.model.person import Person, PersonState
from torhaus.model.stops import Stop, StopKind

ALICE, BOB = "alice@example.org", "bob@example.org"


def person(email: str = ALICE, **changes: Any) -> Person:
    made = Person(
        email=email,
        state=PersonState.ACTIVE,
        name="Somebody",
        roles=("developer", "tech_lead"),
        expires=NOW + 3600,
        epoch=2,
        created=NOW,
        created_by=BOB,
        changed=NOW,
    )
    return msgspec.structs.replace(made, **changes)


def credential(id: str = "k1", **changes: Any) -> Credential:
    made = Credential(
        digest=sha256(id.encode()).digest(),
        id=id,
        kind=CredentialKind.KEY,
        email=ALICE,
        label="laptop",
        audience="github",
        scopes=("github:read",),
        created=NOW,
        expires=NOW + 3600,
    )
    return msgspec.structs.replace(made, **changes)


def family(id: str = "f1", **changes: Any) -> Family:
    made = Family(
        id=id,
        kind=FamilyKind.SESSION,
        email=ALICE,
        label="Firefox",
        issuer="https://idp.example.org",
        subject="248289",
        provider_session="s-1",
        created=NOW,
        used=NOW,
        expires=NOW + 3600,
        ip="192.0.2.7",
    )
    return msgspec.structs.replace(made, **changes)


def stop(id: str = "s1", **changes: Any) -> Stop:
    made = Stop(
        id=id,
        kind=StopKind.SERVER,
        target="github",
        reason="an incident",
        created=NOW,
        created_by=BOB,
        expires=NOW + 3600,
    )
    return msgspec.structs.replace(made, **changes)
