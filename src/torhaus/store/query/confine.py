"""What the process that answers a question takes from itself, before it looks at the question."""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from torhaus.store.query import landlock, syscalls

# What DuckDB looks at to learn how many threads and how much memory there are.
SYSTEM = ("/proc/self/cgroup", "/sys/fs/cgroup", "/sys/devices/system/cpu/online")
_PARENT_DEATH = 1
_OVERHEAD = 2 << 30
"""Octets of address space that libraries and threads' stacks take; most of it is never touched."""
_BESIDE = 512 << 20
"""Octets that the process takes beside DuckDB's own, which does not count a single huge value."""


def bound(seconds: float, memory: int, files: int) -> None:
    """Limits of the kernel's: processor time, memory, no file written, few open, no core."""
    cpu = max(1, int(seconds)) * 2 + 5
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, memory * 2 + _OVERHEAD),
        (resource.RLIMIT_DATA, memory * 3 // 2 + _BESIDE),
        (resource.RLIMIT_NOFILE, files + 64),
    ):
        resource.setrlimit(what, (_at_most(what, most),) * 2)


def expendable() -> None:
    """Where memory runs out, the kernel ends this process rather than the gateway."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write("1000")


def _at_most(what: int, most: int) -> int:
    hard = resource.getrlimit(what)[1]
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


def die_with(parent: int) -> None:
    """End when the process that asked ends, even if that was before now."""
    ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def confine(readable: Sequence[str]) -> int:
    """Only these files are left, to read. Returns Landlock's version; 0 where there is none.

    Both filters hold for the thread that asks for them and those it starts later. Raises OSError,
    and RuntimeError when there are others already.
    """
    threads = os.listdir("/proc/self/task")
    if len(threads) != 1:
        raise RuntimeError(f"{len(threads)} threads run before the sandbox is closed")
    system = [path for path in SYSTEM if os.path.exists(path)]
    found = landlock.restrict([*system, *readable])
    syscalls.restrict()
    return found
