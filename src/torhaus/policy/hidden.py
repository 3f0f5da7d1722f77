"""Characters that a model reads and a person does not see.

Sources: Unicode's Default_Ignorable_Code_Point and Bidi_Control (UAX 44), "tag" smuggling
(U+E0000), variation selectors that spell bytes, terminal escapes in tool descriptions.
"""

import re
import unicodedata
from functools import lru_cache

_SUSPECT = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 and C1 but tab and line breaks
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # fillers, marks
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # zero width, bidi
    "\ufe00-\ufe0f"  # variation selectors
    "\ufdd0-\ufdef\ufff0-\ufffc\ufffe\uffff"  # no characters, annotations
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand and music formats
    "\U000e0000-\U000e0fff"  # tags, more variation selectors, unassigned ignorables
    "\ue000-\uf8ff\U000f0000-\U0010ffff"  # private use
    "]"
    "|\r(?!\n)"  # alone, it lets a terminal write over the line
)
_JOINERS = ("\u200c", "\u200d")
_STYLES = ("\ufe0e", "\ufe0f")  # as text, as emoji
_SEEN_SOMEWHERE = frozenset((*_JOINERS, *_STYLES))
_KEYCAP = "\u20e3"

_EMOJI = re.compile(
    "[\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
# Scripts in which a joiner changes how letters look: Arabic to Mandaic, Indic, Myanmar, Khmer,
# Mongolian, Arabic presentation forms, Adlam.
_JOINING = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\ufb50-\ufdcf\ufdf0-\ufdff"
    "\ufe70-\ufefc\U0001e900-\U0001e95f]"
)


def stripped(text: str) -> str:
    """The text without what cannot be seen.

    Joiners stay between letters of scripts that need them and inside emoji, and so does the one
    selector that says whether a symbol is an emoji: each is seen, and none can be stacked.
    """
    if text.isascii() and text.isprintable():
        return text
    return _SUSPECT.sub(_kept if _depends(text) else "", text)


def hidden(text: str) -> tuple[str, ...]:
    """Every character that `stripped` takes away, in order."""
    if text.isascii() and text.isprintable():
        return ()
    if not _depends(text):
        return tuple(_SUSPECT.findall(text))
    return tuple(match[0] for match in _SUSPECT.finditer(text) if not _kept(match))


def hides(text: str) -> bool:
    """Whether there is any such character."""
    if text.isascii() and text.isprintable():
        return False
    if not _depends(text):
        return _SUSPECT.search(text) is not None
    return any(not _kept(match) for match in _SUSPECT.finditer(text))


def revealed(text: str) -> str:
    """The text with `<U+200B>` where something hidden stands, joiners included."""
    return _SUSPECT.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


def spelt(text: str) -> str:
    """What the tag characters in a text spell in ASCII: a message for models alone."""
    return "".join(
        chr(ord(each) - 0xE0000) for each in text if "\U000e0020" <= each <= "\U000e007e"
    )


def _depends(text: str) -> bool:
    """Whether neighbours are to be looked at one by one: others go by the megabyte, in C."""
    return any(each in text for each in _SEEN_SOMEWHERE)


def _kept(match: re.Match[str]) -> str:
    found = match[0]
    if found not in _SEEN_SOMEWHERE:
        return ""
    text, at = match.string, match.start()
    return found if _seen(text[max(at - 2, 0) : at], found, text[at + 1 : at + 2]) else ""


@lru_cache(maxsize=4096)
def _seen(before: str, found: str, after: str) -> bool:
    if found in _STYLES:
        return _styled(before[-1:], after)
    return _joined(found, before, after)


def _styled(before: str, after: str) -> bool:
    if _EMOJI.match(before):
        return True
    return before != "" and before in "0123456789#*" and after == _KEYCAP


def _joined(joiner: str, before: str, after: str) -> bool:
    if joiner == "\u200d" and _EMOJI.match(after):
        base = before[:1] if before[-1:] in _STYLES else before[-1:]
        return _EMOJI.match(base) is not None
    return _letter(before[-1:]) and _letter(after)


def _letter(text: str) -> bool:
    """A letter, or a sign on one, of a script in which joiners are seen."""
    return _JOINING.match(text) is not None and unicodedata.category(text)[0] in "LM"
