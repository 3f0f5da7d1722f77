"""The official suite: what the reference server passes directly, it passes behind Torhaus.

The driver of the suite is not part of this repository: TORHAUS_SHARED names the folder that has it.
Last line: 'N passed, M failed'. Exit 1 when a check fails, or when fewer ran than there are.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.clients.gateway import Gateway
from tests.clients.running import Program, free_port

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TORHAUS_SHARED", ROOT.parent / "shared")).resolve()
DRIVER = SHARED / "tools" / "conformance.sh"
RUN = ROOT / ".test" / "conformance"
CHECKS = 237  # 84 at 2025-11-25 and 153 at 2026-07-28
CONFIG = """
auth:
  anonymous:
    networks: ["127.0.0.0/8"]
    roles: [tester]

accessControl:
  - role: tester
    allow: [reference.*]

mcpServers:
  reference:
    url: http://127.0.0.1:{port}/mcp
    rateLimit: {{requests: 1000000, window: 3600}}
"""


def main() -> int:
    if not DRIVER.exists():
        print(f"SKIPPED conformance: no driver in {SHARED}; set TORHAUS_SHARED")
        return 0
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True)
    if not installed() and subprocess.run([DRIVER, "setup"], check=False).returncode != 0:
        print("FAIL conformance: the suite could not be installed; it needs npm")
        return 1
    port = free_port()
    reference = Program([str(DRIVER), "server", str(port)], port, RUN / "reference.log")
    with reference, Gateway(CONFIG.format(port=port), RUN / "gateway") as gateway:
        passed, failed = accept(gateway.url("reference"), f"http://127.0.0.1:{port}/mcp")
        records = len(gateway.records())
        healthy = gateway.healthy()
    print(f"{records} audit records; the gate is {'alive' if healthy else 'DEAD'}")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed >= CHECKS and records > 0 and healthy else 1


def installed() -> bool:
    home = os.environ.get("CONF_HOME", str(Path(tempfile.gettempdir()) / "torhaus-conformance"))
    suite = Path(home) / "npm/node_modules/@modelcontextprotocol/conformance"
    return suite.exists() and any((Path(home) / "sdist").glob("mcp-*/examples"))


def accept(target: str, reference: str) -> tuple[int, int]:
    """Run the suite against both; how many checks passed at the target, and how many did not."""
    revisions = sys.argv[1:]
    command = [str(DRIVER), "accept", target, reference, *revisions]
    env = {**os.environ, "CONF_OUT": str(RUN / "out")}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    last = re.fullmatch(r"(\d+) passed, (\d+) failed", (done.stdout.splitlines() or [""])[-1])
    return (int(last[1]), int(last[2])) if last else (0, 1)


if __name__ == "__main__":
    sys.exit(main())
