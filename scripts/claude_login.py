"""The real Claude Code signs in by itself: add, list, login, list.

Runs itself again in a network namespace with loopback only, with an empty home. Needs root. It is
called with the folder where Claude Code is installed, and with how it is known: by its document, or
by registering. The last line says `signed in`, or why not.
"""

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.clients import upstreams
from tests.clients.accounts import give_password
from tests.clients.gateway import Gateway
from tests.clients.running import Program
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
WHO, PASSWORD = "alice@example.com", "correct-horse-battery-staple"
CONNECTED = re.compile(r"(✓|✔|√) Connected")
"""Also "Failed to connect ... not connected" ends so: only the tick counts."""
SECONDS = 90
CONFIG = """
users:
  - {{email: alice@example.com, role: developer}}
roles:
  developer: {{permissions: ["github:*"]}}
mcpServers:
  github: {{url: "http://127.0.0.1:{port}/mcp"}}
auth: {{server: {{cimd: {{enabled: {document}}}}}}}
"""
WAYS = {"by document": "true", "by registering": "false"}


def signs_in(home: str, way: str) -> str:
    """What became of it. `home`: where Claude Code is installed; `way`: one of `WAYS`."""
    command = ["unshare", "-nmpf", "--mount-proc", "--kill-child", sys.executable, "-m"]
    done = subprocess.run(
        [*command, "scripts.claude_login", home, way],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    print(done.stdout, done.stderr[-2000:])
    return (done.stdout.strip().splitlines() or ["nothing was said"])[-1]


class Claude:
    """Claude Code in a home of its own, with a browser of ours."""

    def __init__(self, installed: str, home: Path) -> None:
        self.program = str(Path(installed) / "node_modules" / ".bin" / "claude")
        self.project = home / "project"
        programs = home / "bin"
        for each in (self.project, programs, home / "home"):
            each.mkdir(parents=True)
        opens = programs / "xdg-open"
        browser = [sys.executable, str(ROOT / "tests/clients/browsing.py"), WHO, PASSWORD]
        log = shlex.quote(str(home / "browser.log"))
        opens.write_text(f'#!/bin/sh\nexec {shlex.join(browser)} "$1" >>{log} 2>&1\n')
        opens.chmod(0o755)
        node = subprocess.run(["which", "node"], capture_output=True, text=True, check=True)
        self.env = {
            "HOME": str(home / "home"),
            "PATH": f"{programs}:{Path(node.stdout.strip()).parent}:/usr/bin:/bin",
            "BROWSER": str(opens),
            "TERM": "xterm",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }

    def say(self, *words: str) -> str:
        done = subprocess.run(
            [self.program, *words],
            cwd=self.project,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        print("---", *words, "\n" + done.stdout)
        return done.stdout

    def say_at_a_terminal(self, *words: str) -> str:
        """It signs in only where somebody could type."""
        ours, its = pty.openpty()
        running = subprocess.Popen(
            [self.program, *words],
            cwd=self.project,
            env=self.env,
            stdin=its,
            stdout=its,
            stderr=its,
        )
        os.close(its)
        said, ends = b"", time.monotonic() + SECONDS
        while time.monotonic() < ends:
            if not select.select([ours], [], [], 1.0)[0]:
                continue
            try:
                said += os.read(ours, 65536)
            except OSError:  # the other side has gone
                break
        running.kill()
        running.wait()
        os.close(ours)
        text = said.decode(errors="replace").replace("\r", "")
        print("---", *words, "\n" + text)
        return text


def story(installed: str, way: str, home: Path) -> str:
    port = free_port()
    tickets = [sys.executable, str(upstreams.TICKETS), "http", str(port)]
    gateway = Gateway(CONFIG.format(port=port, document=WAYS[way]), home / "gateway")
    give_password(gateway.data, WHO, PASSWORD)
    claude = Claude(installed, home)
    with Program(tickets, port, home / "tickets.log"), gateway:
        claude.say("mcp", "add", "--transport", "http", "github", gateway.url("github"))
        if "Needs authentication" not in claude.say("mcp", "list"):
            return "it did not ask to sign in"
        claude.say_at_a_terminal("mcp", "login", "github")
        print((home / "browser.log").read_text() if (home / "browser.log").exists() else "")
        if CONNECTED.search(claude.say("mcp", "list")) is None:
            return "it is not connected after signing in"
        acts = [each["operation"] for each in gateway.records()]
        print(acts)
    return "signed in" if "token.issued" in acts else "it was given no token"


def main() -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as home:
        found = story(sys.argv[1], sys.argv[2], Path(home))
    print(found)
    return 0 if found == "signed in" else 1


if __name__ == "__main__":
    sys.exit(main())
