"""Which sink is made for which target."""

import sys
from pathlib import Path
from typing import get_args

import pytest

from tests.torhaus.store.audit.sinks.receivers import parcel
from torhaus.model.shipping import (
    DeliveryError,
    FileTarget,
    PluginTarget,
    SinkSettings,
    Target,
)
from torhaus.store.audit.sinks.registry import KINDS, make
from torhaus.store.audit.sinks.written import FileSink

PLUGIN = """
class Sink:
    def __init__(self, options):
        self.path = options["path"]
    def deliver(self, batch):
        with open(self.path, "ab") as stream:
            stream.writelines(parcel.line for parcel in batch)
    def close(self):
        pass
"""


def test_every_target_has_its_sink() -> None:
    assert set(KINDS) == set(get_args(Target))


def test_a_file_is_made_of_its_settings(tmp_path: Path) -> None:
    sink = make(SinkSettings(name="x", target=FileTarget(path=str(tmp_path / "log"))))

    assert isinstance(sink, FileSink)


def installed(at: Path, *names: str) -> None:
    (at / "acme_audit.py").write_text(PLUGIN)
    for name in names:
        info = at / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[torhaus.audit_sinks]\nacme = acme_audit:Sink\n")


def plugin(tmp_path: Path, name: str = "acme") -> SinkSettings:
    options = {"path": str(tmp_path / "out")}
    return SinkSettings(name="x", target=PluginTarget(entry_point=name, options=options))


def test_a_plug_in_is_loaded_when_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "acme")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "acme_audit" not in sys.modules

    make(plugin(tmp_path)).deliver([parcel(1)])

    assert (tmp_path / "out").read_bytes() == parcel(1).line
    del sys.modules["acme_audit"]


def test_a_plug_in_that_is_not_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="no installed package"):
        make(plugin(tmp_path, "nobody"))


def test_two_plug_ins_of_one_name_are_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, "acme", "evil")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(DeliveryError, match="several installed packages"):
        make(plugin(tmp_path))
