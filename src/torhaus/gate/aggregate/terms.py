"""Words of tools and questions in one spelling, so that they can be compared."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from itertools import permutations

_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
)
# `getURLContents2` -> get, URL, Contents, 2; and runs of letters of any other script.
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_A-Za-z]+")
_WHOLE = re.compile(r"[^\W_]+")
LONGEST = 40
"""Characters of one word that count."""

_SILENT = """
a an and any are as at by can do does for from how i in into is it its me my of on or our please
that the their them there these this to us want we what when where which who whose with you your
der die das den dem des ein eine einen einem einer fuer im ist mein meine mir mit nach sind und
von was welche wer wie wir wo zu zum zur
"""
SILENT = frozenset(_SILENT.split())
"""Words that say nothing of what is wanted."""

FIRST, KINDRED = 0.6, 0.35
"""What a word counts that is not the very one asked for; the first of its line is the usual one."""
_KIN = (
    "create add new open make anlegen erstellen hinzufuegen neu neues",
    "delete remove drop destroy erase loeschen entfernen",
    "list show all display auflisten zeigen anzeigen zeige",
    "get read fetch retrieve view show lesen holen abrufen",
    "search find look lookup query suchen finden suche",
    "update edit change modify set rewrite aendern bearbeiten aktualisieren",
    "send post write schreiben senden schicken",
    "run execute trigger start launch ausfuehren starten",
    "stop cancel abort abbrechen stoppen",
    "close resolve finish schliessen loesen",
    "issue ticket bug work vorgang fehler",
    "pull pr merge mr",
    "repository repo project projekt",
    "comment note reply discussion kommentar antwort",
    "message post text nachricht",
    "file document content contents datei dokument",
    "directory folder ordner verzeichnis",
    "user person people member account benutzer nutzer mitglied",
    "page site wiki seite",
    "channel conversation room kanal",
    "database db sql postgres datenbank",
    "screenshot capture picture image photo bild",
    "click press tap klicken",
    "website url web browser navigate",
    "pipeline workflow ci build action actions job",
    "error exception crash failure event fehler",
    "label tag",
    "assign assignee zuweisen",
    "attach attachment upload anhang hochladen",
    "download export herunterladen",
    "move rename transfer verschieben umbenennen",
    "diff compare difference vergleichen",
    "history log logs verlauf",
    "release version",
    "watch watcher subscribe follow",
    "time date clock uhrzeit zeit datum",
)


def fold(text: str) -> str:
    """Without accents; umlauts as they are written where there are none."""
    if text.isascii():
        return text
    return " ".join(
        _plain(each[start : start + LONGEST])
        for each in text.split()
        for start in range(0, len(each), LONGEST)
    )


def _plain(few: str) -> str:
    """Of few characters: normalizing many marks in a row takes quadratic time."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", few).translate(_UMLAUTS))
    return "".join(each for each in parts if not unicodedata.combining(each))


def letters(word: str) -> int:
    """Which letters are in a word, in the bits of a number."""
    found = 0
    for each in word:
        found |= 1 << (ord(each) & 63)
    return found


def terms(text: str) -> list[str]:
    """The words of a text, in their order, each by its stem."""
    return [stem(word.lower()) for word in _WORD.findall(fold(text))]


def asked(text: str, known: Callable[[str], bool]) -> list[str]:
    """The words of a question that say something, each once; all of them where none does.

    `GitHub` is one word where a tool has it as one (`known`), and two otherwise.
    """
    words: list[str] = []
    for whole in _WHOLE.findall(fold(text)):
        parts = _WORD.findall(whole)
        one = len(parts) > 1 and known(stem(whole.lower()))
        words += [whole.lower()] if one else [part.lower() for part in parts]
    telling = [word for word in words if word not in SILENT]
    return list(dict.fromkeys(stem(word) for word in telling or words))


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """Roughly: plural, -ing, -ed and a last e go, so that `issues` and `issue` are one."""
    word = word[:LONGEST]
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending, least in (("ing", 6), ("ed", 5)):
        if len(word) >= least and word.endswith(ending):
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def _kin() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for line in _KIN:
        first, *others = dict.fromkeys(stem(word) for word in line.split())
        for one, other in permutations((first, *others), 2):
            worth = max(FIRST if other == first else KINDRED, found.get(one, {}).get(other, 0.0))
            found.setdefault(one, {})[other] = worth
    return found


KIN = _kin()
"""Stem -> stems that people use for much the same, in English and German, and what they count."""


def near(word: str, other: str, limit: int) -> bool:
    """Whether so few letters are missing, too many, others, or in each other's place."""
    size, far = len(other), limit + 1
    if abs(len(word) - size) > limit:
        return False
    before: list[int] = []
    row = [min(j, far) for j in range(size + 1)]
    for i, letter in enumerate(word, 1):
        before, last, row = row, before, [far] * (size + 1)
        row[0] = min(i, far)
        # What stands farther apart than the limit is no match, whatever it is.
        for j in range(max(1, i - limit), min(size, i + limit) + 1):
            its = other[j - 1]
            row[j] = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == its:
                row[j] = min(row[j], last[j - 2] + 1)
        if min(row) > limit:
            return False
    return row[-1] <= limit
