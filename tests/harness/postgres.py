"""A PostgreSQL server for tests: Debian's own, in a new folder, on a socket in that folder.

The first test that asks starts it, the end of the process stops it.  A server refuses to run
as root, so root runs it as the user ``postgres`` that Debian's package makes.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

_BINARIES = Path("/usr/lib/postgresql")
_SERVER_USER = "postgres"
_OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=200"


class NoPostgres(AssertionError):
    """PostgreSQL is not installed: tests that need it fail, for a skipped judge is no judge."""

    def __init__(self) -> None:
        super().__init__(f"no PostgreSQL in {_BINARIES}; on Debian: apt-get install postgresql")


class PostgresServer:
    """A running server of this test process."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._folder = folder
        self._binaries = binaries
        self._databases = count(1)
        self._user: str | None = None
        if os.getuid() == 0:
            self._user = _SERVER_USER
            account = pwd.getpwnam(_SERVER_USER)
            os.chown(folder, account.pw_uid, account.pw_gid)
        folder.chmod(0o755)

    def start(self) -> None:
        """Make a cluster and start it; a second or so."""
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        options = f"{_OPTIONS} -k {self._folder}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop the server at once and remove its folder."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self) -> str:
        """The URL of a database that has nothing in it yet."""
        name = f"ledger{next(self._databases)}"
        self._run("createdb", "-h", str(self._folder), "-U", "postgres", name)
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        subprocess.run(
            command, check=True, user=self._user, cwd="/", stdout=subprocess.DEVNULL, env=_plain()
        )


@cache
def postgres_server() -> PostgresServer:
    """The server of this process, started when first asked for; NoPostgres."""
    versions = sorted(_BINARIES.glob("*/bin"), key=lambda path: int(path.parent.name))
    if not versions:
        raise NoPostgres
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="gridloom-postgres-")), versions[-1])
    server.start()
    atexit.register(server.stop)
    return server


def storage_of(kind: str, folder: Path) -> Path | str:
    """Where a LedgerProvider of this kind keeps ledgers: memory, sqlite, postgres."""
    if kind == "postgres":
        return postgres_server().new_database()
    return "memory" if kind == "memory" else folder


def _plain() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGCTLTIMEOUT": "300"}
