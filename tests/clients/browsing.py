"""A browser without a screen: lets a program in and signs in with a password, by plain HTTP.

As a program: `python -m tests.clients.browsing EMAIL PASSWORD URL`.
"""

import http.client
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

MOST = 20
FORM = "application/x-www-form-urlencoded"


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self.forms.append(Form(told.get("action") or ""))
        elif tag == "input" and self.forms and told.get("name"):
            self.forms[-1].fields[str(told["name"])] = told.get("value") or ""

    def handle_data(self, data: str) -> None:
        self.text.append(data.strip())


@dataclass
class Page:
    url: str
    status: int
    text: str
    headers: http.client.HTTPMessage

    @property
    def forms(self) -> list[Form]:
        return self._read().forms

    @property
    def words(self) -> str:
        return " ".join(each for each in self._read().text if each)

    def _read(self) -> _Forms:
        parsed = _Forms()
        parsed.feed(self.text)
        return parsed


class Browser:
    """Keeps cookies by host, follows redirects, and remembers where it has been.

    `abroad`: whether it follows redirects to other hosts, or only tells where they lead.
    `source`: the address it comes from, one of this machine; empty for any.
    """

    def __init__(self, *, abroad: bool = True, source: str = "") -> None:
        self.abroad = abroad
        self.source = (source, 0) if source else None
        self.cookies: dict[str, dict[str, str]] = {}
        self.been: list[str] = []

    def open(self, url: str, form: dict[str, str] | None = None) -> Page:
        """The page at the end of all redirects."""
        for _ in range(MOST):
            page = self._ask(url, form)
            onward = page.headers.get("location") or _refreshed(page)
            if onward is None:
                return page
            leads = urljoin(url, onward)
            if not self.abroad and urlsplit(leads).netloc != urlsplit(url).netloc:
                return Page(leads, page.status, "", page.headers)
            url, form = leads, None
        raise RuntimeError(f"it leads nowhere: {self.been}")

    def _ask(self, url: str, form: dict[str, str] | None) -> Page:
        parts = urlsplit(url)
        self.been.append(url)
        held = self.cookies.setdefault(parts.netloc, {})
        headers = {"accept": "text/html", "accept-language": "en", "sec-fetch-site": "same-origin"}
        if held:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in held.items())
        body = None
        if form is not None:
            headers |= {"content-type": FORM, "origin": f"{parts.scheme}://{parts.netloc}"}
            body = urlencode(form)
        else:
            headers["sec-fetch-site"] = "none"
        connection = http.client.HTTPConnection(
            parts.netloc, timeout=90, source_address=self.source
        )
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("GET" if form is None else "POST", target or "/", body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, _, rest = cookie.partition("=")
            held[name] = rest.partition(";")[0]
        return Page(url, answer.status, text, answer.headers)

    def sign_in(self, url: str, email: str, password: str) -> Page:
        """Agree to the program, sign in, and end where it waits for its answer."""
        ours = urlsplit(url).netloc
        page = self.open(url)
        for _ in range(MOST):
            if urlsplit(page.url).netloc != ours:
                return page
            form = _wanted(page)
            if form is None:
                raise RuntimeError(f"{page.status} at {page.url}: {page.words}")
            if "ticket" in form.fields:
                told = {"decision": "allow"}
            else:
                told = {"email": email, "password": password}
            page = self.open(urljoin(page.url, form.action), {**form.fields, **told})
        raise RuntimeError(f"it goes round in circles: {self.been}")


def _wanted(page: Page) -> Form | None:
    """The form that asks for consent, or else the one for a password of our own."""
    for form in page.forms:
        consent = "ticket" in form.fields and form.action == "/authorize"
        if consent or ("password" in form.fields and "directory" not in form.fields):
            return form
    return None


def _refreshed(page: Page) -> str | None:
    told = page.headers.get("refresh") or ""
    return told.partition("url=")[2] or None


def main(words: list[str]) -> int:
    email, password, url = words
    page = Browser().sign_in(url, email, password)
    print(page.status, page.url.partition("?")[0])
    return 0 if page.status < 400 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
