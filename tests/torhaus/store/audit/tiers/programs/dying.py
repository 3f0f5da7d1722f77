"""One round of upkeep that is killed (SIGKILL) right before its N-th change of anything.

`python -m ...dying DATA N NOW [ENDPOINT BUCKET]`. N = 0: nothing kills it. It prints every change:
a file opened for writing, renamed, linked, made or removed, and every change in the bucket.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.torhaus.store.audit.tiers.stock import depot
from torhaus.model.evidence import Written
from torhaus.model.keeping import After, Bucket, Retention, Tier
from torhaus.model.secret import Secret
from torhaus.store.audit.tiers.bucket import BucketShelf
from torhaus.store.audit.tiers.upkeep import Upkeep

DAY = 86400.0
_CHANGES = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


class Death:
    def __init__(self, at: int, data: Path) -> None:
        self._at = at
        self._data = str(data)
        self.seen: list[str] = []

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(args[2], int) and args[2] & _WRITES
        if (event in _CHANGES or writes) and self._data in str(args[0]):
            self.comes(f"{event} {Path(str(args[0])).name}")

    def comes(self, what: str) -> None:
        self.seen.append(what)
        if len(self.seen) == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


class Mortal(BucketShelf):
    death: Death

    def put(self, source: Path, file: Written) -> None:
        self.death.comes("before put")
        super().put(source, file)
        self.death.comes("after put")

    def remove(self, name: str) -> None:
        self.death.comes("before delete")
        super().remove(name)
        self.death.comes("after delete")


def upkeep(data: Path, bucket: Bucket | None, death: Death | None = None) -> Upkeep:
    here = depot(data, bucket)
    if death is not None and bucket is not None:
        for tier in (Tier.WARM, Tier.COLD):
            shelf = Mortal(bucket, tier)
            shelf.death = death
            here.shelves[tier] = shelf  # type: ignore[index]
    retention = Retention(hot=30 * DAY, warm=180 * DAY, cold=730 * DAY, after=After.DELETE)
    return Upkeep(here, retention, bucket, grace=0.0)


def main() -> None:
    data, at, now = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    bucket = None
    if len(sys.argv) > 4:
        bucket = Bucket(
            name=sys.argv[5],
            endpoint=sys.argv[4],
            access_key_id=Secret("key"),
            secret_access_key=Secret("secret"),
            prefix="team/",
            warm_class="STANDARD_IA",
            plaintext=True,
        )
    death = Death(at, data)
    made = upkeep(data, bucket, death)
    sys.addaudithook(death.hook)
    made.round(now)
    for each in death.seen:
        print("change:", each)
    print("trouble:", made.standing.trouble)


if __name__ == "__main__":
    main()
