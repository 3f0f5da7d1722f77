from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.torhaus.store.audit.s3 import server
from torhaus.config.awssecrets import aws_secret
from torhaus.config.problems import FaultError

HERE = Path()


@pytest.fixture(scope="module")
def environ() -> Iterator[dict[str, str]]:
    with server() as aws:
        known = {
            "AWS_ACCESS_KEY_ID": "test-key",
            "AWS_SECRET_ACCESS_KEY": "test-secret",
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": aws.url,
        }
        _fill(aws.url)
        yield known


def _fill(url: str) -> None:
    client = boto3.session.Session(
        aws_access_key_id="test-key",
        aws_secret_access_key="test-secret",
        region_name="eu-central-1",
    ).client("secretsmanager", endpoint_url=url)
    client.create_secret(Name="mcp/github", SecretString='{"token": "canary-aws", "n": 1}')
    client.create_secret(Name="plain", SecretString="canary-plain")
    client.create_secret(Name="octets", SecretBinary=b"canary")
    client.close()


def test_a_secret_is_read_whole_or_by_field(environ: dict[str, str]) -> None:
    assert aws_secret("mcp/github#token", environ, HERE) == "canary-aws"
    assert aws_secret("plain", environ, HERE) == "canary-plain"


@pytest.mark.parametrize(
    ("what", "more", "words"),
    [
        ("", {}, "not whole"),
        ("none", {}, "ResourceNotFoundException: none"),
        ("octets", {}, "no text"),
        ("mcp/github#n", {}, "no field 'n'"),
        ("plain#token", {}, "no field 'token'"),
        ("plain", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "cannot be asked"),
        ("plain", {"AWS_PROFILE": "nobodys"}, "cannot be asked"),
    ],
)
def test_what_goes_wrong_is_said_without_a_secret(
    environ: dict[str, str], what: str, more: dict[str, str], words: str
) -> None:
    with pytest.raises(FaultError) as failed:
        aws_secret(what, {**environ, **more}, HERE)

    assert words in failed.value.message
    assert "canary" not in failed.value.message + failed.value.fix
