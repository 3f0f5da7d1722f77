"""Landlock: this thread, and those it starts, can read some files and do nothing else with files.

Unprivileged, Linux 5.13 and newer; no TCP from version 4 on, no signals and abstract sockets to
others from 6. https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import struct
from collections.abc import Sequence

# The numbers are the same on every architecture that DuckDB runs on.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_NO_NEW_PRIVILEGES = 38
_VERSION = 1
_BENEATH = 1
_READ_FILE, _READ_DIRECTORY = 1 << 2, 1 << 3
# version: rights over files it knows. Whatever it knows is held back, and reading is given again.
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP = 0b11
_SCOPES = 0b11


def version() -> int:
    """Landlock's version here; 0 where the kernel has none, or it is switched off."""
    return max(0, _call(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION)))


def restrict(readable: Sequence[str]) -> int:
    """From now on only these files and directories can be opened, to read. Returns the version.

    Must run before the process has further threads. Raises OSError, FileNotFoundError among them.
    """
    found = version()
    if found == 0:
        return 0
    rules = _checked(_call(_CREATE, *_attributes(found)))
    try:
        for path in readable:
            _allow(rules, path)
        _prctl(_NO_NEW_PRIVILEGES, 1)
        _checked(_call(_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0)))
    finally:
        os.close(rules)
    return found


def _attributes(found: int) -> tuple[object, ...]:
    rights = _RIGHTS[max(each for each in _RIGHTS if each <= found)]
    whole = struct.pack("=QQQ", rights, _TCP if found >= 4 else 0, _SCOPES if found >= 6 else 0)
    size = 8 if found < 4 else 16 if found < 6 else 24
    return ctypes.create_string_buffer(whole[:size], size), ctypes.c_size_t(size), 0


def _allow(rules: int, path: str) -> None:
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        right = _READ_FILE | (_READ_DIRECTORY if os.path.isdir(path) else 0)
        rule = ctypes.create_string_buffer(struct.pack("=Qi", right, fd), 12)
        _checked(_call(_ADD, ctypes.c_int(rules), _BENEATH, rule, 0))
    finally:
        os.close(fd)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return int(libc.syscall(ctypes.c_long(number), *arguments))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return result


def _prctl(option: int, value: int) -> None:
    _checked(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0))
