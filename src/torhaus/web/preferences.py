"""`/preferences`: language and colours, kept in the browser."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from torhaus.web.forms import fields
from torhaus.web.language import COOKIE, LANGUAGES
from torhaus.web.render import THEME_COOKIE, THEMES
from torhaus.web.returning import local

YEAR = 365 * 86400


async def preferences(request: Request) -> Response:
    """Keeps what was chosen and goes back to the page."""
    form = await fields(request)
    answer = RedirectResponse(local(form.get("next", "")), 303)
    for cookie, value, known in (
        (COOKIE, form.get("language"), LANGUAGES),
        (THEME_COOKIE, form.get("theme"), THEMES),
    ):
        if value in known:
            answer.set_cookie(cookie, value, YEAR, httponly=True, samesite="lax")
        elif value == "":
            answer.delete_cookie(cookie, httponly=True, samesite="lax")
    return answer
