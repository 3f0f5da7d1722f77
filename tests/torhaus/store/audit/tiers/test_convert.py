import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from tests.torhaus.store.audit.tiers.stock import EVENING, MORNING, ids, lines, record
from torhaus.model.record import Record, RecordCall, RecordResult
from torhaus.store.audit.tiers.convert import carry_out
from torhaus.store.audit.tiers.order import Draft, Made, Order, Part, Source

HEAD = b'{"segment":{"name":"x","node":"n","began":"b","version":1}}\n'


def source(tmp_path: Path, name: str, text: bytes, records: int, *without: str) -> Source:
    path = tmp_path / f"{name}.jsonl"
    path.write_bytes(text)
    return Source(
        name=name,
        path=str(path),
        records=records,
        octets=len(text),
        sha256=sha256(text).hexdigest(),
        without=without,
    )


def folder(tmp_path: Path, name: str = "work") -> str:
    (tmp_path / name).mkdir()
    return str(tmp_path / name)


def test_a_draft_says_what_is_in_it(tmp_path: Path) -> None:
    text = HEAD + lines(record(EVENING + n, n) for n in range(12))

    made = carry_out(Order(folder=folder(tmp_path), segments=(source(tmp_path, "a", text, 12),)))

    first, last = made.drafts
    assert (first.day, first.records, first.segments) == ("2025-10-20", 10, {"a": 10})
    assert (last.day, last.records, last.segments) == ("2025-10-21", 2, {"a": 2})
    assert (first.first, first.last) == ("2025-10-20T23:59:50.000Z", "2025-10-20T23:59:59.000Z")
    assert first.sha256 == sha256(Path(first.path).read_bytes()).hexdigest()
    assert first.octets == Path(first.path).stat().st_size
    assert sorted(path.suffix for path in (tmp_path / "work").iterdir()) == [".parquet"] * 2


def test_days_that_are_filed_already_are_left_out(tmp_path: Path) -> None:
    text = lines(record(EVENING + n, n) for n in range(12))
    order = Order(
        folder=folder(tmp_path), segments=(source(tmp_path, "a", text, 12, "2025-10-20"),)
    )

    (draft,) = carry_out(order).drafts

    assert (draft.day, draft.records) == ("2025-10-21", 2)


@pytest.mark.parametrize(
    ("text", "records", "why"),
    [
        (lines([record(MORNING, 1)]), 2, "holds 1 records and not 2"),
        (lines([record(MORNING, 1)]) + b"torn", 1, "no record, head or checkpoint"),
        (lines([record(MORNING, 1)]) + b'{"timestamp":1}\n', 2, "no record of this version"),
    ],
)
def test_a_segment_that_cannot_be_used_holds_up_no_other(
    tmp_path: Path, text: bytes, records: int, why: str
) -> None:
    good = source(tmp_path, "good", lines([record(MORNING, 9)]), 1)
    bad = source(tmp_path, "bad", text, records)

    made = carry_out(Order(folder=folder(tmp_path), segments=(bad, good)))

    assert [each.segments for each in made.drafts] == [{"good": 1}]
    assert why in made.refused["bad"]


def test_a_changed_or_missing_segment_is_refused(tmp_path: Path) -> None:
    changed = source(tmp_path, "a", lines([record(MORNING, 1)]), 1)
    missing = source(tmp_path, "b", lines([record(MORNING, 2)]), 1)
    Path(changed.path).write_bytes(lines([record(MORNING, 2)]))
    Path(missing.path).unlink()

    made = carry_out(Order(folder=folder(tmp_path), segments=(changed, missing)))

    assert made.drafts == ()
    assert "not what it was" in made.refused["a"]
    assert "No such file" in made.refused["b"]


def parts(tmp_path: Path) -> list[Draft]:
    return [
        carry_out(
            Order(
                folder=folder(tmp_path, f"w{n}"),
                segments=(source(tmp_path, f"s{n}", lines([record(MORNING + n, n)]), 1),),
            )
        ).drafts[0]
        for n in range(2)
    ]


def part(draft: Draft, **changes: object) -> Part:
    made = Part(
        name=Path(draft.path).parent.name,
        path=draft.path,
        records=draft.records,
        octets=draft.octets,
        sha256=draft.sha256,
    )
    return msgspec.structs.replace(made, **changes)


def test_files_become_one(tmp_path: Path) -> None:
    one, two = parts(tmp_path)

    (draft,) = carry_out(Order(folder=folder(tmp_path), merge=(part(two), part(one)))).drafts

    assert (draft.day, draft.records, draft.segments) == ("2025-10-20", 2, {})
    assert (draft.first, draft.last) == (one.first, two.last)
    assert ids([Path(draft.path)]) == [record(0, n).request_id for n in range(2)]


def test_files_that_are_not_what_they_should_be_are_not_put_together(tmp_path: Path) -> None:
    one, two = parts(tmp_path)

    made = carry_out(Order(folder=folder(tmp_path), merge=(part(one, sha256="0" * 64), part(two))))

    assert made == Made(refused={"w0": "it is not what the journal says"})


def test_a_file_with_fewer_records_than_it_should_have_is_noticed(tmp_path: Path) -> None:
    one, two = parts(tmp_path)

    with pytest.raises(ValueError, match="does not hold"):
        carry_out(Order(folder=folder(tmp_path), merge=(part(one, records=5), part(two))))


WORDS = ("login", "timeout", "retry", "cache", "token", "parser", "upload", "invoice", "search")


def lively(number: int) -> Record:
    """A record as a working team leaves it: few people and tools, and arguments of all kinds."""
    dice = Random(number)
    repo = f"service-{int(dice.paretovariate(1.2)) % 60}"
    arguments: dict[str, Any] = {"owner": "myorg", "repo": repo}
    match dice.randrange(4):
        case 0:
            arguments["issue_number"] = dice.randrange(1, 4000)
        case 1:
            arguments["query"] = " ".join(dice.choices(WORDS, k=3))
        case 2:
            arguments["path"] = f"src/{dice.choice(WORDS)}/{dice.choice(WORDS)}.py"
        case _:
            arguments |= {"state": "open", "page": dice.randrange(1, 4)}
    at = MORNING + number * 2.7 + dice.random()
    duration = round(dice.lognormvariate(5, 1), 3)
    return record(
        at,
        number,
        request_id=f"req_{number // 5000:012x}{number:x}",
        parameters=msgspec.Raw(msgspec.json.encode(arguments)),
        result=RecordResult("success", dice.randrange(60), dice.random() < 0.3, duration),
        call=RecordCall(
            client="claude-code",
            protocol="2025-11-25",
            sent=dice.randrange(30, 200),
            received=dice.randrange(200, 40_000),
        ),
    )


def test_a_record_takes_at_most_thirty_octets(tmp_path: Path) -> None:
    many = 15_000
    text = lines(lively(n) for n in range(many))
    order = Order(folder=folder(tmp_path), segments=(source(tmp_path, "a", text, many),))

    drafts = carry_out(order).drafts

    assert sum(each.records for each in drafts) == many
    size = sum(each.octets for each in drafts) / many
    assert size <= 30, size


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    order = Order(
        folder=folder(tmp_path), segments=(source(tmp_path, "a", lines([record(MORNING)]), 1),)
    )
    program = [sys.executable, "-P", "-m", "torhaus.store.audit.tiers.convert"]

    good = subprocess.run(
        program, input=msgspec.json.encode(order), capture_output=True, check=False
    )
    again = subprocess.run(
        program, input=msgspec.json.encode(order), capture_output=True, check=False
    )

    assert good.returncode == 0, good.stderr
    assert msgspec.json.decode(good.stdout, type=Made).drafts[0].records == 1
    assert again.returncode == 0
    assert again.stdout == good.stdout
