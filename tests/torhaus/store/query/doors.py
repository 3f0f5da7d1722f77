"""What still works in a process once some doors are closed."""

import json
import subprocess
import sys
from pathlib import Path

HARMLESS = {"read its file", "start a thread"}


def worked(doors: str, directory: Path) -> set[str]:
    own, other = directory / "own", directory / "other"
    for path in (own, other, directory / "other.spare"):
        path.write_text("something")
        path.chmod(0o600)
    found = ran(doors, directory)
    assert found.returncode == 0, found.stderr
    return set(json.loads(found.stdout))


def ran(doors: str, directory: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tests.torhaus.store.query.programs.confined", doors]
    files = [str(directory / "own"), str(directory / "other")]
    root = Path(__file__).parents[4]
    return subprocess.run([*program, *files], cwd=root, capture_output=True, text=True, check=False)
