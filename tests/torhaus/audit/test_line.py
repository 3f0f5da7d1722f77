import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torhaus.audit.scene import ALLOWED, AT, answered, call
from torhaus.audit.line import is_intent, read, text
from torhaus.audit.shape import intent, record
from torhaus.model.outcome import Refused
from torhaus.model.record import Record
from torhaus.model.verdict import Deny


def printed(**changes: object) -> str:
    return text(record(call(**changes), answered(b'{"content":[]}'), AT, 0.1))


def test_a_record_prints_as_in_the_product_text():
    line = printed(operation="listIssues", payload=b'{"repo":"myorg/myrepo"}')

    assert line == "2025-10-20 14:23:11 | alice@example.org | github.listIssues | repo=myorg/myrepo"


def test_several_parameters_stand_side_by_side():
    line = printed(payload=b'{"repo":"a/b","labels":["bug"],"title":"two words","n":3}')

    assert line.endswith(' | repo=a/b labels=["bug"] title="two words" n=3')


def test_a_refusal_ends_with_its_reason():
    refused = Refused(Deny("no_delete", "restricted", "may not delete"))

    line = text(record(call(payload=b""), refused, AT, 0.1))

    assert line.endswith(" |  | denied: may not delete")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\n2025-10-20 14:23:11 | root", "a\\u000a2025-10-20 14:23:11 \\u007c root"),
        ("\x1b[2Jx", "\\u001b[2Jx"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u2028b\x85c", "a\\u2028b\\u0085c"),
        ("a\\u000a", "a\\\\u000a"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_a_name_cannot_forge_a_line(name: str, shown: str):
    assert f" | github.{shown} | " in printed(operation=name)


def test_a_parameter_cannot_forge_another():
    line = printed(payload=b'{"a=1 b":"x y=2","c":"1 | d=2"}')

    assert line.endswith(' | "a=1 b"="x y=2" c="1 \\u007c d=2"')


def test_long_values_are_cut():
    line = printed(payload=b'{"a":"%s","b":1}' % (b"x" * 1000))

    assert line.endswith("x… b=1")
    assert len(line) < 300


def test_a_torn_line_is_no_record():
    line = msgspec.json.encode(record(call(), answered(b"{}"), AT, 0.1))

    assert isinstance(read(line), Record)
    assert read(line[:-5]) is None
    assert read(b"\xff") is None
    assert read(b"{}") is None


@given(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_every_record_prints_as_one_line_of_plain_characters(name: str, arguments: dict):
    line = printed(operation=name, payload=msgspec.json.encode(arguments))

    assert line.isprintable()
    assert line.count(" | ") == 3


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (
            b'{"approval":"apr_1","before":{"state":"pending"},"after":{"state":"approved"}}',
            "approval=apr_1 state=pending→approved",
        ),
        (b'{"before":null,"after":{"state":"pending","role":"x"}}', "state=→pending role=→x"),
        (b'{"before":{"ends":1},"after":null}', "ends=1→"),
        (b'{"before":"a","after":"b"}', "before=a after=b"),
        (b'{"before":{"a":1}}', 'before={"a":1}'),
    ],
)
def test_what_an_act_has_changed_is_one_part(parameters: bytes, told: str):
    assert told_of(parameters, id="adm_1") == told


def told_of(parameters: bytes, **changes: object) -> str:
    return printed(payload=parameters, **changes).split(" | ")[3]


def test_the_arguments_of_a_call_are_told_as_they_are_whatever_their_names():
    payload = b'{"before":{"a":1},"after":{"a":2}}'

    assert told_of(payload) == 'before={"a":1} after={"a":2}'


def test_an_intent_is_told_by_its_end_alone():
    arguments = call(payload=b'{"phase":"intent"}')
    made = intent(arguments, ALLOWED, AT)
    other = record(arguments, answered(b"{}"), AT, 0.1)
    intent_line, other_line = msgspec.json.encode(made), msgspec.json.encode(other)

    assert is_intent(intent_line)
    assert not is_intent(other_line)
