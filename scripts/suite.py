"""Every test, many at once; and the few that failed a second time, alone.

Tests here start real servers and look at real clocks, so that a machine busy with something else
can fail one of them. What fails beside others and passes alone is named at the end and does not
fail the run; what fails twice does, and so do more failures than `MOST`, at once. The first tries
are printed whole. `TRIES=1` in the environment: one try, for whoever looks for such tests.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MOST = 10
FAILED = (
    1  # pytest's exit code where tests ran and some failed; others mean that it went no further
)
REMEMBERED = Path(".pytest_cache/v/cache/lastfailed")


def failures() -> list[str]:
    """Names of the tests that the last run here failed, as pytest keeps them."""
    try:
        return sorted(json.loads(REMEMBERED.read_text()))
    except FileNotFoundError:
        return []


def run(arguments: Sequence[str], *, tries: int = 2) -> int:
    """Run pytest with `arguments` once, and what failed once more; the exit code."""
    REMEMBERED.unlink(missing_ok=True)
    code = _pytest(*arguments)
    failed = failures()
    if code != FAILED or tries < 2 or not 0 < len(failed) <= MOST:
        return code
    print(f"\n{len(failed)} failed beside others; the second try, alone:", flush=True)
    # Alone is in one process: the last -n counts.
    code = _pytest(*arguments, "--last-failed", "--last-failed-no-failures", "none", "-n", "0")
    passed = sorted(set(failed) - set(failures()))
    if passed:
        print(f"\n{len(passed)} failed beside others and passed alone:", *passed, sep="\n  ")
    return code


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], tries=int(os.environ.get("TRIES") or 2)))
