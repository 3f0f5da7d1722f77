"""What tests have proved, as the tables of docs/compatibility.md.

`python -m tests.clients.evidence` makes all tours and writes the tables anew. What no tour can
show, a test says of itself: `pytest.mark.proves(feature, client=ERA, server=ERA)`.
"""

import ast
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.clients.conftest import node_binary
from tests.clients.tours import (
    EVERYWHERE,
    FEATURES,
    TARGETS,
    TOURISTS,
    UNABLE,
    Seen,
    Tourist,
    cannot,
    journey,
)

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "compatibility.md"
BEGIN, END = "<!-- tables of tests: begin -->", "<!-- tables of tests: end -->"
NO_TEST = "no test"
NOT_RUN = dict.fromkeys(FEATURES, "not run")
COUNT = re.compile(r"(\d+) of (\d+)")
COLUMNS = [*TARGETS.values(), ("modern", "HTTP+SSE")]
ERAS = ("legacy", "modern")
MARKED = ("streams that can be resumed", "tasks")
"""What is not part of a tour."""

Results = Mapping[Tourist, Seen]
Proof = tuple[str, str, str]
"""Feature, era of the client, era of the server."""


def tables(results: Results, marked: Iterable[Proof]) -> str:
    """The part of the document between the marks."""
    on_http = [each for each in results if not each.old_transport]
    groups = {
        "Clients with sessions": [each for each in on_http if each.era("") == "legacy"],
        "Clients of 2026-07-28": [each for each in on_http if each.era("") == "modern"],
        "Clients on HTTP+SSE": [each for each in results if each.old_transport],
    }
    parts = [_group(title, clients, results) for title, clients in groups.items()]
    reasons = "\n".join(f"- {why}." for why in dict.fromkeys(UNABLE.values()))
    could_not = f"What a client itself cannot do counts for nothing:\n\n{reasons}"
    return "\n\n".join([*parts, could_not, _other(frozenset(marked))])


def _group(title: str, clients: list[Tourist], results: Results) -> str:
    names = ", ".join(dict.fromkeys(_named(each) for each in clients))
    lines = [
        f"**{title}** ({names}):",
        "",
        "| feature | " + " | ".join(f"{era} server, {way}" for era, way in COLUMNS) + " |",
        "|---|" + "---|" * len(COLUMNS),
    ]
    for feature, words in FEATURES.items():
        cells = [_cell(feature, column, clients, results) for column in COLUMNS]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _named(tourist: Tourist) -> str:
    return (
        f"{tourist.product} in mode `{tourist.mode}`" if tourist.kind != "v1" else tourist.product
    )


def _cell(feature: str, column: tuple[str, str], clients: list[Tourist], results: Results) -> str:
    target = next((name for name, each in TARGETS.items() if each == column), None)
    able = [each for each in clients if cannot(each, feature) is None]
    if target is None or not able:
        return NO_TEST
    did = sum(results[each].get(target, NOT_RUN)[feature] == "yes" for each in able)
    return f"{did} of {len(able)}"


def _other(marked: frozenset[Proof]) -> str:
    head = [
        "What these clients cannot show, tests with a client of our own do:",
        "",
        "| feature | " + " | ".join(f"{c} client, {s} server" for c in ERAS for s in ERAS) + " |",
        "|---|" + "---|" * 4,
    ]
    for feature in MARKED:
        cells = ["yes" if (feature, c, s) in marked else NO_TEST for c in ERAS for s in ERAS]
        head.append(f"| {feature} | {' | '.join(cells)} |")
    return "\n".join(head)


def marked() -> set[Proof]:
    """What tests say that they prove; they are part of every run."""
    found: set[Proof] = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        if "node_modules" in file.parts or "mark.proves(" not in (text := file.read_text()):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.proves":
                told = {each.arg: ast.literal_eval(each.value) for each in node.keywords}
                found.add((ast.literal_eval(node.args[0]), told["client"], told["server"]))
    return found


def written() -> str:
    """The tables as they stand in the document."""
    text = DOCUMENT.read_text()
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def write(fresh: str) -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{fresh}\n\n{END}{after}")


def agrees(document: str, seen: Results, proofs: Iterable[Proof]) -> bool:
    """Whether the tables can be those of all tours, of which these are some."""
    proofs, everywhere = frozenset(proofs), dict.fromkeys(TARGETS, dict.fromkeys(FEATURES, "yes"))
    least = tables(seen, proofs)
    most = tables({each: {**everywhere, **seen[each]} for each in seen}, proofs)
    if not COUNT.sub("", document) == COUNT.sub("", least) == COUNT.sub("", most):
        return False
    counts = zip(*map(COUNT.findall, (document, least, most)), strict=True)
    return all(
        told[1] == fewest[1] and int(fewest[0]) <= int(told[0]) <= int(greatest[0])
        for told, fewest, greatest in counts
    )


def main() -> None:
    home = Path(tempfile.mkdtemp())
    with journey(node_binary(), home) as one:
        results = one.seen(EVERYWHERE)
    write(tables({each: results[each] for each in TOURISTS}, marked()))
    wrong = failures(results)
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


def failures(results: Results) -> list[str]:
    """What went wrong on the tours."""
    return [
        f"{tourist} {target} {feature}: {said}"
        for tourist, seen in results.items()
        for target, features in seen.items()
        for feature, said in features.items()
        if said not in ("yes", "unable")
    ]


if __name__ == "__main__":
    main()
