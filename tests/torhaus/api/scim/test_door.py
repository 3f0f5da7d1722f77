from typing import Any

import pytest

from tests.torhaus.cast import Clock
from torhaus.api.door import Turned
from torhaus.api.scim.door import ScimDoor
from torhaus.identity.keys import digest
from torhaus.identity.scim.problem import ScimError
from torhaus.model.providers import Terms
from torhaus.model.provisioning import ScimSource

OKTA = ScimSource(name="okta", digests=(digest("one"), digest("old")), terms=Terms(), rate=60)
ENTRA = ScimSource(name="entra", digests=(digest("two"),), terms=Terms())


def scope(*headers: tuple[str, str], ip: str = "192.0.2.1") -> dict[str, Any]:
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "http", "headers": pairs, "client": (ip, 1)}


class Porch:
    def __init__(self, turned: Turned | None = None) -> None:
        self.clock = Clock()
        self.told: list[str] = []
        self.door = ScimDoor(
            lambda: (OKTA, ENTRA), lambda _: turned, lambda ip, _: self.told.append(ip), self.clock
        )

    def status(self, *headers: tuple[str, str]) -> int:
        with pytest.raises(ScimError) as error:
            self.door.admit(scope(*headers))
        return error.value.status


def token(text: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {text}")


def test_a_token_names_its_source() -> None:
    porch = Porch()

    for text, source in (("one", OKTA), ("old", OKTA), ("two", ENTRA)):
        sender = porch.door.admit(scope(token(text)))
        assert (sender.source, sender.ip) == (source, "192.0.2.1")
        assert sender.principal.id == source.owner


def test_strangers_stay_outside_and_wait() -> None:
    porch = Porch()

    for headers in ([], [token("x")], [("authorization", "Basic one")], [token("one")] * 2):
        assert porch.status(*headers) == 401
    assert porch.told == ["192.0.2.1"] * 4
    for _ in range(6):
        porch.status(token("x"))
    assert porch.status(token("one")) == 429
    porch.clock.turn(61)
    assert porch.door.admit(scope(token("one"))).source is OKTA


def test_each_source_has_its_own_pace() -> None:
    porch = Porch()

    for _ in range(60):
        porch.door.admit(scope(token("one")))
    assert porch.status(token("one")) == 429
    assert porch.door.admit(scope(token("two"))).source is ENTRA
    porch.clock.turn(2)
    assert porch.door.admit(scope(token("one"))).source is OKTA


def test_hosts_and_transport_are_checked_first() -> None:
    assert Porch(Turned(421, "not here")).status(token("one")) == 421
