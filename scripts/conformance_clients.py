"""The suite's client scenarios: it plays the server, a real SDK client talks through Torhaus.

What passes without Torhaus passes with it in between; scenarios of authorization are left out, as
the gateway has its own. Last line: 'N passed, M failed'. Exit 1 when a check fails.

    python -m scripts.conformance_clients [SCENARIO...]  run all, or some
    python -m scripts.conformance_clients through CLIENT... URL
                                                         what the suite runs as its client
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.clients.gateway import Gateway

from scripts.conformance import ROOT, RUN, installed

OUT = RUN.parent / "conformance-clients"
LOOPBACK = ROOT / "tests" / "clients" / "node" / "loopback.cjs"
SECONDS = 60
SCENARIOS = {
    "2025-06-18": ("initialize", "tools_call"),
    "2025-11-25": (
        "initialize",
        "tools_call",
        "elicitation-sep1034-client-defaults",
        "sse-retry",
        "json-schema-2020-12-preservation",
    ),
    "2026-07-28": (
        "tools_call",
        "request-metadata",
        "sep-2322-client-request-state",
        "http-standard-headers",
        "http-custom-headers",
        "http-invalid-tool-headers",
        "json-schema-ref-no-deref",
        "json-schema-2020-12-preservation",
    ),
}
RANK = ("SUCCESS", "INFO", "SKIPPED", "WARNING", "FAILURE")
CONFIG = """
auth:
  anonymous:
    networks: ["127.0.0.0/8"]
    roles: [tester]

accessControl:
  - role: tester
    allow: [suite.*]

mcpServers:
  suite:
    url: {url}
"""

Checks = dict[str, str]


def home() -> Path:
    return Path(os.environ.get("CONF_HOME", Path(tempfile.gettempdir()) / "torhaus-conformance"))


def client() -> list[str]:
    """The SDK's own client for the suite, from its source distribution."""
    (program,) = (home() / "sdist").glob("mcp-*/.github/actions/conformance/client.py")
    return [str(home() / "venv" / "bin" / "python"), str(program)]


def scenarios() -> Iterator[tuple[str, str]]:
    for revision, names in SCENARIOS.items():
        for name in names:
            yield revision, name


def main(wanted: list[str]) -> int:
    if not installed():
        print("SKIPPED conformance_clients: the suite is not installed; run scripts.conformance")
        return 0
    through = [sys.executable, "-m", "scripts.conformance_clients", "through", *client()]
    passed = failed = 0
    for revision, scenario in scenarios():
        if wanted and scenario not in wanted:
            continue
        direct = checks(revision, scenario, client(), "direct")
        behind = checks(revision, scenario, through, "through")
        good = [each for each, status in direct.items() if status == "SUCCESS"]
        lost = [each for each in good if behind.get(each) != "SUCCESS"]
        passed, failed = passed + len(good) - len(lost), failed + len(lost)
        print(f"{revision} {scenario}: {len(good)} without, {len(good) - len(lost)} through")
        for each in lost:
            print(f"  LOST {each}: {behind.get(each, 'MISSING')}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def checks(revision: str, scenario: str, command: list[str], where: str) -> Checks:
    """A check, by its id and what it says of itself -> the worst status it had."""
    out = OUT / where / revision
    out.mkdir(parents=True, exist_ok=True)
    suite = home() / "npm/node_modules/@modelcontextprotocol/conformance/dist/index.js"
    node = home() / "npm/node_modules/node/bin/node"
    # fmt: off
    run = [
        str(node), str(suite), "client", "--scenario", scenario, "--spec-version", revision,
        "--command", " ".join(command), "--timeout", str(SECONDS * 1000), "-o", str(out),
    ]
    # fmt: on
    env = {**os.environ, "NODE_OPTIONS": f"--require {LOOPBACK}", "PYTHONPATH": str(ROOT)}
    with (out / f"{scenario}.log").open("wb") as log:
        subprocess.run(run, env=env, cwd=ROOT, stdout=log, stderr=log, check=False)
    found: Checks = {}
    for file in sorted(out.glob(f"{scenario}-2*/checks.json"))[-1:]:
        for each in json.loads(file.read_text()):
            name = f"{each['id']}: {each['description']}"
            last, status = found.get(name, "SUCCESS"), each["status"]
            found[name] = max(last, status, key=RANK.index)
    return found


def through(command: list[str], url: str) -> int:
    """Run a client with a gateway before the suite's server."""
    direct = re.sub(r"//localhost\b", "//127.0.0.1", url)
    place = Path(tempfile.mkdtemp(prefix="torhaus-suite-"))
    with Gateway(CONFIG.format(url=direct), place) as gateway:
        code = subprocess.run([*command, gateway.url("suite")], check=False).returncode
    print(gateway.output()[-4000:], file=sys.stderr)
    return code


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["through", *command, url]:
            sys.exit(through(command, url))
        case _:
            sys.exit(main(sys.argv[1:]))
