import pytest
from starlette.responses import Response

from torhaus.web.cookies import SESSION, Cookies


def scope(scheme: str, host: str, cookie: str = "") -> dict[str, object]:
    headers = [(b"host", host.encode()), (b"cookie", cookie.encode())]
    return {"scheme": scheme, "headers": headers}


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "secure"),
    [
        ("https", "gw.example.org", None, True),
        ("http", "gw.example.org", "https://gw.example.org", True),
        ("http", "10.0.0.7:8080", "https://gw.example.org", True),
        ("http", "127.0.0.1:8080", "https://gw.example.org", False),
        ("http", "localhost:8080", "https://gw.example.org", False),
        ("http", "[::1]:8080", "https://gw.example.org", False),
        ("http", "director.company.local:8080", "http://director.company.local:8080", False),
        ("http", "127.0.0.1:8080", None, False),
    ],
)
def test_the_prefix_is_for_https_and_no_other_name_is_read_there(
    scheme: str, host: str, origin: str | None, secure: bool
) -> None:
    cookies = Cookies(lambda: origin)
    name, other = ("__Host-torhaus", "torhaus") if secure else ("torhaus", "__Host-torhaus")
    answer = Response()

    cookies.write(answer, scope(scheme, host), SESSION, "v", 60)

    written = answer.headers["set-cookie"]
    assert written.startswith(f"{name}=v;")
    assert ("Secure" in written) is secure
    assert "Domain" not in written
    assert cookies.read(scope(scheme, host, f"{name}=mine; {other}=planted"), SESSION) == "mine"
    assert cookies.read(scope(scheme, host, f"{other}=planted"), SESSION) is None
