"""Whose announcement it is."""

import json

import pytest

from torhaus.upstream.envelope import fields
from torhaus.upstream.marked import KEY, mark, marked


@pytest.mark.parametrize(
    ("spelled", "number"),
    [
        (b"7", 7),
        (b'"7"', 7),
        (b'"x"', None),
        (b"7.5", None),
        (b"-7", None),
        (b"null", None),
        (b'"99999999999999999999"', None),
    ],
)
def test_only_a_number_can_be_an_id_of_ours(spelled, number):
    assert mark(fields(b'{"_meta":{"%b":%b}}' % (KEY.encode(), spelled))) == number


def test_without_a_mark_it_is_nobodys():
    assert mark(fields(b'{"_meta":{"other":1}}')) is None
    assert mark(fields(b"")) is None


def test_the_caller_sees_his_own_id_and_all_else():
    told = marked(fields(b'{"uri":"x://1","_meta":{"other":1,"%b":7}}' % KEY.encode()), b'"mine"')

    assert json.loads(told) == {"uri": "x://1", "_meta": {"other": 1, KEY: "mine"}}
