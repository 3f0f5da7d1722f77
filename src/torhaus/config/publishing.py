"""The shape of `audit_logs.publish`: who keeps heads of the journal outside."""

from pathlib import PurePath
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from torhaus.config.buckets import BucketSpec
from torhaus.config.notices import WebhookSpec
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line
from torhaus.model.publishing import HeadBucket, HeadFile, HeadHook, HeadTarget
from torhaus.model.secret import Secret


def _absolute(value: str) -> str:
    if not PurePath(value).is_absolute():
        raise FaultError("this path is not absolute", "write it as /mnt/evidence/torhaus-head.json")
    return value


class PublishSpec(Shape):
    """One place that keeps heads: a file, a webhook, or a bucket."""

    file: Annotated[Line, AfterValidator(_absolute)] | None = None
    """A path on a disk that others look after; replaced by every new head."""
    webhook: WebhookSpec | None = None
    """An address of yours that every head is posted to, signed."""
    bucket: BucketSpec | None = None
    """An S3 bucket that gets every head as an object, best one that locks them (Object Lock)."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.file, self.webhook, self.bucket)) != 1:
            raise FaultError("each entry is one place", "give file, webhook, or bucket")
        return self

    def target(self) -> HeadTarget:
        if self.bucket is not None:
            return HeadBucket(bucket=self.bucket.settings())
        if self.webhook is not None and self.webhook.secret is not None:
            return HeadHook(
                url=self.webhook.url, secret=Secret(self.webhook.secret.get_secret_value())
            )
        return HeadFile(path=self.file or "")
