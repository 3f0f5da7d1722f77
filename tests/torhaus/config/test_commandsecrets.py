import os
import select
import shlex
import sys
from pathlib import Path

import pytest

from torhaus.config.commandsecrets import command_secret
from torhaus.config.problems import FaultError


def python(code: str) -> str:
    return f"{sys.executable} -c '{code}'"


def test_what_it_prints_is_the_secret(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("canary")

    assert command_secret(python('print(open("here").read())'), {}, tmp_path) == "canary\n"
    environ = {"NAME": "value"}
    assert command_secret(python('import os; print(os.environ["NAME"])'), environ, tmp_path) == (
        "value\n"
    )


def test_no_shell_reads_it(tmp_path: Path) -> None:
    found = command_secret("echo '$HOME' ';' touch made", {"PATH": "/usr/bin:/bin"}, tmp_path)

    assert found == "$HOME ; touch made\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("", "no command"),
        ("'open", "no command"),
        ("/nowhere/pass show", "cannot be started"),
        (python('import sys; print("canary"); sys.exit("canary")'), "ended with 1"),
        (python('import sys; sys.stdout.buffer.write(b"\\xff")'), "printed no text"),
    ],
)
def test_a_failure_is_said_without_what_it_printed(
    tmp_path: Path, what: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FaultError) as failed:
        command_secret(what, {}, tmp_path)

    assert words in failed.value.message
    assert "canary" not in failed.value.message + failed.value.fix
    assert "canary" not in "".join(capfd.readouterr())


def test_it_does_not_get_what_opens_the_vault(tmp_path: Path) -> None:
    environ = {"TORHAUS_KEYS": "canary", "TORHAUS_KEYS_FILE": "canary", "HOME": "a-home-of-ours"}
    code = python("import os; print(sorted(os.environ.values()))")

    found = command_secret(code, environ, tmp_path)

    assert "canary" not in found
    assert "a-home-of-ours" in found


def test_what_prints_without_end_is_ended(tmp_path: Path) -> None:
    code = "import os\nwhile True: os.write(1, bytes(65536))"
    with pytest.raises(FaultError, match="printed more than 64 KiB"):
        command_secret(f"{sys.executable} -c {shlex.quote(code)}", {}, tmp_path)


def test_whatever_it_has_started_ends_with_it(tmp_path: Path) -> None:
    """A child holds the output open, and would go on for ever."""
    child = "import os, time; open('born', 'w').write(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])"
    with pytest.raises(FaultError, match="did not end within"):
        command_secret(f"{sys.executable} -c {shlex.quote(code)}", {}, tmp_path, seconds=6.0)

    assert ended(int((tmp_path / "born").read_text()))


def ended(process: int) -> bool:
    """Within a minute: a signal takes a moment."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 60.0)[0])
    finally:
        os.close(handle)
