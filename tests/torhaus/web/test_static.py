import gzip
import re
from pathlib import Path

import pytest

from tests.torhaus.web.visits import visit
from torhaus.web.static import FOLDER, Static

BUDGET = 12_000


def test_files_are_served_for_ever_under_their_digest() -> None:
    found = visit("GET", Static().url("torhaus.css"))

    assert found.status == 200
    assert found.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in found.headers["cache-control"]
    assert found.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/static/000000000000/torhaus.css",
        "/static/{version}/none.css",
        "/static/{version}/geist-OFL.txt",
        "/static/{version}/..%2fpages.py",
        "/static/{version}/../render.py",
    ],
)
def test_nothing_else_is_served(path: str) -> None:
    assert visit("GET", path.replace("{version}", Static().version)).status == 404


def test_another_content_has_another_address(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    before = Static(tmp_path).url("a.css")
    (tmp_path / "a.css").write_text("b")

    assert Static(tmp_path).url("a.css") != before
    with pytest.raises(KeyError):
        Static(tmp_path).url("b.css")


def test_the_style_sheet_is_small_and_finds_its_fonts() -> None:
    css = (FOLDER / "torhaus.css").read_bytes()

    assert len(gzip.compress(css, 9)) <= BUDGET
    for name in re.findall(rb"url\(([^)]+)\)", css):
        assert (FOLDER / name.decode()).exists()
