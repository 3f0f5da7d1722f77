"""A seccomp filter: system calls that answering a question never needs fail from now on.

Beside Landlock it holds back what that does not know (sockets other than TCP, other programs,
other processes' memory), and on kernels without Landlock it still lets nothing be written.
https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import errno
import os
import platform
import struct

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000

# machine: its audit architecture, the numbers of `openat` and of `open` (None: it has none).
_MACHINES: dict[str, tuple[int, int, int | None]] = {
    "x86_64": (0xC000003E, 257, 2),
    "aarch64": (0xC00000B7, 56, None),
}

# What fails, and its number on x86_64 and on aarch64 (None: the call is not there).
_FORBIDDEN: dict[str, tuple[int, int | None]] = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "kill": (62, 129),
    "tkill": (200, 130),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    "openat2": (437, 437),
    "memfd_create": (319, 279),
    "creat": (85, None),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
}


def restrict() -> bool:
    """Whether the filter holds; False on machines it has no numbers for. Raises OSError.

    Must run before the process has further threads.
    """
    machine = platform.machine()
    if machine not in _MACHINES:
        return False
    lines = _program(machine)
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in lines))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(lines), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"seccomp: {os.strerror(number)}")
    return True


Line = tuple[int, int, int, int]


def _program(machine: str) -> list[Line]:
    """Code, jump if true, jump if false, value: jumps skip lines."""
    architecture, openat, plain = _MACHINES[machine]
    lines: list[Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":  # a second set of numbers for the same calls
        lines += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for number in _numbers(machine):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _FAIL | errno.EPERM)]
    lines += _reading(openat, 2)
    if plain is not None:
        lines += _reading(plain, 1)
    return [*lines, (_RETURN, 0, 0, _ALLOW)]


def _numbers(machine: str) -> list[int]:
    which = list(_MACHINES).index(machine)
    every = (pair[which] for pair in _FORBIDDEN.values())
    return [number for number in every if number is not None]


def _reading(number: int, flags: int) -> list[Line]:
    """This call, whose flags are that argument, only to read."""
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * flags),
        (_ANY_BIT, 0, 1, _WRITING),
        (_RETURN, 0, 0, _FAIL | errno.EACCES),
        (_RETURN, 0, 0, _ALLOW),
    ]
