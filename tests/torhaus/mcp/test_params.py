import pytest

from torhaus.mcp.params import Mark, marks, mismatch, repeated

SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "limit": {"type": "integer", "x-mcp-header": "Limit"},
        "dry": {"type": "boolean", "x-mcp-header": "Dry"},
        "price": {"type": "number", "x-mcp-header": "Price"},
        "where": {
            "type": "object",
            "properties": {"city": {"type": "string", "x-mcp-header": "City"}},
        },
        "either": {"anyOf": [{"type": "string", "x-mcp-header": "Either"}]},
        "free": {"type": "string"},
    },
}
MARKS = marks(SCHEMA)


def test_marks_are_found_on_strings_integers_and_booleans_under_properties_alone():
    assert [(mark.path, mark.header) for mark in MARKS] == [
        (("region",), "mcp-param-region"),
        (("limit",), "mcp-param-limit"),
        (("dry",), "mcp-param-dry"),
        (("where", "city"), "mcp-param-city"),
    ]


@pytest.mark.parametrize("schema", [None, 5, [], {}, {"properties": 5}, {"properties": {"a": 1}}])
def test_a_schema_of_any_shape_is_read(schema: object):
    assert marks(schema) == ()


def test_a_schema_that_never_ends_is_read_to_a_bound():
    deep: dict[str, object] = {"type": "string", "x-mcp-header": "End"}
    for _ in range(2000):
        deep = {"properties": {"a": deep}}

    assert marks(deep) == ()


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({}, ()),
        ({"region": None}, ()),
        ({"region": "eu"}, (("mcp-param-region", "eu"),)),
        ({"region": "Übersee"}, (("mcp-param-region", "=?base64?w5xiZXJzZWU=?="),)),
        ({"limit": 42}, (("mcp-param-limit", "42"),)),
        ({"limit": 42}, (("mcp-param-limit", "42.0"),)),
        ({"limit": 42.0}, (("mcp-param-limit", "42"),)),
        ({"limit": 2**70 + 1}, (("mcp-param-limit", str(2**70 + 1)),)),
        ({"dry": True}, (("mcp-param-dry", "true"),)),
        ({"where": {"city": "Ulm"}}, (("mcp-param-city", "Ulm"),)),
        ({"free": "x"}, (("mcp-param-unknown", "y"),)),
    ],
)
def test_headers_that_repeat_the_arguments_pass(arguments: dict[str, object], sent: object):
    assert mismatch(MARKS, arguments, sent) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "sent", "named"),
    [
        ({"region": "eu"}, (), "must repeat `region`"),
        ({}, (("mcp-param-region", "eu"),), "do not hold"),
        ({"region": None}, (("mcp-param-region", "eu"),), "do not hold"),
        ({"region": "eu"}, (("mcp-param-region", "us"),), "does not match `region`"),
        ({"region": "eu"}, (("mcp-param-region", "EU"),), "does not match"),
        ({"region": "eu"}, (("mcp-param-region", "=?base64?!?="),), "does not match"),
        ({"region": "ü"}, (("mcp-param-region", "ü"),), "does not match"),
        ({"limit": 42}, (("mcp-param-limit", "43"),), "does not match"),
        ({"limit": 42}, (("mcp-param-limit", "42.5"),), "does not match"),
        ({"limit": "42"}, (("mcp-param-limit", "42.0"),), "does not match"),
        ({"dry": True}, (("mcp-param-dry", "True"),), "does not match"),
        ({"dry": 1}, (("mcp-param-dry", "true"),), "does not match"),
        ({"region": ["eu"]}, (("mcp-param-region", "['eu']"),), "does not match"),
        ({"where": "Ulm"}, (("mcp-param-city", "Ulm"),), "do not hold"),
    ],
)
def test_headers_that_say_something_else_are_named(
    arguments: dict[str, object], sent: object, named: str
):
    wrong = mismatch(MARKS, arguments, sent)  # type: ignore[arg-type]

    assert wrong is not None
    assert named in wrong


def test_the_last_of_two_marks_with_one_header_cannot_hide_the_first():
    twice = (Mark(("a",), "mcp-param-x", integer=False), Mark(("b",), "mcp-param-x", integer=False))

    assert mismatch(twice, {"a": "1", "b": "2"}, (("mcp-param-x", "1"),)) is not None


def test_headers_are_written_for_arguments_as_they_are_compared():
    arguments = {"region": "ü", "limit": 42, "dry": True, "where": {"city": "Ulm"}}

    written = repeated(MARKS, arguments)

    assert mismatch(MARKS, arguments, written) is None
    assert repeated(MARKS, {"region": None}) == ()
    assert repeated(MARKS, {"region": ["no", "text"]}) == ()
