"""Attacks by a web side, or a pull, that was taken over: processes of theirs under their own users, beside a daemon.

Each is tried by the rights of files alone, and with the mounts of the unit. That it would do harm is shown: who has the
right (the daemon itself, or the same user once the right was given) succeeds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.fakes.sandbox import missing
from tests.fakes.server import CLONE, STATE, Server, good, installed_server

WHY_NOT = missing()
pytestmark = [pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT), pytest.mark.attack]

DAEMON, WEB, PULL = "tocsin.service", "tocsin-web.service", "tocsin-pull.service"
CREDENTIALS = "/opt/credentials"
SECRETS = {"tocsin": "tocsin_sms__auth_token", "tocsin-web": "tocsin_web__token", "tocsin-pull": "deploy-key"}
"""A secret of each service, as systemd hands it over: a file that its user alone can read."""
TRIED = """
import ctypes, fcntl, os, signal, sqlite3, sys
PID = {pid}
def rename(path):
    os.rename(path, path + ".gone")
    os.rename(path + ".gone", path)
def write(path):
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
def make(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    os.unlink(path)
def lock(path):
    opened = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # the daemon has it now, and would not at its next start
def read(path):
    with open(path, "rb") as opened:
        opened.read(1)
def sql(statement):
    ledger = sqlite3.connect("file:{state}/tocsin.db?mode=rw", uri=True, timeout=10)
    ledger.execute(statement)
    ledger.commit()
    ledger.close()
def trace():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(ctypes.c_long(16), ctypes.c_long(PID), None, None):
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(PID, 0x40000000)
    libc.ptrace(ctypes.c_long(17), ctypes.c_long(PID), None, None)
try:
    {attack}
except (OSError, sqlite3.Error) as fault:
    print("refused:", fault)
    sys.exit(3)
print("done")
"""


ROOT = "root"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that must not be possible, as Python; `by` is who may do it: the user of a unit, or root."""

    attack: str
    by: str = DAEMON


ON_THE_DAEMON = {
    "stop it": Deed("os.kill(PID, signal.SIGSTOP); os.kill(PID, signal.SIGCONT)"),
    "end it": Deed("os.kill(PID, 0)"),
    "its environment": Deed("read(f'/proc/{PID}/environ')"),
    "its memory": Deed("open(f'/proc/{PID}/mem', 'r+b').close()"),
    "its files": Deed("os.listdir(f'/proc/{PID}/fd')"),
    "trace it": Deed("trace()"),
    "its secret": Deed(f"read('{CREDENTIALS}/tocsin/{SECRETS['tocsin']}')"),
}
ON_THE_STATE = {
    "a letter": Deed("""sql("UPDATE notifications SET state = 'pending' WHERE id = -1")"""),
    "a kept config": Deed('sql("DELETE FROM configs WHERE id = -1")'),
    "a fact": Deed('sql("DELETE FROM facts WHERE id = -1")'),
    "a notice": Deed('sql("DELETE FROM notices WHERE rowid = -1")'),
    "a session": Deed("""sql("INSERT INTO sessions VALUES ('d', 'ana', '2026')")"""),
    "a session taken over": Deed("""sql("UPDATE sessions SET person = 'ana' WHERE digest = 'd'")"""),
    "an arrival": Deed('sql("DELETE FROM arrivals WHERE id = -1")'),
    "an incident that is over": Deed('sql("UPDATE incidents SET finished = finished")'),
    "bytes of the ledger": Deed(f"write('{STATE}/tocsin.db')"),
    "bytes of its log": Deed(f"write('{STATE}/tocsin.db-wal')"),
    "bytes of its index": Deed(f"write('{STATE}/tocsin.db-shm')"),
    "the ledger replaced": Deed(f"rename('{STATE}/tocsin.db')"),
    "its log replaced": Deed(f"rename('{STATE}/tocsin.db-wal')"),
    "the mark of what was sent": Deed(f"rename('{STATE}/tocsin.db.sent')"),
    "the ballast": Deed(f"rename('{STATE}/tocsin.db.ballast')"),
    "the ledger's lock": Deed(f"lock('{STATE}/tocsin.db.lock')"),
    "the lock replaced": Deed(f"rename('{STATE}/tocsin.db.lock')"),
    "a file in the state folder": Deed(f"make('{STATE}/tocsin.db-journal')"),
    "an incident": Deed(f"make('{STATE}/incidents/forged.yaml')"),
    "an incident changed": Deed(f"rename('{STATE}/incidents/real.yaml')"),
    "a look at the incidents": Deed(f"os.listdir('{STATE}/incidents')"),
    "the lock on the folder of incidents": Deed(f"lock('{STATE}/incidents')"),
    "the lock on the mark of who watches": Deed(f"lock('{STATE}/incidents/.tocsin-watched')"),
    "a review": Deed(f"make('{STATE}/reviews/forged.md')"),
    "a look at the reviews": Deed(f"os.listdir('{STATE}/reviews')"),
    "the incidents moved away": Deed(f"rename('{STATE}/incidents')"),
    "a message of the outbox": Deed(f"make('{STATE}/outbox/forged.eml')"),
    "the inbox moved away": Deed(f"rename('{STATE}/inbox')"),
}
ON_THE_CLONE = {
    "a config": Deed(f"write('{CLONE}/config/tocsin.yaml')", PULL),
    "a config by its link": Deed("write('/etc/tocsin/people.yaml')", PULL),
    "a config added": Deed("make('/etc/tocsin/forged.yaml')", PULL),
    "a template": Deed(f"make('{CLONE}/config/page.sms.txt.j2')", PULL),
    "git's settings": Deed(f"write('{CLONE}/.git/config')", PULL),
    "a hook": Deed(f"make('{CLONE}/.git/hooks/post-merge')", PULL),
    "attributes": Deed(f"make('{CLONE}/.git/info/attributes')", PULL),
    "a commit": Deed(f"rename('{CLONE}/.git/refs/heads/main')", PULL),
    "the clone moved away": Deed(f"rename('{CLONE}')", PULL),
    "the key it is pulled with": Deed(f"read('{CREDENTIALS}/tocsin-pull/{SECRETS['tocsin-pull']}')", PULL),
}
ON_THE_WEB_SIDE = {
    "its token": Deed(f"read('{CREDENTIALS}/tocsin-web/{SECRETS['tocsin-web']}')", WEB),
}
ON_THE_SYSTEM = {
    "a stored secret": Deed("read('/etc/credstore/tocsin_sms__auth_token')", ROOT),
    "the program": Deed("write('/opt/tocsin/bin/tocsin')", ROOT),
    "a unit": Deed("write('/etc/systemd/system/tocsin.service')", ROOT),
    "another config": Deed("rename('/etc/tocsin')", ROOT),
    "a backup": Deed("read('/var/backups/tocsin/tocsin.db')", ROOT),
}
OF_THE_WEB = ON_THE_DAEMON | ON_THE_STATE | ON_THE_CLONE | ON_THE_SYSTEM
OF_THE_PULL = ON_THE_DAEMON | ON_THE_STATE | ON_THE_WEB_SIDE | ON_THE_SYSTEM
by_mounts = pytest.mark.parametrize("mounts", [False, True], ids=["rights", "mounts"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose config follows git, with a daemon that has paged for an incident, a backup, and secrets."""
    with installed_server(tmp_path_factory.mktemp("wall")) as server:
        server.follow_git()
        for user, secret in SECRETS.items():
            server.root(
                f"""install -d -m 700 /etc/credstore /var/backups/tocsin
                echo hidden | install -m 600 /dev/stdin /etc/credstore/{secret}
                install -d -m 500 -o {user} {CREDENTIALS}/{user}
                install -m 400 -o {user} /etc/credstore/{secret} {CREDENTIALS}/{user}"""
            )
        server.start(CREDENTIALS_DIRECTORY=f"{CREDENTIALS}/tocsin")
        server.root(f"cp {STATE}/tocsin.db /var/backups/tocsin")
        incident = "title: It is down\\nseverity: sev1\\nstatus: investigating\\n"
        server.root(f"runuser -u carol -- sh -c \"printf '{incident}' > {STATE}/incidents/real.yaml\"")
        server.until(lambda: server.outbox("page") == 2)
        yield server


def _tried(server: Server, deed: Deed, unit: str, *, mounts: bool) -> tuple[int, str]:
    """What came of a deed: exit status (3: refused) and words."""
    script = TRIED.format(pid=server.pid, state=STATE, attack=deed.attack)
    done = server.as_unit(unit, script, mounts=mounts)
    assert done.returncode in {0, 3}, done.stderr
    return done.returncode, done.stdout.strip()


@by_mounts
@pytest.mark.parametrize("name", OF_THE_WEB)
def test_the_web_side_may_not(server: Server, name: str, mounts: bool) -> None:
    """B1 to B5: a web side that was taken over neither stops the daemon nor looks into it, writes nothing into the
    ledger, the config, the incidents or the clone, locks nothing that a start waits for, and reads no secret.
    """
    status, words = _tried(server, OF_THE_WEB[name], WEB, mounts=mounts)
    assert (status, words.startswith("refused: ")) == (3, True), words


@by_mounts
@pytest.mark.parametrize("name", OF_THE_PULL)
def test_the_pull_may_not(server: Server, name: str, mounts: bool) -> None:
    """The same of the pull: what git executes there has the clone, and nothing else."""
    status, words = _tried(server, OF_THE_PULL[name], PULL, mounts=mounts)
    assert (status, words.startswith("refused: ")) == (3, True), words


@pytest.mark.parametrize("name", OF_THE_WEB | OF_THE_PULL)
def test_with_the_right_it_is_done(server: Server, name: str) -> None:
    """None of these fails for any other reason: whoever has the right does it."""
    deed = (OF_THE_WEB | OF_THE_PULL)[name]
    assert _tried(server, deed, deed.by, mounts=False) == (0, "done")


def test_a_web_side_among_the_responders_would_forge_incidents(server: Server) -> None:
    """These tests see a group too many: with the one of those who write incident files, the web side writes them."""
    server.root("usermod --append --groups tocsin-responders tocsin-web")
    try:
        assert _tried(server, ON_THE_STATE["an incident"], WEB, mounts=False) == (0, "done")
        assert _tried(server, ON_THE_STATE["an incident"], WEB, mounts=True)[0] == 3
    finally:
        server.root("gpasswd --delete tocsin-web tocsin-responders")


def test_nothing_came_of_it(server: Server) -> None:
    """After all of that the daemon that was attacked runs as before, and pages."""
    sent = server.outbox("page")
    good(server.run("carol", "declare", "Another is down", "--severity", "sev1"))
    server.until(lambda: server.outbox("page") > sent)


LOCKS = """
import fcntl, os, sqlite3, time
index = os.open("{state}/tocsin.db-shm", os.O_RDONLY)
for byte in range(120, 129): fcntl.lockf(index, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, byte)
ledger = os.open("{state}/tocsin.db", os.O_RDONLY)
fcntl.lockf(ledger, fcntl.LOCK_SH | fcntl.LOCK_NB, 512, 0x40000000)
fcntl.flock(ledger, fcntl.LOCK_EX | fcntl.LOCK_NB)
fcntl.flock(os.open("{state}", os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
time.sleep(600)
"""
ENDLESS_READ = """
import sqlite3, time
ledger = sqlite3.connect("file:{state}/tocsin.db?mode=ro", uri=True, isolation_level=None)
ledger.execute("BEGIN")
ledger.execute("SELECT count(*) FROM facts").fetchone()
print("held", flush=True)
time.sleep(600)
"""


def _paged(server: Server, seconds: float) -> None:
    """A new incident pages somebody so soon."""
    sent = server.outbox("page")
    good(server.run("carol", "declare", "One more is down", "--severity", "sev1"))
    server.until(lambda: server.outbox("page") > sent, seconds)


@by_mounts
def test_who_reads_the_ledger_for_ever_stops_no_page(server: Server, mounts: bool) -> None:
    """A read that never ends keeps the log from being cut, and nothing else."""
    with server.taken_over(WEB, ENDLESS_READ.format(state=STATE), mounts=mounts):
        _paged(server, 5)


@by_mounts
def test_who_locks_the_ledger_stops_no_page(server: Server, mounts: bool) -> None:
    """Whoever may read a SQLite file may lock it: pages leave from memory, operators are told, also after a start; once
    the locks are gone, what happened meanwhile is recorded.
    """
    with server.taken_over(WEB, LOCKS.format(state=STATE), mounts=mounts):
        _paged(server, 10)
        server.until(lambda: "another program holds it" in server.log.read_text())
        server.kill()
        server.start()
        _paged(server, 10)
    server.until(lambda: "One more is down" in good(server.run("carol", "status")), 30)
    server.until(lambda: "not seen by the daemon yet" not in good(server.run("carol", "status")), 30)
