import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.retaining import short
from torhaus.config.settings import restart_needed
from torhaus.model.keeping import After, Retention

DAY = 86400.0
BRIEF = """
audit_logs:
  retention:
    hot_storage: 30d     # Elasticsearch: schneller Zugriff
    warm_storage: 180d   # S3: günstigerer Storage
    cold_storage: 2y     # Glacier: Compliance

  after_retention:
    action: delete       # oder: archive_to_tape
"""


def test_the_block_of_the_product_text_is_read_as_limits_of_age() -> None:
    found = load_text(BRIEF, "t.yml", {})

    assert found.settings.retention == Retention(
        hot=30 * DAY, warm=180 * DAY, cold=730 * DAY, after=After.DELETE
    )
    assert [each for each in found.warnings if "audit" in each.path] == []


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("delete", After.DELETE),
        ("archive", After.ARCHIVE),
        ("archive_to_tape", After.ARCHIVE),
        ("{action: archive_to_tape}", After.ARCHIVE),
    ],
)
def test_what_comes_after_may_be_one_word(said: str, meant: After) -> None:
    text = f"audit_logs: {{retention: {{hot_storage: 30d}}, after_retention: {said}}}"

    assert load_text(text, "t.yml", {}).settings.retention == Retention(hot=30 * DAY, after=meant)


def test_without_a_word_nothing_moves_and_nothing_ends() -> None:
    assert load_text("{}", "t.yml", {}).settings.retention == Retention()


def test_other_retention_needs_a_restart() -> None:
    one, other = load_text("{}", "t.yml", {}).settings, load_text(BRIEF, "t.yml", {}).settings

    assert restart_needed(one, other) == ["retention"]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("hot_storage: 30d, warm_storage: 7d", "warm_storage is not longer than hot_storage"),
        ("hot_storage: 30d, warm_storage: 30d", "warm_storage is not longer than hot_storage"),
        ("hot_storage: 30d, cold_storage: 7d", "cold_storage is not longer than hot_storage"),
        (
            "hot_storage: 1d, warm_storage: 1y, cold_storage: 30d",
            "cold_storage is not longer than warm_storage",
        ),
        ("warm_storage: 30d", "does not say how long records are hot"),
        ("hot_storage: 3h", "out of range"),
        ("hot_storage: 101y", "out of range"),
        ("hot_storage: soon", "not a duration"),
        ("hot: 30d", "unknown key"),
    ],
)
def test_what_cannot_be_is_refused_with_a_fix(block: str, message: str) -> None:
    text = f"audit_logs: {{retention: {{{block}}}, after_retention: delete}}"

    with pytest.raises(ConfigError, match=message) as raised:
        load_text(text, "t.yml", {})

    assert "t.yml:1: audit_logs.retention" in str(raised.value)
    assert "fix: " in str(raised.value)


@pytest.mark.parametrize("after", ["shred", "{action: shred}", "{}", "[delete]", "7"])
def test_other_words_for_the_end_are_refused(after: str) -> None:
    text = f"audit_logs: {{retention: {{hot_storage: 30d}}, after_retention: {after}}}"

    with pytest.raises(ConfigError, match=r"audit_logs\.after_retention"):
        load_text(text, "t.yml", {})


def test_only_text_is_a_short_form() -> None:
    assert short("delete") == {"action": "delete"}
    assert short({"action": "delete"}) == {"action": "delete"}
    assert short(7) == 7
