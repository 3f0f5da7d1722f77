"""Would a test notice? Changes every line of the policy room and runs its tests on each change.

Last line: 'mutation score N %'. Exit 1 below the least score, or when a survivor is not explained.
`scripts/survivors.txt` explains survivors: a function, how many of its changes nobody can notice,
and why. More of them than that are not explained.
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
# Rows of the tables are data; the tests compare each with the evidence. The functions in these
# files run when the rows are read, before a change can be switched on.
ROWS = ["rows", "jira", "slack"]
CONFIG = f"""
[tool.mutmut]
source_paths = ["src/torhaus/policy/"]
do_not_mutate = {[f"src/torhaus/policy/known/{name}.py" for name in ROWS]}
pytest_add_cli_args_test_selection = ["tests/torhaus/policy/"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-m", "not soak and not slow"]
also_copy = ["src/", "tests/", "docs/", "pyproject.toml"]
"""
# Every run is the same: examples (of Hypothesis) and the order of sets. A time zone of its own
# tells the machine's time from UTC.
ALIKE = {"CI": "1", "PYTHONHASHSEED": "0", "TZ": "Asia/Kathmandu"}


def main() -> int:
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True)
    for part in ("src", "tests", "docs"):
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
    env = {**os.environ, **ALIKE}
    done = subprocess.run(
        [tool, *words], cwd=RUN, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        sys.exit(f"mutmut {words[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def survivors(results: str) -> int:
    """Print survivors by function; how many functions have some that nobody explained."""
    known = explained()
    found = Counter(
        re.sub(r"\.x[_ǁ]", ".", name).replace("ǁ", ".")
        for name in re.findall(r"^\s*(\S+)__mutmut_\d+: (?:survived|no tests)", results, re.M)
    )
    missing = 0
    for name, number in sorted(found.items()):
        most, why = known.get(name, (0, ""))
        missing += number > most
        print(f"{number:4} {name}: {why if number <= most else f'NOT EXPLAINED but {most}'}")
    for name in sorted(known.keys() - found.keys()):
        print(f"   0 {name}: no longer survives; remove its line")
    return missing


def explained() -> dict[str, tuple[int, str]]:
    """Function -> how many of its changes nobody can notice, and why."""
    lines = (line.split(" ", 2) for line in EXPLAINED.read_text().splitlines() if line)
    return {name: (int(most), why) for name, most, why in lines}


if __name__ == "__main__":
    sys.exit(main())
