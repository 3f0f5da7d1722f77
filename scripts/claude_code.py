"""The real Claude Code, newest and older, connects through Torhaus: with a key, and signed in.

It runs headless in a network namespace with loopback only, with an empty home and no account. The
driver is not part of this repository: TORHAUS_SHARED names the folder that has it. Needs root.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.clients import upstreams
from tests.ports import free_port

from scripts.claude_login import CONNECTED, WAYS, signs_in

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TORHAUS_SHARED", ROOT.parent / "shared")).resolve()
DRIVER = SHARED / "tools" / "claude_code.sh"
RUN = ROOT / ".test" / "claude-code"
VERSIONS = ("latest", "2.1.197")
SERVERS = ("over-http", "over-stdio")
KEY = "alice-key-3f9c1d7b5a2e48069d1c"
CONFIG = """
users:
  - email: alice@example.com
    role: developer
    api_keys: ["${{ALICE_KEY}}"]

accessControl:
  - role: developer
    allow: [over-http.*, over-stdio.*]

mcpServers:
  over-http: {{url: "http://127.0.0.1:{port}/mcp"}}
  over-stdio: {stdio}
"""


def main() -> int:
    reason = why_not()
    if reason is not None:
        print(f"SKIPPED claude-code: {reason}")
        return 0
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True)
    failed = passed = 0
    for version in VERSIONS:
        env = install(version)
        for server in SERVERS:
            connected = connect(server, env)
            passed, failed = passed + connected, failed + (not connected)
            print(f"{'ok' if connected else 'FAIL'} Claude Code {version} {server}\n")
        for way in WAYS:
            signed = signs_in(env["CC_HOME"], way) == "signed in"
            passed, failed = passed + signed, failed + (not signed)
            print(f"{'ok' if signed else 'FAIL'} Claude Code {version} signs in, known {way}\n")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


def why_not() -> str | None:
    if not DRIVER.exists():
        return f"no driver in {SHARED}; set TORHAUS_SHARED"
    if os.geteuid() != 0:
        return "a network namespace needs root"
    missing = [each for each in ("npm", "node", "unshare", "ip", "curl") if not shutil.which(each)]
    return f"no {', '.join(missing)} here" if missing else None


def install(version: str) -> dict[str, str]:
    """Install one version beside the others; the environment that selects it."""
    env = {**os.environ, "CC_HOME": str(ROOT / ".test" / f"claude-{version}")}
    subprocess.run([DRIVER, "install", version], env=env, check=True)
    return env


def connect(server: str, env: dict[str, str]) -> bool:
    """Add the server with a key, list servers, and say whether Claude Code is connected."""
    return CONNECTED.search(run(server, env, "--header", f"apikey: {KEY}")) is not None


def run(server: str, env: dict[str, str], *more: str) -> str:
    """What Claude Code says when it is pointed to a server. `more`: words for `mcp add`."""
    port, gate = free_port(), free_port()
    config = RUN / "torhaus.yml"
    command, *told = upstreams.tickets_stdio()
    stdio = json.dumps({"command": command, "args": told})
    config.write_text(CONFIG.format(port=port, stdio=stdio))
    url = f"http://127.0.0.1:{gate}/mcp/{server}"
    behind = shlex.join([sys.executable, str(upstreams.TICKETS), "http", str(port)])
    # fmt: off
    serve = shlex.join([
        sys.executable, "-m", "torhaus", "serve", "-c", str(config), "--host", "127.0.0.1",
        "--port", str(gate), "--data-dir", str(RUN / "data"),
    ])
    # fmt: on
    both = f"{behind} & exec {serve}"
    done = subprocess.run(
        [str(DRIVER), "run", both, url, *more],
        env={**env, "ALICE_KEY": KEY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    print(done.stdout, done.stderr[-2000:])
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
