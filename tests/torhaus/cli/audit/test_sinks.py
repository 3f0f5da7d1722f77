"""`torhaus audit sinks`, and a gateway that delivers."""

import json
from pathlib import Path

from tests.torhaus.cli.audit.records_on_disk import record, segment
from tests.torhaus.cli.terminal import CONFIG, KEY, Warm, configured, torhaus
from tests.torhaus.store.audit.sinks.servers import HttpReceiver, Said
from torhaus.cli.audit.records import directory

SINKS = """
audit_logs:
  sinks:
    - name: copy
      file: {path: copy.jsonl}
    - name: hook
      webhook: {url: URL, secret: whsec-123}
"""


def test_without_sinks_it_says_so(tmp_path: Path) -> None:
    configured(tmp_path)

    assert torhaus("audit", "sinks", at=tmp_path).out.startswith("No sinks are configured")


def test_each_sink_is_a_line_with_what_is_left(tmp_path: Path) -> None:
    configured(tmp_path, CONFIG + SINKS.replace("URL", "http://127.0.0.1:9/"))
    segment(directory(tmp_path / "data"), 1, record(1, "git_log") + record(2, "git_show"))

    said = torhaus("audit", "sinks", at=tmp_path)
    asked = torhaus("audit", "sinks", "--json", at=tmp_path)

    assert said.out.splitlines()[1].split()[:3] == ["copy", "0", "2"]
    assert [each["behind"] for each in asked.json()["sinks"]] == [2, 2]


def test_a_test_record_is_delivered_and_says_what_it_is(tmp_path: Path) -> None:
    with HttpReceiver().serving() as receiver:
        configured(tmp_path, CONFIG + SINKS.replace("URL", receiver.url))

        said = torhaus("audit", "sinks", "--test", "hook", at=tmp_path)

        assert said.code == 0
        assert said.out.startswith("hook took 1 test record: test_")
        (sent,) = json.loads(receiver.got[0].body)["records"]
        assert sent["operation"] == "audit.sinks.test"


def test_what_a_receiver_says_to_a_test_is_told(tmp_path: Path) -> None:
    with HttpReceiver(always=Said(401)).serving() as receiver:
        configured(tmp_path, CONFIG + SINKS.replace("URL", receiver.url))

        said = torhaus("audit", "sinks", "--test", "hook", at=tmp_path)
        nobody = torhaus("audit", "sinks", "--test", "nobody", at=tmp_path)

    assert (said.code, said.err) == (1, "hook did not take it: it answered HTTP 401\n")
    assert (nobody.code, nobody.err) == (1, "There is no sink nobody: copy, hook.\n")


def test_a_gateway_delivers_every_call_and_what_is_left_at_its_end(tmp_path: Path) -> None:
    with HttpReceiver().serving() as receiver:
        configured(tmp_path, CONFIG + SINKS.replace("URL", receiver.url))
        with Warm("serve", "--port", "0", at=tmp_path) as running:
            url = running.url()
            words = ("git", "git_status", "--key", KEY, "--url", url)
            assert torhaus("call", *words, at=tmp_path).code == 0
            receiver.wait(1)
            assert torhaus("call", *words, at=tmp_path).code == 0
            assert running.stop() == 0

        hooked = [each for got in receiver.got for each in json.loads(got.body)["records"]]

    copied = [json.loads(line) for line in (tmp_path / "copy.jsonl").read_text().splitlines()]
    exported = torhaus("audit", "export", at=tmp_path)
    logged = [json.loads(line) for line in exported.out.splitlines()]
    assert sorted(map(str, copied)) == sorted(map(str, logged))
    assert hooked == copied
    assert sum(each["operation"] == "git_status" for each in copied) >= 2
