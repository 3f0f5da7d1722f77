"""What one page of `tools/list` says: the tools as they are pinned, and as clients may see them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.mcp.params import MARK, Mark, marks
from torhaus.model.pins import Definition
from torhaus.policy.pins import definition
from torhaus.policy.poison import (
    MAX_DEFINITION,
    Finding,
    PoisonError,
    cleaned,
    scan,
)

MAX_TOOLS = 5000
"""Tools of one page that are looked at; nobody sees the others."""

NO_HINTS: Mapping[str, Any] = {}
NOTHING: Mapping[bytes, "Item"] = {}
_MARK = MARK.encode()
_decode = msgspec.json.decode
_encode = msgspec.json.encode


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One tool of a list. `shown`: its JSON text for clients. `hints`: its annotations.

    `marks`: arguments that headers must repeat. `withheld`: why no client may see it, a sentence.
    """

    name: str
    definition: Definition
    shown: bytes
    hints: Mapping[str, Any] = NO_HINTS
    marks: tuple[Mark, ...] = ()
    findings: tuple[Finding, ...] = ()
    withheld: str | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """`plain`: the result can go to clients byte for byte. A name stands in `items` once.

    `texts`: the JSON text of each item, as the server wrote it.
    """

    items: tuple[Item, ...]
    cursor: str | None
    plain: bool
    texts: Mapping[bytes, Item] = {}


class _Page(msgspec.Struct):
    tools: list[msgspec.Raw]
    nextCursor: str | None = None  # noqa: N815 -- the protocol's spelling


class _Tool(msgspec.Struct):
    name: str
    annotations: dict[str, Any] | None = None


_read = msgspec.json.Decoder(_Page).decode
_tool = msgspec.json.Decoder(_Tool).decode


def read(result: bytes, known: Mapping[bytes, Item] = NOTHING) -> Page:
    """Raises msgspec.MsgspecError, UnicodeDecodeError or RecursionError for what is no list.

    `known`: items by the texts of earlier pages, which need not be read again.
    """
    page = _read(result)
    items: dict[str, Item] = {}
    texts: dict[bytes, Item] = {}
    for each in page.tools[:MAX_TOOLS]:
        raw = bytes(each)
        item = known.get(raw)
        if item is None:
            item = _item(raw)
        texts[raw] = item
        # Readers differ in which of two they take, so there is only one.
        items.setdefault(item.name, item)
    plain = (
        len(items) == len(page.tools)
        and all(item.withheld is None for item in items.values())
        and all(
            item.shown == bytes(raw) for item, raw in zip(items.values(), page.tools, strict=True)
        )
        and _encode(_decode(result, type=dict[str, msgspec.Raw])) == result
    )
    return Page(items=tuple(items.values()), cursor=page.nextCursor, plain=plain, texts=texts)


def _item(raw: bytes) -> Item:
    head = _tool(raw)
    loose: dict[str, Any] = _decode(raw)
    found = definition(loose)
    shown, withheld = b"", None
    try:
        if len(raw) > MAX_DEFINITION:
            text = f"its definition has {len(raw)} bytes, where {MAX_DEFINITION} may be"
            raise PoisonError(text)  # noqa: TRY301 -- as all others
        # Written again from what was read: a key that stands twice is two things to two readers.
        shown = _encode(cleaned(loose))
    except PoisonError as error:
        withheld = str(error)
    return Item(
        name=head.name,
        definition=found,
        shown=shown,
        hints=head.annotations or NO_HINTS,
        marks=marks(loose.get("inputSchema")) if _MARK in found.text else (),
        findings=scan(loose) if len(raw) <= MAX_DEFINITION else (),
        withheld=withheld,
    )


def remembered(found: Definition) -> Item:
    """A tool as it was accepted, for when the server cannot say."""
    return _item(found.text)


def written(result: bytes, items: list[Item]) -> bytes:
    """A list result with these items in place of its own."""
    loose = _decode(result, type=dict[str, msgspec.Raw])
    loose["tools"] = msgspec.Raw(_encode([msgspec.Raw(item.shown) for item in items]))
    return _encode(loose)
