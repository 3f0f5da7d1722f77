import base64
import os
import stat
from pathlib import Path

import pytest

from torhaus.identity.sealing import CHANCE, KeyRing, key_id, row
from torhaus.store.keyring import NAME, Ring

ONE, TWO = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
IDS = [key_id(base64.b64decode(each)) for each in (ONE, TWO)]
HERE = row("vault", "1")
NOTHING = frozenset[str]()


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path):
    first = Ring(tmp_path / "data", {}, os.urandom)
    again = Ring(tmp_path / "data", {}, os.urandom)

    assert first.ids() == again.ids()
    assert stat.S_IMODE((tmp_path / "data" / NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [f"{ONE},{TWO}", f"{ONE}\n{TWO}\n", f" {ONE} , {TWO} # old\n"])
def test_keys_of_the_environment_come_before_files(tmp_path: Path, text: str):
    told: list[list[str]] = []
    ring = Ring(tmp_path, {"TORHAUS_KEYS": text}, os.urandom, told.append)

    assert list(ring.ids()) == IDS
    assert ring.ring().first == IDS[0]
    assert told[-1] == [ONE, TWO]
    assert not (tmp_path / NAME).exists()


def test_keys_that_others_own_are_never_changed(tmp_path: Path):
    """But it is said which they can take away."""
    ring = Ring(tmp_path, {"TORHAUS_KEYS": f"{ONE},{TWO}"}, os.urandom)

    assert ring.fresh(IDS[0]) == IDS[0]
    assert ring.fresh(IDS[1]) == IDS[0]
    assert ring.drop(frozenset((IDS[0],))) == (IDS[1],)
    assert list(ring.ids()) == IDS


def test_keys_come_from_a_named_file_and_are_followed(tmp_path: Path):
    path = tmp_path / "keys"
    path.write_text(f"{TWO}\n# {ONE}\n")
    path.chmod(0o600)
    ring = Ring(tmp_path, {"TORHAUS_KEYS_FILE": str(path)}, os.urandom)
    assert list(ring.ids()) == IDS[1:]

    path.write_text(f"{ONE}\n{TWO}\n")
    ring.follow()

    assert list(ring.ids()) == IDS


def test_a_file_that_everybody_may_read_is_refused(tmp_path: Path):
    (tmp_path / "keys").write_text(ONE)
    (tmp_path / "keys").chmod(0o644)

    with pytest.raises(ValueError, match="chmod 600"):
        Ring(tmp_path, {"TORHAUS_KEYS_FILE": str(tmp_path / "keys")}, os.urandom)


@pytest.mark.parametrize("text", ["", "x", ONE[:-8], "Ä", f"{ONE} {ONE[:8]}"])
def test_what_is_no_key_is_refused_without_repeating_it(tmp_path: Path, text: str):
    (tmp_path / "keys").write_text(text)
    (tmp_path / "keys").chmod(0o600)

    with pytest.raises(ValueError, match="openssl rand -base64 32") as failed:
        Ring(tmp_path, {"TORHAUS_KEYS_FILE": str(tmp_path / "keys")}, os.urandom)
    assert ONE[:8] not in str(failed.value)


def test_a_file_that_is_broken_later_leaves_the_keys_at_hand(tmp_path: Path):
    ring = Ring(tmp_path, {}, os.urandom)
    before = ring.ids()
    (tmp_path / NAME).write_text("not a key")

    with pytest.raises(ValueError, match="must hold keys"):
        ring.follow()
    assert ring.ids() == before


def test_a_key_that_another_process_put_first_is_found(tmp_path: Path):
    mine, theirs = (Ring(tmp_path, {}, os.urandom) for _ in range(2))
    old = theirs.ids()[0]

    new = theirs.fresh(old)
    kept = theirs.ring().seal(new, b"secret", HERE, os.urandom(CHANCE))

    assert mine.ids() == (old,)
    assert mine.ring(new).open(new, kept, HERE) == b"secret"
    assert mine.ids() == (new, old)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_new_key_that_waits_is_the_next_one(tmp_path: Path):
    """Whoever was interrupted goes on with it, and of two at once both do."""
    ring = Ring(tmp_path, {}, os.urandom)
    old = ring.ids()[0]

    assert ring.fresh(old) == Ring(tmp_path, {}, os.urandom).fresh(old) != old
    assert len(ring.ids()) == 2


def test_keys_that_nothing_needs_go_but_never_the_first_and_the_one_before(tmp_path: Path):
    ring = Ring(tmp_path, {}, os.urandom)
    for _ in range(4):
        ring.fresh(ring.ids()[0])
    first, before, unneeded, needed, also = ring.ids()

    assert ring.drop(frozenset((first, needed))) == (unneeded, also)
    assert ring.ids() == (first, before, needed) == Ring(tmp_path, {}, os.urandom).ids()
    assert ring.drop(frozenset((first, needed))) == ()
    assert ring.drop(NOTHING) == (needed,)


def test_what_a_link_leads_to_is_changed_and_not_the_link(tmp_path: Path):
    """Other gateways may reach it by another one."""
    for name in ("shared", "one", "two"):
        (tmp_path / name).mkdir()
    shared = tmp_path / "shared" / "keys"
    shared.write_text(ONE)
    shared.chmod(0o640)
    for name in ("one", "two"):
        (tmp_path / name / NAME).symlink_to(shared)
    ring, other = (Ring(tmp_path / name, {}, os.urandom) for name in ("one", "two"))

    new = ring.fresh(IDS[0])
    other.follow()

    assert other.ids() == (new, IDS[0])
    assert (tmp_path / "one" / NAME).is_symlink()
    assert stat.S_IMODE(shared.stat().st_mode) == 0o640
    assert [each.name for each in shared.parent.iterdir()] == ["keys"]


def test_what_one_who_was_killed_has_left_goes_with_the_next_change(tmp_path: Path):
    ring = Ring(tmp_path, {}, os.urandom)
    (tmp_path / f".{NAME}.next-0123").write_text(TWO)

    ring.fresh(ring.ids()[0])

    assert [each.name for each in tmp_path.iterdir()] == [NAME]


def test_a_disk_that_takes_nothing_changes_nothing(tmp_path: Path):
    def random(count: int) -> bytes:
        if count == 8:  # the name of the new file
            raise OSError(28, "No space left on device")
        return os.urandom(count)

    ring = Ring(tmp_path, {}, os.urandom)
    failing = Ring(tmp_path, {}, random)
    before = (tmp_path / NAME).read_bytes()

    with pytest.raises(OSError, match="No space"):
        failing.fresh(ring.ids()[0])
    assert (tmp_path / NAME).read_bytes() == before
    assert KeyRing(base64.b64decode(line) for line in before.split()).ids == failing.ids()
