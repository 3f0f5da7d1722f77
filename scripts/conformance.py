"""The official suite: what the reference server passes directly, it passes behind Torhaus.

With client and server of different eras it passes as many checks as can be passed (`crossed.py`).
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
from tests.clients.running import Program
from tests.ports import free_port

from scripts.crossed import CROSSINGS, NEW, OLD, Crossing, judged, lines, read

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
    allow: [reference.*, old.*, new.*]

mcpServers:
  reference:
    url: http://127.0.0.1:{port}/mcp
    rateLimit: {{requests: 1000000, window: 3600}}
  old:
    url: http://127.0.0.1:{port}/mcp
    era: legacy
    rateLimit: {{requests: 1000000, window: 3600}}
  new:
    url: http://127.0.0.1:{port}/mcp
    era: modern
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
        crossing = [cross(each, gateway) for each in CROSSINGS if each.revision in revisions()]
        records = len(gateway.records())
        healthy = gateway.healthy()
    print(f"{records} audit records; the gate is {'alive' if healthy else 'DEAD'}")
    print(f"{passed} passed, {failed} failed")
    same = failed == 0 and passed >= CHECKS
    return 0 if same and all(crossing) and records > 0 and healthy else 1


def revisions() -> list[str]:
    """Those that were asked for; otherwise all."""
    return sys.argv[1:] or [OLD, NEW]


def cross(crossing: Crossing, gateway: Gateway) -> bool:
    """Run the suite across the eras; whether it passes what it can, and misses nothing else."""
    out, url = RUN / "out", gateway.url(crossing.server)
    command = [str(DRIVER), "run", url, str(out / crossing.server), crossing.revision]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    direct = read(out / "reference" / crossing.revision)
    verdict = judged(crossing, direct, read(out / crossing.server / crossing.revision))
    print("\n".join(lines(crossing, verdict)))
    return verdict.holds(crossing.floor)


def home() -> Path:
    """Where the driver installs the suite."""
    usual = Path(tempfile.gettempdir()) / "torhaus-conformance"
    return Path(os.environ.get("CONF_HOME", str(usual)))


def installed() -> bool:
    suite = home() / "npm/node_modules/@modelcontextprotocol/conformance"
    return suite.exists() and any((home() / "sdist").glob("mcp-*/examples"))


def accept(target: str, reference: str) -> tuple[int, int]:
    """Run the suite against both; how many checks passed at the target, and how many did not."""
    command = [str(DRIVER), "accept", target, reference, *revisions()]
    env = {**os.environ, "CONF_OUT": str(RUN / "out")}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    last = re.fullmatch(r"(\d+) passed, (\d+) failed", (done.stdout.splitlines() or [""])[-1])
    return (int(last[1]), int(last[2])) if last else (0, 1)


if __name__ == "__main__":
    sys.exit(main())
