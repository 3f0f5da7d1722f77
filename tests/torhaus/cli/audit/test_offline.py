"""Questions without a gateway: each leaves a record all the same, or says why not."""

import os
from pathlib import Path

import pytest

from tests.torhaus.store.query.log import AuditLog, call
from torhaus.cli.audit.offline import ask, become_owner, noted
from torhaus.model.asking import Question, Table, Unanswered
from torhaus.model.evidence import Moved
from torhaus.model.keeping import Bucket
from torhaus.store.audit.pseudonyms import People

READERS = (
    "SELECT user, user_role, result.status AS status, parameters FROM audit_logs "
    "WHERE operation = 'audit.queried' ORDER BY timestamp"
)


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    made = AuditLog(tmp_path)
    made.live(call("r1", 0.1))
    return made


def live(log: AuditLog) -> Path:
    return next(log.hot.glob("seg-*"))


def test_a_question_is_in_the_log_that_it_asked(log: AuditLog) -> None:
    sql = "SELECT count(*) FROM audit_logs"

    first = ask(log.directory, Question(sql=sql), "mine")
    refused = ask(log.directory, Question(sql="DROP VIEW audit_logs"), None)
    found = ask(log.directory, Question(sql=READERS), None).found

    assert first.unrecorded is None
    assert isinstance(first.found, Table)
    assert isinstance(refused.found, Unanswered)
    assert isinstance(found, Table)
    assert [(row[1], row[2]) for row in found.rows] == [("local", "success"), ("local", "denied")]
    assert "@" in found.rows[0][0]
    assert found.rows[0][3]["sql"] == sql
    assert (found.rows[0][3]["saved"], found.rows[0][3]["rows"]) == ("mine", 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_directory_that_cannot_be_written_is_said(log: AuditLog) -> None:
    log.hot.chmod(0o500)

    answered = ask(log.directory, Question(sql="SELECT 1"), None)

    log.hot.chmod(0o700)
    assert isinstance(answered.found, Table)
    assert answered.unrecorded is not None


def test_a_key_that_is_damaged_is_said_and_the_answer_comes(log: AuditLog) -> None:
    (log.directory / "audit.key").write_text("no key")

    answered = ask(log.directory, Question(sql="SELECT 1"), None)

    assert isinstance(answered.found, Table)
    assert answered.unrecorded is not None
    assert "audit.key" in answered.unrecorded


def test_ones_own_directory_needs_no_other_account(tmp_path: Path) -> None:
    before = os.geteuid(), os.getegid()

    assert become_owner(tmp_path) is None
    assert (os.geteuid(), os.getegid()) == before


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert become_owner(tmp_path / "gone") == f"{tmp_path / 'gone'}: No such file or directory"


def test_a_question_that_is_too_long_is_not_asked(log: AuditLog) -> None:
    found = ask(log.directory, Question(sql="SELECT " + "1" * 20_000), None).found

    assert isinstance(found, Unanswered)
    assert found.code == "refused"


def test_where_people_have_pseudonyms_the_question_has_them_too(log: AuditLog) -> None:
    people = People(log.directory)
    token = people.pseudonym("alice@example.org")
    first = live(log)
    sql = "SELECT count(*) FROM audit_logs WHERE user = 'alice@example.org'"

    answered = ask(log.directory, Question(sql=sql), None)

    assert answered.unrecorded is None
    written = b"".join(path.read_bytes() for path in log.hot.glob("seg-*") if path != first)
    assert token.encode() in written
    assert b"alice@example.org" not in written


def test_a_bucket_that_does_not_answer_is_said_and_the_rest_is_told(log: AuditLog) -> None:
    bucket = Bucket(name="audit", endpoint="http://127.0.0.1:9", plaintext=True)
    day = str(log.filed(call("r2", 5)).relative_to(log.hot))
    log.journal.append(Moved(file=day, tier="warm", place=bucket.place))

    found = ask(log.directory, Question(sql="SELECT count(*) FROM audit_logs"), None, bucket).found

    assert isinstance(found, Table)
    assert found.rows == ((1,),)
    (skipped,) = found.skipped
    assert skipped.text.startswith("1 day skipped: unreachable")


def test_what_is_done_without_a_gateway_is_noted(log: AuditLog) -> None:
    assert noted(log.directory, "audit.exported", {"records": 7}) is None

    sql = "SELECT user_role, parameters FROM audit_logs WHERE operation = 'audit.exported'"
    found = ask(log.directory, Question(sql=sql), None).found
    assert isinstance(found, Table)
    assert [tuple(row) for row in found.rows] == [("local", {"records": 7})]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files to others")
def test_root_leaves_records_to_the_owner_of_the_data_and_stays_root(log: AuditLog) -> None:
    directory = log.directory
    for path in (directory, *directory.rglob("*")):
        os.chown(path, 12345, 12346)
    for parent in (directory, *directory.parents):
        if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o777 == 0o700:
            parent.chmod(0o711)

    assert noted(directory, "audit.exported", {}) is None

    made = {path.stat().st_uid for path in log.hot.glob("seg-*")}
    assert made == {12345}
    assert (os.geteuid(), os.getegid()) == (0, 0)


def test_where_nothing_can_be_noted_it_is_said(tmp_path: Path) -> None:
    why = noted(tmp_path, "audit.exported", {})

    assert why is not None
    assert "No such file or directory" in why
