import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from torhaus.admin.safe import Safe, SealedError
from torhaus.identity.sealing import KeyRing, key_id
from torhaus.model.ports import StateError
from torhaus.model.vault import Content, Kept, VaultKind

KEPT = Kept(
    id="vlt_1",
    server="github",
    kind=VaultKind.BEARER,
    key_id="",
    sealed=b"",
    created=1.0,
    created_by="dana@example.org",
    rotated=1.0,
)
CONTENT = Content(value="canary-token", refresh="canary-refresh", scope="a b")
OLD, NEW = b"o" * 32, b"n" * 32


def safe(*keys: bytes) -> Safe:
    ring = KeyRing(keys)
    return Safe(lambda _: ring, os.urandom)


def sealed() -> Kept:
    return safe(OLD).sealed(KEPT, CONTENT, key_id(OLD))


def test_a_row_opens_as_it_was_sealed():
    kept = sealed()

    assert kept.key_id == key_id(OLD)
    assert b"canary" not in kept.sealed
    assert safe(OLD).opened(kept) == CONTENT
    assert "canary" not in repr(CONTENT)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "vlt_2"},
        {"server": "sentry"},
        {"email": "alice@example.org"},
        {"kind": VaultKind.HEADER},
        {"version": 2},
    ],
)
def test_nothing_that_says_whose_it_is_can_be_changed(changes: dict[str, object]):
    kept = msgspec.structs.replace(sealed(), **changes)

    with pytest.raises(SealedError, match="another row"):
        safe(OLD).opened(kept)


def test_another_key_seals_the_same_secret():
    kept = sealed()

    moved = safe(NEW, OLD).rewrapped(kept, key_id(NEW))

    assert safe(NEW).opened(msgspec.structs.replace(kept, key_id=key_id(NEW), sealed=moved)) == (
        CONTENT
    )


def test_a_seal_around_something_else_is_no_credential():
    kept = sealed()
    other = KeyRing([OLD]).seal(key_id(OLD), b"[]", _bound(kept), os.urandom(56))

    with pytest.raises(SealedError, match="store it again"):
        safe(OLD).opened(msgspec.structs.replace(kept, sealed=other))


def test_all_gateways_seal_with_the_key_that_the_first_one_named(tmp_path: Path):
    async def story(office: Any) -> None:
        async with office.write() as desk:
            assert await safe(OLD).key(desk, 1.0) == key_id(OLD)
        async with office.write() as desk:
            assert await safe(NEW, OLD).key(desk, 2.0) == key_id(OLD)

    _play(tmp_path, story)


def test_a_gateway_without_that_key_seals_nothing(tmp_path: Path):
    """Under a key of its own, the others could not open it."""

    async def story(office: Any) -> None:
        async with office.write() as desk:
            await safe(OLD).key(desk, 1.0)
            with pytest.raises(StateError, match="not in this gateway's key ring"):
                await safe(NEW).key(desk, 2.0)

    _play(tmp_path, story)


def test_a_ring_that_cannot_be_read_now_is_said_and_raises_nothing_else(tmp_path: Path):
    def broken(id: str | None) -> KeyRing:
        if id is None:
            return KeyRing([NEW])
        raise PermissionError(13, "Permission denied", "/keys")

    kept = sealed()

    with pytest.raises(SealedError, match="cannot be read: Permission denied"):
        Safe(broken, os.urandom).opened(kept)
    with pytest.raises(StateError, match="cannot be read: Permission denied"):
        Safe(broken, os.urandom).sealed(kept, CONTENT, key_id(NEW))


def _play(home: Path, story: Callable[[Any], Any]) -> None:
    async def begun() -> None:
        async with Place(home, None).office() as office:
            await story(office)

    run(begun())


def _bound(kept: Kept) -> bytes:
    parts = (b"vault", kept.id.encode(), kept.server.encode(), b"", b"bearer", b"1")
    return b"".join(b"%d:%b," % (len(each), each) for each in parts)
