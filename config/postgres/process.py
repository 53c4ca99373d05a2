"""Which server processes live in a data folder: the one its pid file names, and orphans of a dead one."""

import os
from pathlib import Path


def postmaster(cluster: Path) -> int | None:
    """The process id of the live server of this folder.

    A pid file outlives a killed server, and after a restart of the machine its number may be anybody's.
    """
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except PermissionError:
        return pid
    return pid if _lives_in(pid, cluster) else None


def forget_dead(cluster: Path) -> None:
    """Remove the pid file of a dead server whose number another process has now (or a zombie nobody reaps).

    PostgreSQL would believe that process to be the server. Never while an orphan lives: the file also
    names the shared memory by which the next server recognises orphans.
    """
    if postmaster(cluster) is None and not orphans(cluster):
        (cluster / "postmaster.pid").unlink(missing_ok=True)


def orphans(cluster: Path) -> list[int]:
    """Processes of a server whose first process is gone; they end by themselves within seconds."""
    first = postmaster(cluster)
    numbers = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return [pid for pid in numbers if pid != first and _lives_in(pid, cluster, when_unsure=False)]


def _lives_in(pid: int, cluster: Path, *, when_unsure: bool = True) -> bool:
    """True for a process, not a zombie, that runs in the folder. PostgreSQL's own all do."""
    if not Path("/proc/self").exists():
        return when_unsure
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" and os.path.samefile(f"/proc/{pid}/cwd", cluster)
    except PermissionError:
        return when_unsure
    except (FileNotFoundError, ProcessLookupError):
        return False
