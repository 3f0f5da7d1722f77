from pathlib import Path

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.settings import restart_needed

URL = "postgresql://torhaus:very-secret@db.example.org/torhaus"


def test_without_storage_the_state_is_in_the_data_directory() -> None:
    assert load_text("{}", "t.yml", {}).settings.state_url is None


def test_the_url_comes_from_the_environment_and_is_never_shown() -> None:
    text = "storage: {state: 'postgresql://torhaus:${PASSWORD}@db.example.org/torhaus'}"

    settings = load_text(text, "t.yml", {"PASSWORD": "very-secret"}).settings

    assert settings.state_url is not None
    assert settings.state_url.reveal() == URL
    assert "very-secret" not in repr(settings)


def test_the_url_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(URL + "\n")

    loaded = load_text("storage: {state_file: url}", str(tmp_path / "t.yml"), {})

    assert loaded.settings.state_url is not None
    assert loaded.settings.state_url.reveal() == URL


def test_another_database_needs_a_restart() -> None:
    one = load_text("{}", "t.yml", {}).settings
    other = load_text(f"storage: {{state: '{URL}'}}", "t.yml", {}).settings

    assert restart_needed(one, other) == ["state_url"]
    assert restart_needed(other, other) == []


@pytest.mark.parametrize(
    "url", ["mysql://root:very-secret@db/x", "db.example.org", "sqlite:///very-secret.db"]
)
def test_other_databases_are_refused_without_repeating_the_url(url: str) -> None:
    with pytest.raises(ConfigError, match="not the URL of a PostgreSQL database") as raised:
        load_text(f"storage: {{state: '{url}'}}", "t.yml", {})

    assert "very-secret" not in str(raised.value)


@pytest.mark.parametrize("key", ["cache"])
def test_what_is_not_there_yet_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="not supported by this version yet"):
        load_text(f"storage: {{{key}: 'x'}}", "t.yml", {})
