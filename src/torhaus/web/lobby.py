"""What the pages for signing in share: the browser they talk to, and how somebody is let in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from torhaus.admin.signin import devices
from torhaus.admin.signin.outcome import Guest, Opened
from torhaus.identity.keys import digest
from torhaus.web.cookies import BROWSER, DEVICE, SESSION, Cookies
from torhaus.web.render import Pages
from torhaus.web.returning import local
from torhaus.web.session import Sessions

LASTS = 8 * 3600
RESUMED = "/authorize/resume?"
"""Leads out of the house, to a program. A form's answer may not redirect there: browsers hold it to
the policy of the form's page, and to that of an identity provider's page before it.
"""
BROWSER_LASTS, DEVICE_LASTS = 3600, int(devices.LASTS)


@dataclass(frozen=True, slots=True)
class Lobby:
    """`random(n)`: n random bytes."""

    sessions: Sessions
    random: Callable[[int], bytes]

    @property
    def pages(self) -> Pages:
        return self.sessions.pages

    @property
    def cookies(self) -> Cookies:
        return self.sessions.cookies

    def base(self, request: Request) -> str:
        """Where we are, as this browser calls us; the Host was checked at the door."""
        origin = self.cookies.origin()
        host = request.headers.get("host", "")
        if origin is not None and not (origin.startswith("http://") and host):
            return origin
        return f"{request.url.scheme}://{host}"

    def guest(self, request: Request) -> Guest:
        cookie = self.cookies.read(request.scope, BROWSER)
        return Guest(
            ip=request.client.host if request.client is not None else "",
            agent=browser_name(request.headers.get("user-agent", "")),
            browser=b"" if cookie is None else digest(cookie),
            device=self.cookies.read(request.scope, DEVICE) or "",
        )

    def known(self, request: Request) -> tuple[str, bool]:
        """The browser's cookie, and whether it is new."""
        cookie = self.cookies.read(request.scope, BROWSER)
        fresh = cookie is None or len(cookie) != 64
        return (self.random(32).hex() if cookie is None or fresh else cookie), fresh

    def own(self, request: Request, form: Mapping[str, str]) -> bool:
        """Whether the form is one that this browser was shown before it signed in."""
        cookie = self.cookies.read(request.scope, BROWSER)
        return cookie is not None and self.sessions.tokens.valid(
            form.get("token", ""), digest(cookie)
        )

    def remember(self, request: Request, answer: Response, cookie: str) -> Response:
        self.cookies.write(answer, request.scope, BROWSER, cookie, BROWSER_LASTS)
        return answer

    def let_in(self, request: Request, opened: Opened) -> Response:
        """A fresh cookie, whatever there was before: nobody else can have chosen it."""
        onward = local(opened.next)
        if opened.codes:
            answer = self.pages.show(request, "codes.html", codes=opened.codes, next=onward)
        elif onward.startswith(RESUMED):
            answer = self.pages.show(request, "onward.html", next=onward)
            answer.headers["refresh"] = f"0; url={onward}"
        else:
            answer = RedirectResponse(onward, 303)
        self.cookies.write(answer, request.scope, SESSION, opened.cookie, LASTS)
        self.cookies.drop(answer, request.scope, BROWSER)
        if opened.device:
            self.cookies.write(answer, request.scope, DEVICE, opened.device, DEVICE_LASTS)
        return answer


def browser_name(agent: str) -> str:
    """What people call it: `Firefox on Linux`. Pure; unknown ones are said to be so."""
    browsers = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
    systems = ("Windows", "iPhone", "iPad", "Android", "Mac OS X", "Linux")
    browser = next((each for each in browsers if each in agent), "")
    system = next((each for each in systems if each in agent), "")
    names = {"Edg": "Edge", "OPR": "Opera", "Mac OS X": "macOS"}
    found = [names.get(each, each) for each in (browser, system) if each]
    return " on ".join(found) or "unknown browser"
