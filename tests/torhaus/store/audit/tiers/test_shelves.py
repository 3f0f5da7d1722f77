import os
from hashlib import sha256
from pathlib import Path

import pytest

from torhaus.model.evidence import Written
from torhaus.store.audit.tiers.shelves import (
    LocalShelf,
    ShelfError,
    digest,
    proper,
    same,
    settle,
)

NAME = "day=2025-10-20/gate-1-0000000001.parquet"
TEXT = b"PAR1 and so on"


def written(text: bytes = TEXT, name: str = NAME) -> Written:
    return Written(
        file=name,
        day="2025-10-20",
        records=1,
        octets=len(text),
        sha256=sha256(text).hexdigest(),
        first="",
        last="",
        segments={},
    )


def source(tmp_path: Path, text: bytes = TEXT) -> Path:
    path = tmp_path / "source"
    path.unlink(missing_ok=True)
    path.write_bytes(text)
    return path


def test_what_is_put_there_is_there_whole_and_can_be_put_again(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "warm")

    shelf.put(source(tmp_path), written())
    shelf.put(source(tmp_path), written())
    shelf.check(written())

    assert list(shelf.names()) == [NAME]
    assert shelf.path(NAME).read_bytes() == TEXT
    assert (tmp_path / "source").exists()


def test_another_file_of_the_same_name_is_noticed_and_kept(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "warm")
    shelf.put(source(tmp_path, b"another text!"), written(b"another text!"))

    with pytest.raises(ShelfError, match="is another file"):
        shelf.put(source(tmp_path), written())

    assert shelf.path(NAME).read_bytes() == b"another text!"


def test_a_file_is_fetched_only_if_it_is_what_it_should_be(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "warm")
    shelf.put(source(tmp_path), written())

    shelf.fetch(written(), tmp_path / "restored" / "copy")
    shelf.path(NAME).write_bytes(TEXT.upper())

    assert (tmp_path / "restored" / "copy").read_bytes() == TEXT.upper()  # one file, two names
    with pytest.raises(ShelfError, match="not what the journal says"):
        shelf.fetch(written(), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_what_is_missing_or_cut_is_told(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "warm")

    with pytest.raises(ShelfError, match="No such file"):
        shelf.check(written())
    with pytest.raises(ShelfError, match="No such file"):
        shelf.fetch(written(), tmp_path / "x")
    shelf.put(source(tmp_path), written())
    os.truncate(shelf.path(NAME), 3)
    with pytest.raises(ShelfError, match="not as large"):
        shelf.check(written())


def test_removing_takes_an_empty_day_along(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "warm")
    shelf.put(source(tmp_path), written())
    shelf.put(source(tmp_path), written(name=NAME.replace("1.parquet", "2.parquet")))

    shelf.remove(NAME)
    shelf.remove(NAME)
    assert shelf.path(NAME).parent.is_dir()
    shelf.remove(NAME.replace("1.parquet", "2.parquet"))

    assert list((tmp_path / "warm").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "day=2025-10-20/../../x-0000000001.parquet",
        "day=2025-10-20/gate.1-0000000001.parquet",
        "/day=2025-10-20/gate-1-0000000001.parquet",
        "day=2025-10-20/gate-1-0000000001.parquet\n",
        "day=2025-10-20/.gate-1-0000000001.parquet",
        "gate-1-0000000001.parquet",
        "",
    ],
)
def test_names_lead_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(ShelfError, match="no day file's name"):
        proper(name)
    with pytest.raises(ShelfError, match="no day file's name"):
        LocalShelf(tmp_path).remove(name)


def test_links_and_strange_files_are_not_listed(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path / "warm")
    shelf.put(source(tmp_path), written())
    day = shelf.path(NAME).parent
    (day / "gate-1-0000000002.parquet").symlink_to(tmp_path / "source")
    (day / "notes.parquet").write_bytes(b"")

    assert list(shelf.names()) == [NAME]


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "warm").write_bytes(b"a file is in the way")

    with pytest.raises(ShelfError):
        LocalShelf(tmp_path / "warm").put(source(tmp_path), written())


def test_where_no_second_name_can_be_given_a_copy_is_made(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one disk")
    target = shared / f"torhaus-test-{os.getpid()}" / "copy"
    try:
        settle(source(tmp_path), target)

        assert same(target, written())
        assert digest(target) == digest(tmp_path / "source")
        assert target.stat().st_mode & 0o777 == 0o600
    finally:
        target.unlink(missing_ok=True)
        target.parent.rmdir()
