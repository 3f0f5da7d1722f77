"""The house rules that a linter cannot say: sizes, a test beside every file, what never leaves."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from torhaus import __version__

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "torhaus"
TESTS = ROOT / "tests" / "torhaus"
MAX_FILE, MAX_FUNCTION = 400, 50

# Code without a test file of its own, and why.
UNTESTED = {
    "__main__.py": "one line that calls the command line",
    "model": "words: data and ports",
}
# Code whose behaviour only shows together with others': its test, under tests/.
TESTED_BY = {
    "app.py": "clients/test_product_text.py",
    "config/compile.py": "torhaus/config/test_cases.py",
    "serving.py": "stories/test_stopping.py",
    "config/servers.py": "torhaus/config/test_cases.py",
    "config/validate.py": "torhaus/config/test_cases.py",
    "store/migrations/versions/v0001_access.py": "torhaus/store/state/test_migrate.py",
    "store/migrations/versions/v0002_tools.py": "torhaus/store/state/test_migrate.py",
    "store/migrations/versions/v0003_usage.py": "torhaus/store/state/test_migrate.py",
    "store/migrations/versions/v0004_identity.py": "torhaus/store/state/test_migrate.py",
    "store/migrations/versions/v0005_rings.py": "torhaus/store/state/test_migrate.py",
    "store/migrations/versions/v0006_teams.py": "torhaus/store/state/test_migrate.py",
    "store/migrations/versions/v0007_proved.py": "torhaus/store/state/test_migrate.py",
    "store/migrations/versions/v0008_known_as.py": "torhaus/store/state/test_migrate.py",
    "store/migrations/versions/v0009_over.py": "torhaus/store/state/test_migrate.py",
    "upstream/pipe.py": "torhaus/upstream/test_pipelink.py",
    "watch/tally.py": "torhaus/watch/test_metrics.py",
}
# Tests of what several files of a room do together, named by that subject.
SUBJECTS = {
    "upstream": {
        "listening",
        "lost_sessions",
        "modern_callers",
        "real_servers",
        "reopened_sessions",
        "sending_again",
        "session_callers",
        "stateless_callers",
        "verdicts",
    },
}
# Names are put together here, so that this file does not break its own rule.
REGISTRIES = [".".join(parts) for parts in (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"),
    ("yarnpkg", "com"), ("crates", "io"), ("proxy", "golang", "org"), ("debian", "org"),
)]  # fmt: skip
INDEX_OPTIONS = ["--index" + "-url", "--extra-index" + "-url", "--find" + "-links"]
MACHINE_PATHS = re.compile("|".join(("/" + "work/", "/" + "root/", "/home/[a-z]")))
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "manager", "service", "handler"}


def python_files(*tops: str) -> list[Path]:
    return sorted(path for top in tops for path in (ROOT / top).rglob("*.py") if ours(path))


def ours(path: Path) -> bool:
    return "node_modules" not in path.parts


def tracked() -> list[Path]:
    """Every text file in the repository, or an empty list outside of one."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return []
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


@cache
def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def test_no_file_and_no_function_is_long() -> None:
    """All of them in one test: two thousand would each be collected by every process."""
    files = python_files("src", "tests", "bench", "scripts")
    long = [complaint for path in files for complaint in lengths(path)]

    assert len(files) > 1000
    assert long == []


def lengths(path: Path) -> Iterator[str]:
    """What of a file is too long."""
    name = path.relative_to(ROOT)
    if (lines := len(path.read_text().splitlines())) > MAX_FILE:
        yield f"{name}: {lines} lines"
    for each in functions(path):
        if (lines := (each.end_lineno or each.lineno) - each.lineno + 1) > MAX_FUNCTION:
            yield f"{name}:{each.lineno}: {each.name}, {lines} lines"


def test_every_file_with_functions_has_its_test_beside_it() -> None:
    missing = [
        inside
        for inside in (path.relative_to(SRC) for path in python_files("src"))
        if functions(SRC / inside)
        and inside.parts[0] not in UNTESTED
        and str(inside) not in TESTED_BY
        and not (TESTS / inside.parent / f"test_{inside.name}").exists()
    ]

    assert [str(each) for each in missing] == []


@pytest.mark.parametrize(("source", "test"), TESTED_BY.items())
def test_what_is_tested_elsewhere_is_there(source: str, test: str) -> None:
    assert (SRC / source).exists()
    assert (ROOT / "tests" / test).exists()


def test_every_test_file_stands_beside_a_source_file() -> None:
    """Under the file's name, or its name and a subject, or a subject that its room has."""
    stray = [
        inside
        for inside in (path.relative_to(TESTS) for path in sorted(TESTS.rglob("test_*.py")))
        if f"torhaus/{inside}" not in TESTED_BY.values()
        and inside.stem.removeprefix("test_") not in SUBJECTS.get(inside.parts[0], ())
        and not stands_beside(inside)
    ]

    assert [str(each) for each in stray] == []


def stands_beside(test: Path) -> bool:
    room, name = SRC / test.parent, test.stem.removeprefix("test_")
    files = [path.stem for path in room.glob("*.py")]
    return (room / name).is_dir() or any(
        name == file or name.startswith(f"{file}_") for file in files if file != "__init__"
    )


def test_every_subject_has_its_test() -> None:
    missing = [
        name
        for room, names in SUBJECTS.items()
        for name in names
        if not (TESTS / room / f"test_{name}.py").exists()
    ]

    assert missing == []


def test_packages_hold_one_docstring_and_nothing_else() -> None:
    for path in SRC.rglob("__init__.py"):
        if path == SRC / "__init__.py":
            continue  # it holds the version too
        body = ast.parse(path.read_text()).body
        assert len(body) == 1, path
        assert isinstance(body[0], ast.Expr), path


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in python_files("src") if path.stem in VAGUE] == []


def test_imports_only_go_down() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    if not program.exists():
        pytest.skip("import-linter is not installed: `make lint` installs it")

    checked = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr[-1000:]


def test_no_tracked_file_names_a_package_registry_or_an_index() -> None:
    found = [
        (str(path.relative_to(ROOT)), word)
        for path in tracked()
        for word in (*REGISTRIES, *INDEX_OPTIONS)
        if word in path.read_text(errors="replace")
    ]

    assert found == []


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    found = [
        (str(path.relative_to(ROOT)), match.group())
        for path in tracked()
        for match in MACHINE_PATHS.finditer(path.read_text(errors="replace"))
    ]

    assert found == []


def test_every_locked_requirement_has_hashes() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        logical = path.read_text().replace("\\\n", " ").splitlines()
        bare = [line for line in logical if line.strip() and "--hash=sha256:" not in line]
        assert bare == [], path.name


def test_what_pyproject_asks_for_is_locked() -> None:
    asked = set(
        re.findall(r'^  "([A-Za-z0-9_.-]+)[><=]', (ROOT / "pyproject.toml").read_text(), re.M)
    )
    locked = set(
        re.findall(
            r"^([a-z0-9-]+)(?:\[.*\])?==", (ROOT / "requirements/runtime.txt").read_text(), re.M
        )
    )

    assert {re.sub(r"[-_.]+", "-", name).lower() for name in asked} - locked == set()


@pytest.mark.parametrize("name", ["runtime", "build", "demo", "dev"])
def test_an_extra_that_a_locked_package_wants_is_locked_as_such(name: str) -> None:
    """Or the pip of older Pythons takes it for another requirement, which has no hash."""
    lines = (ROOT / f"requirements/{name}.txt").read_text()
    locked = {
        each[1]: set(re.split(r",\s*", each[2] or ""))
        for each in re.finditer(r"^([a-z0-9-]+)(?:\[(.*)\])?==", lines, re.M)
    }
    bare = []
    for package, extras in locked.items():
        try:
            wanted = requires(package) or []
        except PackageNotFoundError:
            continue  # for another system or Python
        for each in map(Requirement, wanted):
            key = canonicalize_name(each.name)
            holds = each.marker is None or any(each.marker.evaluate({"extra": x}) for x in extras)
            if holds and key in locked and not each.extras <= locked[key]:
                bare.append(f"{package} wants {each}")

    assert bare == []


def test_the_changelog_and_the_readme_know_the_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()
    assert __version__ in (ROOT / "README.md").read_text()


def test_links_between_the_documents_lead_somewhere() -> None:
    broken = [
        f"{path.name} -> {target}"
        for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text())
        if not (path.parent / target).exists()
    ]

    assert broken == []
