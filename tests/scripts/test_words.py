from pathlib import Path

from scripts.words import HEADER, renew


def test_new_texts_come_in_and_old_ones_go(tmp_path: Path) -> None:
    path = tmp_path / "de.po"
    path.write_text(HEADER.format(language="de") + 'msgid "gone"\nmsgstr "weg"\n')

    missing = renew(path)

    assert "Sign out" in missing
    assert 'msgid "gone"' not in path.read_text()
    assert renew(path) == missing
