import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.torhaus.web.visits import visit
from torhaus.web.forms import FORM_TYPE, MAX_BODY, fields


async def echo(request: Request) -> Response:
    return JSONResponse(dict(await fields(request)))


def posted(body: bytes, kind: str = FORM_TYPE) -> str:
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    return visit("POST", "/", body, {"content-type": kind}, app).text


def test_a_form_is_read() -> None:
    assert posted(b"a=1&b=gr%C3%BCn+x", f"{FORM_TYPE}; charset=UTF-8") == '{"a":"1","b":"grün x"}'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=1", "text/plain"),
        (b"a=1", "multipart/form-data"),
        (b'{"a": 1}', "application/json"),
        (b"a=1&a=2", FORM_TYPE),
        (b"a=%ff", FORM_TYPE),
        (b"\xff=1", FORM_TYPE),
        (b"a=" + b"x" * MAX_BODY, FORM_TYPE),
        (b"&".join(b"f%d=1" % n for n in range(50)), FORM_TYPE),
    ],
)
def test_what_is_no_plain_small_form_is_nothing(body: bytes, kind: str) -> None:
    assert posted(body, kind) == "{}"
