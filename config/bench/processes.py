"""Processor time and memory of other processes, from the kernel's own accounts."""

import os
import time
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_PPID, _UTIME, _STIME, _CUTIME, _CSTIME = 1, 11, 12, 13, 14  # places in /proc/<pid>/stat behind the name


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of `pid`, and of the children it has waited for; 0.0 when it is gone.

    `/proc/<pid>/stat` counts in ticks of 10 ms, too coarse for a second's run: where the kernel lets us, the same
    account is read in nanoseconds through the process's own clock.
    """
    fields = _stat(pid)
    if not fields:
        return 0.0
    reaped = (int(fields[_CUTIME]) + int(fields[_CSTIME])) * _TICK_SECONDS
    try:
        return time.clock_gettime(_clock_of(pid)) + reaped
    except OSError:
        return (int(fields[_UTIME]) + int(fields[_STIME])) * _TICK_SECONDS + reaped


def total_cpu_seconds(pids: list[int]) -> float:
    return sum(map(cpu_seconds, pids))


def waited_seconds(pids: list[int]) -> float:
    """How long their main threads stood ready to run while others had the core; 0.0 where the kernel does not count."""
    return sum(map(_waited_seconds, pids))


def with_descendants(pid: int) -> list[int]:
    """`pid` and everything below it that lives now."""
    children = defaultdict(list)
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children[int(fields[_PPID])].append(int(folder.name))
    found = [pid]
    for one in found:
        found.extend(children[one])
    return found


def memory_kb(pids: list[int]) -> int:
    """Proportional set size of `pids` together: shared pages are divided among those who share them."""
    return sum(map(_memory_kb, pids))


def pin(pid: int, cores: set[int]) -> None:
    """Bind every thread of `pid`; threads and children it starts later inherit it."""
    for thread in (_PROC / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def _clock_of(pid: int) -> int:
    """The kernel's clock id of a process's processor time, as clock_getcpuclockid(3) makes it."""
    return (~pid << 3) | 2


def _stat(pid: int) -> list[str]:
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _waited_seconds(pid: int) -> float:
    try:
        return int((_PROC / str(pid) / "schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _memory_kb(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
