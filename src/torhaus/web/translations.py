"""The catalogues of the pages' words. They are compiled when they are loaded: no build step."""

import re
from collections.abc import Callable
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from torhaus.model.texts import marked

__all__ = ["marked", "speaker", "translations"]

LOCALE = Path(__file__).parent / "locale"
LONGEST = 2000
"""Characters of a sentence in which names are looked for."""
_NAME = re.compile(r"\{([a-z]+)\}")


@cache
def translations(language: str) -> NullTranslations:
    """English is the language of the source and needs no catalogue."""
    path = LOCALE / f"{language}.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def speaker(language: str) -> Callable[[str], str]:
    """Says a sentence in a language: one of the catalogue, or one of those with names in it.

    Such a sentence comes in English with the names in it (`model.texts.filled`), through records
    and refusals that know nothing of languages. `{error}` is another sentence, said the same way.
    What nobody has translated stays as it is.
    """
    words = translations(language)
    known = getattr(words, "_catalog", {})
    texts = [each for each in known if isinstance(each, str) and _NAME.search(each)]
    # The one with most words of its own: a name could hold the rest of a longer sentence.
    shapes = [(_shape(each), known[each]) for each in sorted(texts, key=_own, reverse=True)]

    def say(text: str) -> str:
        told = words.gettext(text) if text else ""  # of which gettext says its own head
        if told != text or len(text) > LONGEST:
            return told
        for shape, said in shapes:
            found = shape.fullmatch(text)
            if found is not None:
                parts = found.groupdict()
                if "error" in parts:
                    parts["error"] = say(parts["error"])
                return str(said).format_map(parts)
        return text

    return say


def _own(text: str) -> int:
    return len(_NAME.sub("", text))


def _shape(text: str) -> re.Pattern[str]:
    parts = _NAME.split(text)
    made = (f"(?P<{each}>.*)" if at % 2 else re.escape(each) for at, each in enumerate(parts))
    return re.compile("".join(made), re.DOTALL)
