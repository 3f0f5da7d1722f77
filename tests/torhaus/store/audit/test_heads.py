import fcntl
import os
import threading
from pathlib import Path

import pytest

from tests.torhaus.store.audit.logs import edited, head, head_line, left_live, lines, write
from torhaus.audit.signing import SignatureError, digest
from torhaus.model.evidence import LiveChain
from torhaus.store.audit.heads import (
    NAME,
    HeadError,
    digest_at,
    goes_on,
    keep,
    known,
    newest,
    opened_head,
    read_head,
)
from torhaus.store.audit.journal import NAME as JOURNAL
from torhaus.store.audit.keys import audit_key, keys_directory, public_keys
from torhaus.store.audit.segments import segments


def keys(data: Path) -> dict[str, object]:
    return public_keys(keys_directory(data / "audit"))  # type: ignore[return-value]


def test_a_head_names_the_newest_line_and_the_chains_that_go_on(tmp_path: Path):
    write(tmp_path, 3)
    path = left_live(tmp_path, 7)

    found = head(tmp_path)

    assert (found.number, found.digest) == (3, digest(lines(tmp_path)[-1]))
    assert list(found.live) == [path.name]
    assert found.live[path.name].records == 7


def test_the_newest_checkpoint_is_found_behind_many_records(tmp_path: Path):
    path = left_live(tmp_path, 7)
    found = newest(path)
    assert found is not None

    with path.open("ab") as file:
        file.write(b'{"timestamp":"x"}\n' * 150_000 + b'{"checkpoint":{"at"')

    assert newest(path) == found
    assert newest(tmp_path / "gone") is None
    path.write_bytes(b'{"segment":{}}\n')
    assert newest(path) is None


def test_a_head_is_read_back_with_the_public_key(tmp_path: Path):
    write(tmp_path, 3)
    path = tmp_path / "audit" / NAME
    keep(path, head_line(tmp_path))
    keep(path, head_line(tmp_path))

    assert read_head(path, keys(tmp_path)).number == 2  # type: ignore[arg-type]
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(".head")] == []


def test_a_head_that_was_changed_or_is_anothers_is_refused(tmp_path: Path):
    write(tmp_path, 3)
    line = head_line(tmp_path)
    known_keys = keys(tmp_path)

    with pytest.raises(SignatureError, match="changed, or forged"):
        opened_head(line.replace(b"gate-1", b"gate-2"), known_keys)  # type: ignore[arg-type]
    with pytest.raises(SignatureError, match="unknown key"):
        opened_head(line, {})
    with pytest.raises(SignatureError, match="no head"):
        opened_head(lines(tmp_path)[0], known_keys)  # type: ignore[arg-type]


def test_a_head_of_another_journal_is_never_replaced(tmp_path: Path):
    write(tmp_path, 3)
    path = tmp_path / "audit" / NAME
    goes_on(tmp_path / "audit", path, keys(tmp_path))  # type: ignore[arg-type]
    keep(path, head_line(tmp_path))
    write(tmp_path, 3, start=10)
    goes_on(tmp_path / "audit", path, keys(tmp_path))  # type: ignore[arg-type]

    edited(tmp_path / "audit" / JOURNAL, lambda x: x[:1])

    with pytest.raises(HeadError, match="another journal"):
        goes_on(tmp_path / "audit", path, keys(tmp_path))  # type: ignore[arg-type]
    path.write_bytes(b"nonsense")
    with pytest.raises(HeadError, match="kept as it is"):
        goes_on(tmp_path / "audit", path, keys(tmp_path))  # type: ignore[arg-type]


def test_the_head_beside_the_journal_tells_of_chains(tmp_path: Path):
    path = left_live(tmp_path, 7)
    assert known(tmp_path / "audit", keys(tmp_path)) == {}  # type: ignore[arg-type]

    keep(tmp_path / "audit" / NAME, head_line(tmp_path))

    found = known(tmp_path / "audit", keys(tmp_path))  # type: ignore[arg-type]
    assert found == {path.name: LiveChain(records=7, chain=found[path.name].chain)}


def test_lines_are_found_by_their_number(tmp_path: Path):
    assert digest_at(tmp_path / "audit", 1) is None
    audit_key(tmp_path, os.urandom)
    write(tmp_path, 3)

    assert digest_at(tmp_path / "audit", 2) == digest(lines(tmp_path)[1])
    assert digest_at(tmp_path / "audit", 3) is None
    assert len(segments(tmp_path / "audit" / "hot")) == 1


def test_a_head_names_no_line_that_may_still_be_taken_back(tmp_path: Path):
    """Else the log would seem to be cut after a power cut, or when the disk refuses."""
    write(tmp_path, 3)
    path, before = tmp_path / "audit" / JOURNAL, len(lines(tmp_path))
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.append(head(tmp_path).number))
    with path.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        size = path.stat().st_size
        stream.write(lines(tmp_path)[-1])
        stream.flush()

        asking.start()
        asking.join(0.2)
        os.truncate(path, size)

    asking.join(60)
    assert found == [before]
