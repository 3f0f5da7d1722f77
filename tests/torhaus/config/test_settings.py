from pathlib import Path

import pytest
from msgspec.structs import replace

from torhaus.config.settings import Settings, restart_needed
from torhaus.model.auditing import AuditSettings

NOW = Settings()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"host": "::"}, ["host"]),
        ({"port": 1}, ["port"]),
        ({"data_dir": Path("x")}, ["data_dir"]),
        ({"audit": AuditSettings(durability="async", flush=1.0)}, ["audit"]),
        ({"max_body": 1, "public_url": "https://x.de", "timezone": "Asia/Tokyo"}, []),
        ({}, []),
    ],
)
def test_only_what_is_bound_at_the_start_needs_a_restart(
    change: dict[str, object], named: list[str]
) -> None:
    assert restart_needed(NOW, replace(NOW, **change)) == named
