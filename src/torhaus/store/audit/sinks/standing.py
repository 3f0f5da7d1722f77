"""How a sink stands, as its files say: for those who look from another process."""

from pathlib import Path

from torhaus.model.shipping import SinkState
from torhaus.store.audit.sinks.positions import Book, Place, load
from torhaus.store.audit.sinks.tail import Tail, first_after

_EVERYTHING = 1 << 50


def standing(audit: Path, name: str) -> SinkState:
    """Raises OSError, DamagedBookError."""
    book = load(audit, name) or Book()
    hot = audit / "hot"
    behind = Tail(hot, book).behind(_EVERYTHING)
    return SinkState(
        name=name,
        state="failing" if book.error else "idle",
        error=book.error,
        failed_at=book.failed_at,
        delivered=book.delivered,
        refused=book.refused,
        behind=behind,
        oldest=_oldest(hot, book) if behind else "",
    )


def _oldest(hot: Path, book: Book) -> str:
    found = [
        first_after(path, book.segments.get(path.name) or Place())
        for path in sorted(hot.glob("seg-*.jsonl"))
    ]
    return min((each for each in found if each), default="")
