"""Those who keep heads: a file on another disk, whoever takes a webhook, a bucket."""

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from torhaus.audit.attest import Keys
from torhaus.identity.signature import HEADER, header
from torhaus.model.publishing import (
    HeadBucket,
    HeadFile,
    HeadHook,
    HeadTarget,
    Keeper,
    PublishError,
)
from torhaus.model.shipping import DeliveryError, RefusedError
from torhaus.model.tls import Tls
from torhaus.store.audit.heads import HeadError, goes_on, keep
from torhaus.store.audit.publish.bucket import BucketKeeper
from torhaus.store.audit.sinks.posting import Poster

PATIENCE = 10.0
"""Seconds a webhook may take to connect, and to answer."""

_MOST = 64 * 1024


class FileKeeper:
    """Never replaces the head of another journal: that one is evidence."""

    def __init__(self, path: Path, audit: Path, keys: Keys) -> None:
        self.name = f"file {path}"
        self._path = path
        self._audit = audit
        self._keys = keys
        self._last = 0

    def put(self, number: int, line: bytes) -> None:
        try:
            if not self._last or number < self._last:
                goes_on(self._audit, self._path, self._keys)
            keep(self._path, line)
        except HeadError as error:
            raise PublishError(str(error)) from error
        except OSError as error:
            raise PublishError(f"it cannot be written: {error.strerror}") from error
        self._last = number

    def close(self) -> None:
        """Nothing is open."""


class HookKeeper:
    """Posts each head as it is signed; the request is signed as notices are."""

    def __init__(self, hook: HeadHook, clock: Callable[[], float] = time.time) -> None:
        self.name = f"webhook {urlsplit(hook.url).hostname}"
        self._hook = hook
        self._clock = clock
        self._poster: Poster | None = None

    def put(self, _number: int, line: bytes) -> None:
        stamp = f"{self._clock():.0f}"
        headers = {
            "content-type": "application/json",
            HEADER: header(self._hook.secret.reveal(), stamp, line),
        }
        try:
            if self._poster is None:
                self._poster = Poster(self._hook.url, Tls(), PATIENCE, _MOST)
            self._poster.post(line, headers)
        except (DeliveryError, RefusedError) as error:
            raise PublishError(str(error)) from error

    def close(self) -> None:
        if self._poster is not None:
            self._poster.close()


def keeper(target: HeadTarget, audit: Path, keys: Keys) -> Keeper:
    match target:
        case HeadFile():
            return FileKeeper(Path(target.path), audit, keys)
        case HeadHook():
            return HookKeeper(target)
        case HeadBucket():
            return BucketKeeper(target.bucket)
