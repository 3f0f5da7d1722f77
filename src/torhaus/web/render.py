"""Pages from templates: escaped, in the reader's language, with the headers every page has."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from babel.dates import format_datetime
from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from torhaus.web.language import LANGUAGES, chosen
from torhaus.web.returning import LONGEST
from torhaus.web.security import page_headers
from torhaus.web.static import Static
from torhaus.web.translations import speaker, translations

TEMPLATES = Path(__file__).parent / "templates"
THEME_COOKIE = "torhaus-theme"
CLOCK = {"en": "d MMM y, HH:mm:ss", "de": "dd.MM.y, HH:mm:ss"}
"""Of 24 hours in both languages."""
THEMES = ("light", "dark")


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a page is shown. `theme`: light, dark, or empty for the system's. `here`: its address."""

    language: str = "en"
    theme: str = ""
    here: str = "/"


class Pages:
    """Templates are read once. `url` of a static file is `{{ url("torhaus.css") }}` in them."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self.static = Static()
        # Now: an upgrade may put others in their place while this release still runs.
        texts = {path.name: (path.read_text(), str(path)) for path in folder.glob("*.html")}
        self._environments = {name: _environment(name, texts, self.static) for name in LANGUAGES}

    def html(self, template: str, manner: Manner, context: Mapping[str, Any]) -> str:
        found = self._environments[manner.language].get_template(template)
        return found.render({"manner": manner, "who": None, "token": "", "way_in": "", **context})

    def show(
        self,
        request: Request,
        template: str,
        status: int = 200,
        *,
        form_action: Iterable[str] = (),
        **context: Any,
    ) -> Response:
        """The page for whoever asks. `who` and `token` in `context` are for its frame."""
        page = self.html(template, manner(request), context)
        return HTMLResponse(page, status, page_headers(form_action=form_action))

    def message(self, request: Request, status: int, title: str, text: str = "") -> Response:
        """A page that only says something. `title` and `text`: texts of the catalogue."""
        return self.show(request, "message.html", status, title=title, text=text)


def manner(request: Request) -> Manner:
    theme = request.cookies.get(THEME_COOKIE, "")
    query = request.url.query if request.method == "GET" else ""
    here = request.url.path + (f"?{query}" if query else "")
    return Manner(
        language=chosen(request.cookies, request.headers.get("accept-language", "")),
        theme=theme if theme in THEMES else "",
        here=here if len(here) <= LONGEST else "/",
    )


def _environment(
    language: str, texts: Mapping[str, tuple[str, str]], static: Static
) -> Environment:
    """`texts`: of the templates by name, each with its path, which stands in tracebacks."""

    def source(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        found = texts.get(name)
        return None if found is None else (*found, lambda: True)

    made = Environment(
        loader=FunctionLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    words, say = translations(language), speaker(language)
    made.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    made.globals["url"] = static.url

    def moment(at: float) -> str:
        told = format_datetime(datetime.fromtimestamp(at, UTC), CLOCK[language], locale=language)
        return f"{told} UTC"

    made.filters["moment"] = moment
    # For texts in variables: `_()` takes its argument for markup, and is for literals only.
    made.filters["said"] = say

    def sentence(text: str) -> str:
        """As one: reasons in records begin small, and have no full stop."""
        told = say(text)
        return told[:1].upper() + told[1:] + ("" if told.endswith((".", "!", "?")) else ".")

    made.filters["sentence"] = sentence
    return made
