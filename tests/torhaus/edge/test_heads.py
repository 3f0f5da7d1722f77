import pytest

from tests.torhaus.upstream.pipes import session
from torhaus.edge.heads import LONGEST, MOST, Again, Head, Heads, key_of

TARGET = b"/mcp/time"
LINES = (b"host: localhost", b"authorization: Bearer thk_x", b"content-type: application/json")


def request(body: bytes, *more: bytes, target: bytes = TARGET) -> bytes:
    lines = [b"POST %b HTTP/1.1" % target, *LINES, b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def parsed(data: bytes, target: bytes = TARGET, method: bytes = b"POST") -> Head:
    """The head as the parser reports it."""
    head = Head(target)
    head.method = method
    for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        head.add(name, value.lstrip())
    head.key = key_of(data, head)
    return head


def remembered(data: bytes) -> tuple[Heads, Head]:
    heads, head = Heads(), parsed(data)
    heads.keep(head)
    return heads, head


def test_a_head_that_comes_again_is_found_with_its_body():
    heads, head = remembered(request(b"{}"))

    assert heads.find(request(b"{}")) == (head, b"{}")


def test_another_length_of_the_body_changes_nothing():
    heads, head = remembered(request(b"{}"))

    for body in (b"", b"x" * 9, b"x" * 12345, b"x" * 9):
        assert heads.find(request(body)) == (head, body)


@pytest.mark.parametrize(
    "data",
    [
        request(b"{}")[:-1],
        request(b"{}") + b"P",
        request(b"{}") + request(b"{}"),
        request(b"{}").replace(b"thk_x", b"thk_y"),
        request(b"{}").replace(b"localhost", b"evil.example"),
        request(b"{}", target=b"/mcp/git"),
        request(b"{}").replace(b"POST", b"post"),
        request(b"{}").replace(b"HTTP/1.1", b"HTTP/1.0"),
        request(b"{}", b"transfer-encoding: chunked"),
        request(b"{}", b"content-length: 2"),
        request(b"{}").replace(b"Content-Length: 2", b"Content-Length: -2"),
        request(b"{}").replace(b"Content-Length: 2", b"Content-Length: 0x2"),
        request(b"{}").replace(b"Content-Length: 2", b"Content-Length : 2"),
        request(b"{}").replace(b"Content-Length: 2", b"X-Content-Length: 2"),
        b"",
        b"\r\n\r\n",
        b"POST",
    ],
)
def test_whatever_is_not_exactly_that_head_and_its_body_goes_to_the_parser(data: bytes):
    heads, _ = remembered(request(b"{}"))

    assert heads.find(data) is None
    assert heads.find(data) is None, "nothing was learned from the first look"


def test_the_same_bytes_with_another_body_length_than_they_say_are_not_believed():
    heads, _ = remembered(request(b"{}"))
    heads.find(request(b"{}"))

    assert heads.find(request(b"{}") + b"more") is None


@pytest.mark.parametrize(
    "more",
    [
        (b"transfer-encoding: chunked",),
        (b"expect: 100-continue",),
        (b"connection: close",),
        (b"upgrade: h2c",),
        (b"content-length: 2",),
        (b"apikey: a", b"apikey: b"),
        (b"x-long: " + b"x" * LONGEST,),
    ],
)
def test_a_head_that_means_more_than_itself_is_never_remembered(more: tuple[bytes, ...]):
    assert parsed(request(b"{}", *more)).key is None


def test_only_posts_that_the_parser_saw_whole_are_remembered():
    data = request(b"{}")

    assert parsed(data, method=b"GET").key is None
    assert key_of(data[5:], parsed(data)) is None
    assert key_of(b"", parsed(data)) is None


def test_what_was_let_in_once_is_forgotten_with_the_rules():
    heads, _ = remembered(request(b"{}"))
    heads.find(request(b"{}"))

    heads.clear()

    assert heads.find(request(b"{}")) is None


def test_the_memory_is_bounded():
    heads = Heads()
    for number in range(MOST + 10):
        data = request(b"{}", b"x-number: %d" % number)
        heads.keep(parsed(data))
        assert heads.find(data) is not None

    assert heads.find(request(b"{}", b"x-number: 1")) is None
    assert heads.find(request(b"{}", b"x-number: %d" % (MOST + 9))) is not None


def test_the_first_of_two_headers_counts_and_the_second_is_known():
    head = Head(TARGET)

    head.add(b"Host", b"a ")
    head.add(b"HOST", b"b")

    assert head.headers == {b"host": b"a"}
    assert head.twice == [b"host"]


def test_a_client_that_asks_to_keep_the_connection_is_recognised_too():
    data = request(b"{}", b"Connection: keep-alive")
    heads, head = remembered(data)

    assert heads.find(data) == (head, b"{}")


# -- the last head of a connection -------------------------------------------------------------


def test_the_last_head_is_found_again_with_another_body():
    heads, head = remembered(request(b"{}"))
    again = Again(heads)

    for body in (b"{}", b"[]", b"12345", b"{}", b"54321"):
        assert again.find(request(body)) == (head, body)


def test_the_last_head_is_not_taken_for_another_of_its_length():
    heads, head = remembered(request(b"{}", b"x-number: 1"))
    again = Again(heads)
    assert again.find(request(b"{}", b"x-number: 1")) == (head, b"{}")

    assert again.find(request(b"{}", b"x-number: 2")) is None
    assert again.find(request(b"{}", b"x-number: 1")) == (head, b"{}")


def test_more_or_less_than_one_request_is_no_last_head():
    heads, head = remembered(request(b"{}"))
    again = Again(heads)
    assert again.find(request(b"{}")) == (head, b"{}")

    assert again.find(request(b"{}") + b"more") is None
    assert again.find(request(b"{}")[:-1]) is None
    assert again.find(b"") is None


def test_the_heads_of_a_session_that_is_over_are_forgotten_and_no_others():
    heads, other = remembered(request(b"{}"))
    data = request(b"{}", b"mcp-session-id: s1")
    gone = parsed(data)
    gone.session = session()
    heads.keep(gone)
    assert heads.find(data) == (gone, b"{}")

    heads.forget(gone.session)

    assert heads.find(data) is None
    assert heads.find(request(b"{}")) == (other, b"{}")
