"""Day files of one tier in an S3 bucket."""

import os
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from torhaus.model.evidence import Written
from torhaus.model.keeping import FROZEN, Bucket, Tier
from torhaus.store.audit.disk import prepare, sync_directory
from torhaus.store.audit.tiers.shelves import FrozenError, ShelfError, proper

PARQUET = "application/vnd.apache.parquet"
SHA256 = "sha256"
"""The object's metadata that says what it holds."""

_STEP = 1024 * 1024
_BROKEN = (BaseError, OSError, ValueError)


def store_of(bucket: Bucket, **more: Any) -> Any:
    """A client. Nothing is asked of the bucket yet. `more`: what else obstore is to know."""
    keys: dict[str, Any] = {}
    if bucket.access_key_id is not None and bucket.secret_access_key is not None:
        keys["access_key_id"] = bucket.access_key_id.reveal()
        keys["secret_access_key"] = bucket.secret_access_key.reveal()
    if bucket.endpoint is not None:
        keys["endpoint"] = bucket.endpoint
    return S3Store(
        bucket.name,
        region=bucket.region or "us-east-1",  # servers that are not Amazon's accept any
        client_options={
            "allow_http": bucket.plaintext,
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=120),
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=60)},
        **keys,
        **more,
    )


class BucketShelf:
    """Objects `PREFIX/TIER/day=.../NODE-0000000001.parquet`, each put once and never replaced."""

    def __init__(self, bucket: Bucket, tier: Tier, store: Any = None) -> None:
        self._bucket = bucket
        self._store = store_of(bucket) if store is None else store
        self._below = f"{bucket.prefix}{tier}/"
        self.place = bucket.place
        self.storage_class = bucket.storage_class(tier)

    def key(self, name: str) -> str:
        return self._below + proper(name)

    def put(self, source: Path, file: Written) -> None:
        """Its digest goes along: the request's signature covers it, and the bucket keeps it.

        What can be read back at once is read back.
        """
        attributes: dict[str, str] = {"Content-Type": PARQUET, SHA256: file.sha256}
        if self.storage_class:
            attributes["Storage-Class"] = self.storage_class
        try:
            obstore.put(
                self._store,
                self.key(file.file),
                source,
                mode="create",
                use_multipart=False,
                attributes=attributes,
            )
        except AlreadyExistsError:
            pass  # an earlier attempt, or something else: looked at like one that was just put
        except _BROKEN as error:
            raise self._failed(error) from error
        self._prove(file)

    def _prove(self, file: Written) -> None:
        found = self._look(file)
        size, said = found.meta["size"], found.attributes.get(SHA256)
        if size != file.octets or said != file.sha256:
            raise self._another(file)
        if self.storage_class in FROZEN:
            return
        if self._digest(file) != file.sha256:
            raise self._another(file)

    def _another(self, file: Written) -> ShelfError:
        where = f"{self.key(file.file)} in {self.place}"
        return ShelfError(
            f"{where} is another file than the one of this name here; the one here is kept"
        )

    def _digest(self, file: Written) -> str:
        found = sha256()
        for block in self._blocks(file):
            found.update(block)
        return found.hexdigest()

    def fetch(self, file: Written, target: Path) -> None:
        fresh = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            prepare(target.parent)
            found = self._save(file, fresh)
            if found != file.sha256:
                raise ShelfError(
                    f"{self.key(file.file)} in {self.place} is not what the journal says it is"
                )
            fresh.replace(target)
            sync_directory(target.parent)
        except OSError as error:
            raise ShelfError(f"{target.parent}: {error.strerror or error}") from error
        finally:
            fresh.unlink(missing_ok=True)

    def _save(self, file: Written, fresh: Path) -> str:
        found = sha256()
        fresh.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        size = 0
        with os.fdopen(os.open(fresh, flags, 0o600), "wb") as stream:
            for block in self._blocks(file):
                size += len(block)
                if size > file.octets:
                    break  # another file; it need not be on our disk to the end
                found.update(block)
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        return found.hexdigest()

    def _blocks(self, file: Written) -> Iterator[bytes]:
        try:
            for block in obstore.get(self._store, self.key(file.file)).stream(_STEP):
                yield bytes(block)
        except _BROKEN as error:
            raise self._failed(error) from error

    def _look(self, file: Written) -> Any:
        try:
            return obstore.get(self._store, self.key(file.file), options={"head": True})
        except _BROKEN as error:
            raise self._failed(error) from error

    def check(self, file: Written) -> None:
        if self._look(file).meta["size"] != file.octets:
            raise self._another(file)

    def remove(self, name: str) -> None:
        try:
            obstore.delete(self._store, self.key(name))
        except _BROKEN as error:
            if not isinstance(error, FileNotFoundError) or "NoSuchBucket" in str(error):
                raise self._failed(error) from error

    def names(self) -> Iterator[str]:
        try:
            for page in obstore.list(self._store, prefix=self._below.rstrip("/")):
                for each in page:
                    yield each["path"].removeprefix(self._below)
        except _BROKEN as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> ShelfError:
        """In few words: the library's would fill a page."""
        text = str(error)
        where = f"the bucket {self._bucket.name}"
        if "InvalidObjectState" in text:
            return FrozenError(f"it is in {self.storage_class or 'cold'} storage: restore it first")
        if "NoSuchBucket" in text:
            return ShelfError(f"{where} does not exist at {self._bucket.endpoint or 'Amazon'}")
        if isinstance(error, FileNotFoundError):
            return ShelfError(f"it is not in {where} any more")
        if isinstance(error, PermissionDeniedError | UnauthenticatedError):
            return ShelfError(f"{where} refuses our keys, or does not let them do this")
        code = text.partition("<Code>")[2].partition("</Code>")[0][:64]
        return ShelfError(f"{where} does not answer{f' but {code}' if code else ''}")
