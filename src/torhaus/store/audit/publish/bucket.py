"""Heads as objects in an S3 bucket, best one whose objects are locked for a time."""

from hashlib import sha256

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from torhaus.model.keeping import Bucket
from torhaus.model.publishing import PublishError
from torhaus.store.audit.tiers.bucket import store_of


class BucketKeeper:
    """`PREFIX/heads/0000000007-<digest>.json`: the journal's line, and which head it is.

    How long nobody can delete them is for the bucket to say (Object Lock, default retention).
    """

    def __init__(self, bucket: Bucket) -> None:
        self.name = f"bucket {bucket.name}"
        self._bucket = bucket
        # Amazon takes no object without a checksum into a bucket that locks its objects.
        self._store = store_of(bucket, checksum_algorithm="SHA256")

    def key(self, number: int, line: bytes) -> str:
        return f"{self._bucket.prefix}heads/{number:010}-{sha256(line).hexdigest()[:16]}.json"

    def put(self, number: int, line: bytes) -> None:
        try:
            obstore.put(
                self._store,
                self.key(number, line),
                line,
                mode="create",
                use_multipart=False,
                attributes={"Content-Type": "application/json"},
            )
        except AlreadyExistsError:
            return  # the answer to an earlier attempt was lost
        except (BaseError, OSError, ValueError) as error:
            raise PublishError(self._why(error)) from error

    def _why(self, error: Exception) -> str:
        """In few words: the library's would fill a page."""
        if isinstance(error, PermissionDeniedError | UnauthenticatedError):
            return "the bucket refuses our keys, or does not let them put objects"
        if "NoSuchBucket" in str(error) or isinstance(error, FileNotFoundError):
            return "there is no such bucket"
        code = str(error).partition("<Code>")[2].partition("</Code>")[0][:64]
        return f"the bucket does not answer{f' but {code}' if code else ''}"

    def close(self) -> None:
        """The client holds nothing that has to be given up."""
