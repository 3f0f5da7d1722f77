"""A real S3 server on loopback, and buckets of it."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from torhaus.model.keeping import Bucket
from torhaus.model.secret import Secret

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
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Running on" in line:
                break
        s3 = S3(line.split()[-1])
        try:
            yield s3
        finally:
            s3.close()
            process.kill()
            process.communicate()
