"""Would a test notice? Changes every line of the policy room and runs its tests on each change.

Last line: 'mutation score N %'. Exit 1 below the least score, or when a survivor is not explained.
`scripts/survivors.txt` explains survivors: a function, a blank, and why nobody can notice.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / ".test" / "mutation"
EXPLAINED = Path(__file__).with_name("survivors.txt")
LEAST = 90.0
CONFIG = """
[tool.mutmut]
source_paths = ["src/torhaus/policy/"]
pytest_add_cli_args_test_selection = ["tests/torhaus/policy/"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-m", "not soak and not slow"]
also_copy = ["src/", "tests/", "pyproject.toml"]
"""


def main() -> int:
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True)
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, RUN / part, ignore=shutil.ignore_patterns("node_modules"))
    (RUN / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + CONFIG)
    mutmut("run", "--max-children", str(os.cpu_count() or 1))
    mutmut("export-cicd-stats")
    stats = json.loads((RUN / "mutants" / "mutmut-cicd-stats.json").read_text())
    counted = {name: stats[name] for name in ("total", "killed", "survived", "no_tests", "timeout")}
    print(", ".join(f"{number} {name}" for name, number in counted.items()))
    unexplained = survivors(mutmut("results"))
    score = 100.0 * (stats["killed"] + stats["timeout"]) / stats["total"]
    print(f"mutation score {score:.1f} %")
    return 0 if score >= LEAST and not unexplained else 1


def mutmut(*words: str) -> str:
    tool = Path(sys.executable).with_name("mutmut")
    done = subprocess.run([tool, *words], cwd=RUN, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"mutmut {words[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def survivors(results: str) -> int:
    """Print survivors by function; how many functions have some that nobody explained."""
    known = dict(line.split(" ", 1) for line in EXPLAINED.read_text().splitlines() if line)
    found = Counter(
        re.sub(r"\.x[_ǁ]", ".", name).replace("ǁ", ".")
        for name in re.findall(r"^\s*(\S+)__mutmut_\d+: (?:survived|no tests)", results, re.M)
    )
    for name, number in sorted(found.items()):
        print(f"{number:4} {name}: {known.get(name, 'NOT EXPLAINED')}")
    for name in sorted(known.keys() - found.keys()):
        print(f"   0 {name}: no longer survives; remove its line")
    return len(found.keys() - known.keys())


if __name__ == "__main__":
    sys.exit(main())
