"""A real S3 server on loopback, and buckets of it."""

import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import IO, Any

import boto3

from torhaus.model.keeping import Bucket
from torhaus.model.secret import Secret

STARTS = 90.0
_names = itertools.count(1)


class S3:
    """`boto`: a client of the provider's own, to look and to meddle with."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.boto: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )

    def bucket(self, **changes: Any) -> Bucket:
        """A fresh one."""
        name = f"audit-{next(_names)}"
        self.boto.create_bucket(Bucket=name)
        return self.named(name, **changes)

    def named(self, name: str, **changes: Any) -> Bucket:
        facts: dict[str, Any] = {
            "endpoint": self.url,
            "region": "us-east-1",
            "access_key_id": Secret("key"),
            "secret_access_key": Secret("secret"),
            "prefix": "team/",
            "warm_class": "STANDARD_IA",
            "cold_class": "GLACIER",
            "archive_class": "GLACIER",
            "plaintext": True,
        }
        return Bucket(name=name, **{**facts, **changes})

    def keys(self, bucket: Bucket) -> list[str]:
        found = self.boto.list_objects_v2(Bucket=bucket.name).get("Contents", [])
        return [each["Key"] for each in found]

    def spoil(self, bucket: Bucket, key: str, body: bytes) -> None:
        """Another object in its place, with the same metadata."""
        head = self.boto.head_object(Bucket=bucket.name, Key=key)
        self.boto.put_object(Bucket=bucket.name, Key=key, Body=body, Metadata=head["Metadata"])

    def close(self) -> None:
        self.boto.close()


@contextmanager
def server() -> Iterator[S3]:
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    # It says a line for each request: a pipe that nobody empties would stop it after some hundred.
    with (
        tempfile.TemporaryFile("w+") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            with closing(S3(_address(process, out))) as s3:
                yield s3
        finally:
            process.kill()


def _address(process: subprocess.Popen[bytes], out: IO[str]) -> str:
    """Where it listens, once it does."""
    end = time.monotonic() + STARTS
    while (found := re.search(r"Running on (\S+)", said := _said(out))) is None:
        assert process.poll() is None, said
        assert time.monotonic() < end, said
        time.sleep(0.02)
    return found[1]


def _said(out: IO[str]) -> str:
    out.seek(0)
    return out.read()
