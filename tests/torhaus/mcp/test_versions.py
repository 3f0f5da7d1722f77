import pytest

from torhaus.mcp.versions import LATEST_LEGACY, LEGACY, negotiate


@pytest.mark.parametrize("version", LEGACY)
def test_a_version_we_know_is_agreed_on(version: str):
    assert negotiate(version) == version


@pytest.mark.parametrize("asked", ["2026-07-28", "2099-01-01", "", None, 20251125, ["2025-11-25"]])
def test_any_other_gets_our_latest(asked: object):
    assert negotiate(asked) == LATEST_LEGACY == "2025-11-25"
