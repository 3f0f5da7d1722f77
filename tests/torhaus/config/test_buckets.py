from pathlib import Path

import pytest

from torhaus.config.buckets import both
from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.settings import restart_needed
from torhaus.model.keeping import Bucket, Tier
from torhaus.model.secret import Secret

RETENTION = """
audit_logs:
  retention: {hot_storage: 30d, warm_storage: 180d, cold_storage: 2y}
  after_retention: delete
"""
FULL = (
    RETENTION
    + """
storage:
  audit:
    bucket: torhaus-audit
    endpoint: https://S3.example.org:9000/
    region: eu-central-1
    access_key_id: ${KEY}
    secret_access_key: ${SECRET}
    prefix: team/audit/
    storage_class: {warm: STANDARD_IA, cold: GLACIER}
"""
)
ENVIRON = {"KEY": "AKIAEXAMPLE", "SECRET": "very-secret"}


def bucket(block: str) -> Bucket | None:
    return load_text(f"{RETENTION}storage: {{audit: {{{block}}}}}", "t.yml", {}).settings.bucket


def test_without_a_word_everything_is_on_the_disk() -> None:
    assert load_text("{}", "t.yml", {}).settings.bucket is None


def test_a_bucket_is_read_and_its_keys_are_never_shown() -> None:
    loaded = load_text(FULL, "t.yml", ENVIRON)

    assert [each for each in loaded.warnings if "audit" in each.path] == []
    assert loaded.settings.bucket == Bucket(
        name="torhaus-audit",
        endpoint="https://s3.example.org:9000",
        region="eu-central-1",
        access_key_id=Secret("AKIAEXAMPLE"),
        secret_access_key=Secret("very-secret"),
        prefix="team/audit/",
        warm_class="STANDARD_IA",
        cold_class="GLACIER",
        archive_class="GLACIER",
    )
    assert "very-secret" not in repr(loaded.settings)
    assert "AKIAEXAMPLE" not in repr(loaded.settings)


def test_its_place_is_told_without_keys() -> None:
    found = load_text(FULL, "t.yml", ENVIRON).settings.bucket

    assert found is not None
    assert found.place == "https://s3.example.org:9000/torhaus-audit/team/audit"
    assert Bucket(name="b").place == "s3://b"
    assert found.storage_class(Tier.COLD) == "GLACIER"
    assert found.storage_class(Tier.HOT) == ""


def test_keys_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("AKIAEXAMPLE\n")
    (tmp_path / "secret").write_text("very-secret\n")
    keys = "access_key_id_file: id, secret_access_key_file: secret"
    text = f"{RETENTION}storage: {{audit: {{bucket: audit, region: x, {keys}}}}}"

    found = load_text(text, str(tmp_path / "t.yml"), {}).settings.bucket

    assert found is not None
    assert found.access_key_id == Secret("AKIAEXAMPLE")
    assert found.secret_access_key == Secret("very-secret")


def test_another_bucket_needs_a_restart() -> None:
    one = load_text(RETENTION, "t.yml", {}).settings
    other = load_text(FULL, "t.yml", ENVIRON).settings

    assert restart_needed(one, other) == ["bucket"]


@pytest.mark.parametrize(
    ("endpoint", "word"),
    [
        ("http://127.0.0.1:9000", "loopback"),
        ("http://localhost:9000", "loopback"),
        ("http://localhost:9000", "private"),
        ("http://10.1.2.3:9000", "private"),
        ("http://minio:9000", "private"),
        ("http://minio.storage.svc:9000", "private"),
        ("http://s3.corp.internal", "private"),
        ("http://[fd00::1]:9000", "private"),
    ],
)
def test_http_needs_a_word_and_stays_in_your_own_network(endpoint: str, word: str) -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        bucket(f"bucket: audit, endpoint: '{endpoint}'")

    found = bucket(f"bucket: audit, endpoint: '{endpoint}', plaintext: {word}")

    assert found is not None
    assert found.plaintext


@pytest.mark.parametrize(
    ("endpoint", "word"),
    [
        ("http://s3.example.org", "private"),
        ("http://8.8.8.8:9000", "private"),
        ("http://10.1.2.3:9000", "loopback"),
        ("http://10.1.2.3.example.org", "private"),
        ("http://169.254.169.254.nip.io", "private"),
    ],
)
def test_http_beyond_it_is_refused_whatever_is_said(endpoint: str, word: str) -> None:
    with pytest.raises(ConfigError, match="not known to be yours"):
        bucket(f"bucket: audit, endpoint: '{endpoint}', plaintext: {word}")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("bucket: Audit, region: x", "not a bucket's name"),
        ("bucket: a..b, region: x", "not a bucket's name"),
        ("bucket: ../audit, region: x", "not a bucket's name"),
        ("bucket: audit", "in a region"),
        ("bucket: audit, region: 'eu central'", "not a region"),
        ("bucket: audit, region: x, prefix: /a", "not a prefix"),
        ("bucket: audit, region: x, prefix: a/../b", "not a prefix"),
        ("bucket: audit, region: x, prefix: 'a//b'", "not a prefix"),
        ("bucket: audit, region: x, access_key_id: a", "go together"),
        ("bucket: audit, endpoint: 'https://x.org/path'", "has a path"),
        ("bucket: audit, endpoint: 'ftp://x.org'", "not an http"),
        ("bucket: audit, endpoint: 'https://me:secret@x.org'", "must not hold a user"),
        ("bucket: audit, region: x, storage_class: {warm: GLACIER}", "cannot be read at once"),
        ("bucket: audit, region: x, storage_class: GLACIER", "cannot be read at once"),
        ("bucket: audit, region: x, storage_class: {cold: GLACIAR}", "GLACIER"),
        ("bucket: audit, region: x, keys: y", "unknown key"),
    ],
)
def test_what_cannot_be_is_refused(block: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        bucket(block)

    assert "storage.audit" in str(raised.value)
    assert "secret" not in str(raised.value).replace("secret_access_key", "")


def test_one_class_is_for_every_tier() -> None:
    found = bucket("bucket: audit, region: x, storage_class: ONEZONE_IA")

    assert found is not None
    assert (found.warm_class, found.cold_class) == ("ONEZONE_IA", "ONEZONE_IA")
    assert found.archive_class == "ONEZONE_IA"
    assert both({"warm": "STANDARD"}) == {"warm": "STANDARD"}
