"""E-mail addresses as identity providers spell them."""

import re
import unicodedata

# What could be read in two ways is no address.
SHAPE = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@[^\s@<>\"(),:;\[\]\\]{1,190}")
LONGEST = 1024
"""Characters that are looked at: normalizing many marks in a row takes quadratic time."""


def address(value: object) -> str | None:
    """The address in the one form in which addresses are compared, or None when it is none."""
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    if any(not each.isascii() and _small(each).isascii() for each in value):
        return None  # KELVIN SIGN is no k, and whoever has the one has not the other
    # Folding may compose new characters, so lower case comes before the second look.
    text = unicodedata.normalize("NFC", _small(value))
    if not text.isprintable() or SHAPE.fullmatch(text) is None:
        return None
    return text


def one_form(typed: str) -> str:
    """An address as it is looked up and kept; what is none stays findable as it was typed."""
    text = typed.strip()
    return address(text) or text.lower()


def _small(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()
