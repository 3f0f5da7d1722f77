"""What a policy of a page forbids, only a real browser shows: the whole sign-in in Chromium."""

import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.accounts import give_password
from tests.stories.chromium import Chromium
from tests.stories.signing import PASSWORD, WHO, Program
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream

LET_IN = "document.querySelector('button[value=allow]')"
TYPED = f"""
document.querySelector('input[name=email]').value = '{WHO}';
document.querySelector('input[name=password]').value = '{PASSWORD}';
document.querySelector('form[action="/login"] button').click();
"""


@contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """A program's port on loopback, and what came there."""
    came: list[str] = []

    class Callback(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callback) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        try:
            yield made.server_address[1], came
        finally:
            made.shutdown()
            thread.join()


def test_a_browser_goes_from_the_program_through_the_pages_and_back(
    upstream: Upstream, tmp_path: Path
) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("no chromium here")
    town = Town({"mcpServers": {"scripted": server(upstream.url)}}, tmp_path / "town")
    give_password(town.data, WHO, PASSWORD)
    (tmp_path / "browser").mkdir()
    with town, listening() as (port, came), Chromium(tmp_path / "browser") as browser:
        program = Program(town.port)
        back = f"http://localhost:{port}/callback"
        program.register(client_name="<img src=x onerror=alert(1)>", redirect_uris=[back])

        browser.open(program.request(redirect_uri=back))
        browser.until(f"{LET_IN} !== null")
        assert browser.run("document.images.length") == 0
        browser.run(f"{LET_IN}.click()")
        browser.until("document.querySelector('input[name=password]') !== null")
        browser.run(TYPED)
        browser.within(lambda: len(came) > 0, "the first answer")

        browser.open(program.request(redirect_uri=back))
        browser.until(f"{LET_IN} !== null")
        browser.run(f"{LET_IN}.click()")
        codes = "callback?code="
        browser.within(lambda: sum(codes in each for each in came) == 2, "the second answer")

    assert browser.said == [] or all("favicon" in each for each in browser.said)
