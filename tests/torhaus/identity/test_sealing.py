import itertools
import os

import pytest

from torhaus.identity.sealing import CHANCE, KEY, NONCE, KeyRing, SealedError, key_id, row

OLD, NEW = bytes(range(KEY)), bytes(range(1, KEY + 1))
HERE = row("vault", "vlt_1", "github", "alice@example.org", "bearer", "1")
OTHERS = [
    row("vault", *parts)
    for parts in (
        ("vlt_2", "github", "alice@example.org", "bearer", "1"),
        ("vlt_1", "sentry", "alice@example.org", "bearer", "1"),
        ("vlt_1", "github", "bob@example.org", "bearer", "1"),
        ("vlt_1", "github", "alice@example.org", "header", "1"),
        ("vlt_1", "github", "alice@example.org", "bearer", "2"),
    )
]
SECRET = b"canary-4f1d"


def sealed(ring: KeyRing, bound: bytes = HERE) -> tuple[str, bytes]:
    return ring.first, ring.seal(ring.first, SECRET, bound, os.urandom(CHANCE))


def test_what_was_sealed_opens_where_it_was_sealed():
    ring = KeyRing([OLD])
    id, kept = sealed(ring)

    assert id == key_id(OLD) == ring.first
    assert SECRET not in kept
    assert ring.open(id, kept, HERE) == SECRET


@pytest.mark.parametrize("elsewhere", OTHERS)
def test_a_ciphertext_moved_to_another_row_does_not_open(elsewhere: bytes):
    ring = KeyRing([OLD])
    id, kept = sealed(ring)

    with pytest.raises(SealedError, match="another row"):
        ring.open(id, kept, elsewhere)
    with pytest.raises(SealedError, match="another row"):
        ring.rewrap(id, kept, elsewhere, os.urandom(NONCE), id)


def test_every_changed_octet_is_noticed():
    ring = KeyRing([OLD])
    id, kept = sealed(ring)

    for at in range(len(kept)):
        with pytest.raises(SealedError):
            ring.open(id, kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :], HERE)
    for size in range(len(kept)):
        with pytest.raises(SealedError):
            ring.open(id, kept[:size], HERE)


def test_the_wrapped_key_of_one_secret_does_not_open_another():
    ring = KeyRing([OLD])
    (id, one), (_, other) = sealed(ring), sealed(ring)
    head = 1 + NONCE + KEY + 16

    with pytest.raises(SealedError):
        ring.open(id, one[:head] + other[head:], HERE)


def test_old_and_new_keys_stand_side_by_side():
    id, kept = sealed(KeyRing([OLD]))
    both = KeyRing([NEW, OLD])

    assert both.open(id, kept, HERE) == SECRET
    assert sealed(both)[0] == key_id(NEW)

    wrapped = both.rewrap(id, kept, HERE, os.urandom(NONCE), key_id(NEW))

    assert KeyRing([NEW]).open(key_id(NEW), wrapped, HERE) == SECRET
    with pytest.raises(SealedError, match="not in the key ring"):
        KeyRing([NEW]).open(id, kept, HERE)


def test_any_key_of_the_ring_seals_and_no_other():
    both = KeyRing([NEW, OLD])

    kept = both.seal(key_id(OLD), SECRET, HERE, os.urandom(CHANCE))

    assert KeyRing([OLD]).open(key_id(OLD), kept, HERE) == SECRET
    with pytest.raises(SealedError, match="not in the key ring"):
        KeyRing([OLD]).seal(key_id(NEW), SECRET, HERE, os.urandom(CHANCE))
    with pytest.raises(SealedError, match="not in the key ring"):
        KeyRing([OLD]).rewrap(key_id(OLD), kept, HERE, os.urandom(NONCE), key_id(NEW))


def test_no_message_shows_the_secret_or_a_key():
    id, kept = sealed(KeyRing([OLD]))

    for ring, bound in ((KeyRing([OLD]), OTHERS[0]), (KeyRing([NEW]), HERE)):
        with pytest.raises(SealedError) as failed:
            ring.open(id, kept, bound)
        assert "canary" not in str(failed.value)
        assert OLD.hex() not in str(failed.value)


def test_randomness_and_keys_have_their_size():
    with pytest.raises(ValueError, match="random"):
        KeyRing([OLD]).seal(key_id(OLD), SECRET, HERE, b"short")
    for keys in ([], [b"short"], [OLD, b""]):
        with pytest.raises(ValueError, match="exactly 32"):
            KeyRing(keys)


def test_rows_never_look_alike():
    parts = ("", "a", "b", "ab", "1:a,")
    every = [row("t", *each) for each in itertools.product(parts, repeat=2)]

    assert len(set(every)) == len(every)
