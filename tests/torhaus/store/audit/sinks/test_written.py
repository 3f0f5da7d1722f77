"""Sinks on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torhaus.store.audit.sinks.receivers import parcel
from torhaus.model.shipping import DeliveryError, FileTarget
from torhaus.store.audit.sinks.written import FileSink


def test_a_file_gets_the_lines_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    sink = FileSink(FileTarget(path=str(path)))

    sink.deliver([parcel(1), parcel(2)])
    sink.deliver([parcel(3)])
    sink.close()

    assert path.read_bytes() == b"".join(parcel(n).line + b"\n" for n in (1, 2, 3))
    assert path.stat().st_mode & 0o777 == 0o600


def test_after_rotation_the_new_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    sink = FileSink(FileTarget(path=str(path)))
    sink.deliver([parcel(1)])
    path.rename(tmp_path / "audit.log.1")

    sink.deliver([parcel(2)])
    sink.close()

    assert path.read_bytes() == parcel(2).line + b"\n"


def test_half_a_line_of_a_crash_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b'{"half')
    sink = FileSink(FileTarget(path=str(path)))

    sink.deliver([parcel(1)])
    sink.close()

    assert path.read_bytes() == b'{"half\n' + parcel(1).line + b"\n"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "audit.log").symlink_to(tmp_path / "elsewhere")
    sink = FileSink(FileTarget(path=str(tmp_path / "audit.log")))

    with pytest.raises(DeliveryError, match="cannot be written"):
        sink.deliver([parcel(1)])

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_told_and_tried_again() -> None:
    sink = FileSink(FileTarget(path="/dev/full"))

    with pytest.raises(DeliveryError, match="cannot be written"):
        sink.deliver([parcel(1)])


def test_standard_output_gets_the_lines_as_they_are() -> None:
    program = (
        "from tests.torhaus.store.audit.sinks.receivers import parcel\n"
        "from torhaus.model.shipping import StdoutTarget\n"
        "from torhaus.store.audit.sinks.written import StdoutSink\n"
        "sink = StdoutSink(StdoutTarget())\n"
        "sink.deliver([parcel(1), parcel(2)])\n"
        "sink.close()\n"
    )
    root = Path(__file__).parents[5]

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"},
        capture_output=True,
        check=True,
    )

    assert done.stdout == parcel(1).line + b"\n" + parcel(2).line + b"\n"
