"""Day files of a bucket, for questions: copies on this disk, and which days there are none of."""

from collections.abc import Iterable, Sequence

from torhaus.audit.catalogue import DayFile
from torhaus.model.asking import Skipped
from torhaus.store.audit.fetched import Fetched as Copies
from torhaus.store.query.files import Fetch, Fetched


def copying(copies: Copies) -> Fetch:
    """For `AuditFiles`: what is warm, and what is cold and was restored."""

    def fetch(files: Sequence[DayFile]) -> Fetched:
        cold = [each for each in files if not copies.readable(each)]
        paths, failed = copies.some(each for each in files if copies.readable(each))
        skipped = [_cold(_days(cold))] if cold else []
        if failed:
            away = _days(each for each in files if each.written.file in failed)
            why = str(next(iter(failed.values())))
            skipped.append(Skipped(days=away, why=f"unreachable: {why}", fix=""))
        return Fetched(tuple(paths), tuple(skipped))

    return fetch


def _cold(days: tuple[str, ...]) -> Skipped:
    fix = f"restore with torhaus audit restore --from {days[0]} --to {days[-1]}"
    return Skipped(days=days, why="cold", fix=fix)


def _days(files: Iterable[DayFile]) -> tuple[str, ...]:
    return tuple(sorted({each.written.day for each in files}))
