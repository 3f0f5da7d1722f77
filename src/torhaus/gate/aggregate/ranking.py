"""Which tools a question means: BM25 over names, titles, descriptions and arguments."""

from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import nlargest
from itertools import chain, islice
from math import log
from typing import Any

import msgspec

from torhaus.gate.aggregate.rewriting import UNREADABLE, Item
from torhaus.gate.aggregate.slices import Steps
from torhaus.gate.aggregate.terms import FIRST, KIN, asked, letters, near, terms

NAME, TITLE, WORDS, ARGUMENTS = 4.0, 2.0, 1.0, 0.6
"""What a word counts, by where it stands."""
LONGER, MISSPELT = 0.7, 0.6
"""What a word counts that is not the very one asked for."""
EXACT = 1000.0
_K1, _B = 1.4, 0.5
MAX_NAME = 200
MAX_TEXT = 1500
"""Characters of a name, a title, and of a description or all arguments, that are read."""
LONG = 256 * 1024
"""Octets of a definition of which only the name is read."""
MAX_QUESTION = 16
"""Words of a question that count."""
MAX_LIKE = 6
MAX_LOOKED_AT = 2000
MAX_SLIPS = 200
"""Words that are compared letter by letter with one of the question."""
_CHUNK = 500
"""Tools that are scored in one step."""


class Doc(msgspec.Struct, frozen=True, gc=False):
    """A tool as it is found: the name it has here, its title, description and arguments."""

    name: str
    own: str
    title: str
    description: str
    arguments: tuple[str, ...]
    required: frozenset[str]
    hints: dict[str, Any]
    text: bytes


class Index(msgspec.Struct, frozen=True):
    """The tools of one list. `found`: word -> (number of the tool, its weight in it).

    `named`: folded name, here or at its server -> numbers. `total`: all lengths. `initials`: first
    letter -> words with their letters. `octets`: of the definitions.
    """

    docs: tuple[Doc, ...]
    found: dict[str, list[tuple[int, float]]]
    lengths: list[float]
    total: float
    named: dict[str, list[int]]
    initials: dict[str, list[tuple[str, int]]]
    octets: int


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A tool and how well it fits."""

    doc: Doc
    score: float


class _Named(msgspec.Struct, frozen=True):
    """A tool of which nothing else is read."""

    name: str


def doc(item: Item) -> Doc | None:
    """What a list says of a tool; None where it cannot be read."""
    try:
        if len(item.text) > LONG:
            named = msgspec.json.decode(item.text, type=_Named)
            return Doc(named.name, item.name, "", "", (), frozenset(), {}, item.text)
        loose = msgspec.json.decode(item.text)
        schema = loose.get("inputSchema") or {}
        properties, needed = schema.get("properties") or {}, schema.get("required") or []
        hints = loose.get("annotations")
        hints = hints if isinstance(hints, dict) else {}
        title = loose.get("title") or hints.get("title") or ""
        said = loose.get("description") or ""
        return Doc(
            name=str(loose["name"]),
            own=item.name,
            title=title if isinstance(title, str) else "",
            description=said if isinstance(said, str) else "",
            arguments=tuple(properties) if isinstance(properties, dict) else (),
            required=frozenset(each for each in needed if isinstance(each, str)),
            hints=hints,
            text=item.text,
        )
    except (*UNREADABLE, AttributeError, KeyError, TypeError):
        return None


def indexing(items: Iterable[Item]) -> Steps[Index]:
    """The index of a list, made once and not for each question: tool after tool."""
    docs: list[Doc] = []
    found: dict[str, list[tuple[int, float]]] = {}
    named: dict[str, list[int]] = {}
    lengths: list[float] = []
    for each in items:
        one = doc(each)
        if one is not None:
            weights, number = _weights(one), len(docs)
            docs.append(one)
            lengths.append(sum(weights.values()))
            for word, weight in weights.items():
                found.setdefault(word, []).append((number, weight))
            for name in {one.name.casefold(), one.own.casefold()}:
                named.setdefault(name, []).append(number)
        yield
    initials: dict[str, list[tuple[str, int]]] = {}
    for number, word in enumerate(found):
        initials.setdefault(word[0], []).append((word, letters(word)))
        if number % _CHUNK == 0:
            yield
    octets = sum(len(each.text) for each in docs)
    return Index(tuple(docs), found, lengths, sum(lengths), named, initials, octets)


def _weights(each: Doc) -> dict[str, float]:
    weights: dict[str, float] = {}
    parts = (
        (NAME, each.name[:MAX_NAME]),
        (TITLE, each.title[:MAX_NAME]),
        (WORDS, each.description[:MAX_TEXT]),
        (ARGUMENTS, " ".join(each.arguments[:MAX_NAME])[:MAX_TEXT]),
    )
    for weight, text in parts:
        for word in terms(text):
            weights[word] = weights.get(word, 0.0) + weight
    return weights


Place = tuple[int, int]
"""Number of the index, number of the tool in it."""


def searching(indexes: Sequence[Index], question: str, limit: int) -> Steps[tuple[list[Hit], int]]:
    """Those that fit best first, and how many fit at all. Equal ones in the list's order."""
    wanted = asked(question, lambda word: _known(indexes, word))[:MAX_QUESTION]
    size = sum(len(each.docs) for each in indexes)
    if not wanted or not size:
        return [], 0
    mean = sum(each.total for each in indexes) / size
    scores: dict[Place, float] = {}
    matched: Counter[Place] = Counter()
    for word in wanted:
        best = yield from _best(indexes, word, size, mean)
        matched.update(best.keys())
        yield
        for place, score in best.items():
            scores[place] = scores.get(place, 0.0) + score
        yield
    for place in scores:
        scores[place] *= 0.4 + 0.6 * matched[place] / len(wanted)
    plain = question.strip().casefold()
    for n, each in enumerate(indexes):
        for number in each.named.get(plain, ()):
            scores[n, number] = scores.get((n, number), 0.0) + EXACT
    yield
    hits = [Hit(indexes[n].docs[number], scores[n, number]) for n, number in _first(scores, limit)]
    return hits, len(scores)


def _first(scores: dict[Place, float], limit: int) -> list[Place]:
    least = min(nlargest(limit, scores.values()), default=0.0)
    order = [place for place, score in scores.items() if score >= least]
    return sorted(order, key=lambda place: (-scores[place], place))[:limit]


def _known(indexes: Sequence[Index], word: str) -> bool:
    return any(word in each.found for each in indexes)


def _best(indexes: Sequence[Index], word: str, size: int, mean: float) -> Steps[dict[Place, float]]:
    """What one word of the question gives each tool: by the best of its spellings."""
    best: dict[Place, float] = {}
    spellings = yield from _spellings(indexes, word)
    for spelling, worth in spellings.items():
        held = sum(len(each.found.get(spelling, ())) for each in indexes)
        rarity = worth * log(1 + (size - held + 0.5) / (held + 0.5))
        for n, each in enumerate(indexes):
            found = each.found.get(spelling, [])
            for start in range(0, len(found), _CHUNK):
                _score(best, n, found[start : start + _CHUNK], rarity, each.lengths, mean)
                yield
    return best


def _score(
    best: dict[Place, float],
    n: int,
    found: Sequence[tuple[int, float]],
    rarity: float,
    lengths: list[float],
    mean: float,
) -> None:
    for number, weight in found:
        length = lengths[number] / mean
        score = rarity * weight * (_K1 + 1) / (weight + _K1 * (1 - _B + _B * length))
        place = n, number
        best[place] = max(score, best.get(place, 0.0))


def _spellings(indexes: Sequence[Index], word: str) -> Steps[dict[str, float]]:
    found = KIN.get(word, {})
    if _known(indexes, word):
        return {**found, word: 1.0}
    if found:
        # A word of another language, most likely: its kin is all there is.
        return {other: worth / FIRST for other, worth in found.items()}
    return (yield from _like(indexes, word))


def _like(indexes: Sequence[Index], word: str) -> Steps[dict[str, float]]:
    """For a word that no tool has: longer ones, and those a slip of the finger away."""
    begun, slips, own, tried = [], [], letters(word), 0
    limit = 0 if len(word) < 3 else 1 if len(word) < 8 else 2
    known = chain.from_iterable(each.initials.get(word[0], ()) for each in indexes)
    for number, (other, its) in enumerate(islice(known, MAX_LOOKED_AT)):
        longer = len(word) >= 3 and other.startswith(word)
        if longer or (len(other) >= 5 and word.startswith(other)):
            begun.append((not longer, number, other))
        elif limit and tried < MAX_SLIPS and _may_be(word, own, other, its, limit):
            tried += 1
            if near(word, other, limit):
                slips.append(other)
            yield
        if number % _CHUNK == 0:
            yield
    like = dict.fromkeys((other for _, _, other in sorted(begun)), LONGER)
    like |= {other: MISSPELT for other in slips if other not in like}
    return dict(list(like.items())[:MAX_LIKE])


def _may_be(word: str, own: int, other: str, its: int, limit: int) -> bool:
    """Whether so few letters are others, whatever their order: which is told fast."""
    apart = (own ^ its).bit_count() <= 2 * limit
    return apart and len(other) > 3 and abs(len(word) - len(other)) <= limit
