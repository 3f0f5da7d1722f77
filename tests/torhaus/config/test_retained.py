import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.retained import retained
from torhaus.config.source import read
from torhaus.config.validate import validate
from torhaus.model.keeping import After

KEEPS = "audit_logs: {retention: {hot_storage: 30d}}"
DELETES = "audit_logs: {retention: {hot_storage: 30d, warm_storage: 1y}, after_retention: delete}"
BUCKET = "storage: {audit: {bucket: audit, region: eu-central-1%s}}"


def warnings(*blocks: str) -> list[str]:
    found = load_text("\n".join(blocks), "t.yml", {}).warnings
    return [str(each) for each in found if "audit" in each.path]


def test_who_says_nothing_of_the_end_is_told_that_records_stay() -> None:
    (warning,) = warnings(KEEPS)

    assert "records older than 30 days stay" in warning
    assert "after_retention: delete" in warning


def test_an_end_needs_an_age() -> None:
    with pytest.raises(ConfigError, match="nothing ever ends"):
        load_text("audit_logs: {after_retention: delete}", "t.yml", {})


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ((BUCKET % "",), "nothing is ever moved there"),
        ((KEEPS.replace("}}", "}, after_retention: delete}"), BUCKET % ""), "nothing is ever"),
        ((DELETES, BUCKET % ", plaintext: private"), "the endpoint is https"),
        ((DELETES, BUCKET % ", storage_class: {cold: GLACIER}"), "there is no cold tier"),
    ],
)
def test_what_has_no_effect_is_told(blocks: tuple[str, ...], said: str) -> None:
    assert any(said in each for each in warnings(*blocks))


def test_what_fits_needs_no_word() -> None:
    assert warnings(DELETES, BUCKET % ", storage_class: {warm: STANDARD_IA}") == []


def test_it_gives_what_the_file_says() -> None:
    source = read(DELETES, "t.yml")
    file = validate(source)

    assert file is not None
    assert retained(source, file).after is After.DELETE
