"""Gathers the pages' texts into the catalogues: `python -m scripts.words` after a text changed."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

WEB = Path(__file__).resolve().parent.parent / "src" / "torhaus" / "web"
METHODS = [
    ("web/**.py", "python"),
    ("web/templates/**.html", "jinja2"),
    ("admin/*.py", "python"),
    ("admin/people/**.py", "python"),
    ("policy/**.py", "python"),
    ("admin/signin/**.py", "python"),
    ("signin/**.py", "python"),
    ("identity/**.py", "python"),
    ("model/signin.py", "python"),
    ("upstream/egress.py", "python"),
    ("upstream/oauth/**.py", "python"),
]
# Without dates and names, which would differ in every change.
HEADER = r"""msgid ""
msgstr ""
"Language: {language}\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""
KEYWORDS = {"_": None, "ngettext": (1, 2), "marked": None}


def texts(folder: Path = WEB.parent) -> Catalog:
    """Everything that is translated, with the files it stands in."""
    found = Catalog(charset="utf-8")
    options = {"web/templates/**.html": {"trimmed": "false"}}
    for name, _line, message, comments, context in extract_from_dir(
        str(folder), METHODS, options, KEYWORDS
    ):
        found.add(message, None, [(name, None)], auto_comments=comments, context=context)
    return found


def renew(path: Path) -> list[str]:
    """Adds what is new to a catalogue and drops what is gone; returns what has no translation."""
    with path.open("rb") as file:
        known = read_po(file, locale=path.stem)
    known.update(texts(), no_fuzzy_matching=True)
    known.obsolete.clear()
    with path.open("wb") as file:
        file.write(HEADER.format(language=path.stem).encode())
        write_po(file, known, sort_output=True, no_location=True, omit_header=True, width=100)
    return [str(each.id) for each in known if each.id and not _translated(each.string)]


def _translated(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def main() -> None:
    for path in sorted((WEB / "locale").glob("*.po")):
        for missing in renew(path):
            print(f"{path.name}: {missing}")


if __name__ == "__main__":
    main()
