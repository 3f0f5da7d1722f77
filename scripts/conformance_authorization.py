"""The official suite's scenarios for authorization servers, against Torhaus, signed in for real.

Last line: 'N passed, M failed'. Exit 1 when a check fails, or when fewer ran than there are.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping

from tests.clients.accounts import give_password
from tests.clients.browsing import Browser
from tests.clients.gateway import Gateway
from tests.ports import free_port

from scripts import conformance

RUN = conformance.ROOT / ".test" / "conformance-authorization"
REVISIONS = ("2025-11-25", "2026-07-28")
CHECKS = 3
"""Of each revision."""
WHO, PASSWORD = "alice@example.com", "correct horse battery staple"
CONFIG = """
users:
  - {email: alice@example.com, role: developer}
roles:
  developer: {permissions: ["github:*"]}
auth:
  server:
    clients:
      - {id: conformance, name: The conformance suite}
mcpServers:
  github: {url: "http://127.0.0.1:9/mcp"}
"""


def main() -> int:
    if not conformance.DRIVER.exists():
        print(f"SKIPPED conformance of authorization: no driver in {conformance.SHARED}")
        return 0
    setup = [conformance.DRIVER, "setup"]
    if not conformance.installed() and subprocess.run(setup, check=False).returncode != 0:
        print("FAIL conformance: the suite could not be installed; it needs npm")
        return 1
    shutil.rmtree(RUN, ignore_errors=True)
    gateway = Gateway(CONFIG, RUN / "gateway")
    give_password(gateway.data, WHO, PASSWORD)
    passed = failed = 0
    with gateway:
        for revision in REVISIONS:
            fine, bad = judge(gateway, revision)
            passed, failed = passed + fine, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed >= CHECKS * len(REVISIONS) else 1


def judge(gateway: Gateway, revision: str) -> tuple[int, int]:
    """How many checks of one revision passed, and how many did not."""
    origin = f"http://127.0.0.1:{gateway.port}"
    # fmt: off
    words = [
        "authorization", "--url", origin, "--spec-version", revision, "--port", str(free_port()),
        "--client-id", "conformance", "--resource", f"{origin}/mcp/github",
        "--output-dir", str(RUN / revision),
    ]
    # fmt: on
    command, env = suite()
    running = subprocess.Popen(
        [*command, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    guard = threading.Timer(120, running.kill)
    guard.start()
    passed = failed = 0
    assert running.stdout is not None
    for line in running.stdout:
        print(line, end="")
        if line.startswith(f"{origin}/authorize?"):
            Browser().sign_in(line.strip(), WHO, PASSWORD)
        if found := re.match(r"Total: (\d+) passed, (\d+) failed", line):
            passed, failed = passed + int(found[1]), failed + int(found[2])
    ended = running.wait()
    guard.cancel()
    return passed, failed if ended == 0 else max(failed, 1)


def suite() -> tuple[list[str], Mapping[str, str]]:
    """The command, and an environment in which it finds a Node that is new enough."""
    modules = conformance.home() / "npm" / "node_modules"
    node = modules / "node" / "bin"
    program = modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    path = f"{node}{os.pathsep}{os.environ['PATH']}"
    return [str(node / "node"), str(program)], {**os.environ, "PATH": path}


if __name__ == "__main__":
    sys.exit(main())
