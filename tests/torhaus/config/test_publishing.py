import json
from pathlib import Path

import pytest

from tests.torhaus.config.test_recording import SERVERS
from torhaus.config.load import load
from torhaus.config.problems import ConfigError
from torhaus.model.publishing import HeadBucket, HeadFile, HeadHook
from torhaus.model.secret import Secret

HOOK = {"url": "https://keeper.example.org/heads", "secret": "s3cret-s3cret"}


def loaded(tmp_path: Path, **logs: object) -> object:
    path = tmp_path / "torhaus.yml"
    path.write_text(json.dumps({"mcpServers": SERVERS, "audit_logs": logs}))
    return load(path, environ={}).settings.audit


def test_heads_go_to_files_and_webhooks(tmp_path: Path):
    (tmp_path / "secret").write_text("s3cret-s3cret\n")
    hook = {"url": HOOK["url"], "secret_file": "secret"}

    found = loaded(tmp_path, publish=[{"file": "/mnt/head.json"}, {"webhook": hook}])

    assert found.publish == (
        HeadFile(path="/mnt/head.json"),
        HeadHook(url="https://keeper.example.org/heads", secret=Secret("s3cret-s3cret")),
    )


def test_heads_go_to_a_bucket(tmp_path: Path):
    spec = {"bucket": "heads", "region": "eu-central-1", "prefix": "torhaus"}

    (found,) = loaded(tmp_path, publish=[{"bucket": spec}]).publish

    assert isinstance(found, HeadBucket)
    assert (found.bucket.name, found.bucket.prefix) == ("heads", "torhaus/")


def test_segments_have_a_size_and_an_age(tmp_path: Path):
    found = loaded(tmp_path, segment={"size": "8MiB", "age": "10m"})

    assert (found.segment_size, found.segment_age) == (8 << 20, 600)


@pytest.mark.parametrize(
    ("logs", "where", "told"),
    [
        ({"publish": [{"file": "head.json"}]}, "audit_logs.publish[0].file", "not absolute"),
        ({"publish": [{}]}, "audit_logs.publish[0]", "each entry is one place"),
        (
            {"publish": [{"file": "/mnt/x", "webhook": HOOK}]},
            "audit_logs.publish[0]",
            "each entry is one place",
        ),
        (
            {"publish": [{"webhook": {"url": HOOK["url"]}}]},
            "audit_logs.publish[0].webhook",
            "needs a secret",
        ),
        ({"segment": {"size": "1KiB"}}, "audit_logs.segment.size", "out of range"),
        ({"segment": {"age": "1s"}}, "audit_logs.segment.age", "out of range"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, logs: dict[str, object], where: str, told: str):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, **logs)

    (problem,) = caught.value.problems
    assert problem.path == where
    assert told in problem.message
