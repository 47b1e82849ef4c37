"""Several machines of one installation: real daemons, each in a folder of its own, with one PostgreSQL between them, and
one mail server and one SMS account that all of them use, which keep the truth.

Between each machine and each of these three stands a proxy of its own, so that one machine can be cut off.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.fakes.pager import TOCSIN, Pager
from tests.fakes.patience import Patience
from tests.fakes.providers import StandInProcess
from tests.fakes.proxy import Proxy
from tests.fakes.ready_commands import start_ready

ACCOUNT, OURS = "AC" + "0" * 32, "+15005550006"
SETTINGS = """
node: {name}
ledger: {ledger}
operators: [olga]
last_resort: [olga, bo]
replies: {{by: poll, every: 2s}}
limits: {{sms: {{burst: 1000}}, email: {{burst: 1000}}}}
email: {{transport: smtp, host: 127.0.0.1, port: {relay}, security: none, sender: "Incidents <incidents@example.com>"}}
sms: {{transport: twilio, account_sid: {account}, api_url: 'http://127.0.0.1:{twilio}', sender: "{ours}"}}
{more}
"""
INCIDENT = "title: Fault {number:04} here\nseverity: {severity}\n"


class Machine(Pager):
    """One machine. `to_database`, `to_relay` and `to_twilio` are its ways there; `quick`: its daemon begins from a
    process that has read the modules, not as the installed command does.
    """

    quick = False

    def __init__(self, folder: Path, name: str, ways: tuple[Proxy, Proxy, Proxy], **environ: str) -> None:
        super().__init__(folder, TOCSIN_SMS__AUTH_TOKEN="secret", **environ)
        self.name = name
        self.to_database, self.to_relay, self.to_twilio = ways

    def configure(self, database: str, more: str = "") -> None:
        """Write the settings. `database`: the address without its password, by this machine's way there."""
        text = SETTINGS.format(
            name=self.name, ledger=database, relay=self.to_relay.port, twilio=self.to_twilio.port,
            account=ACCOUNT, ours=OURS, more=more,
        )  # fmt: skip
        (self.folder / "config" / "tocsin.yaml").write_text(text)

    def begin(self) -> None:
        """Start the daemon, and do not wait for it."""
        with self.log.open("ab") as log:
            if self.quick:
                self.process = start_ready(["run"], self.folder, self.environ, log)
            else:
                self.process = subprocess.Popen(
                    [TOCSIN, "run"], cwd=self.folder, env=self.environ, stderr=log, stdout=log
                )

    def kill(self) -> None:
        """As if the power failed."""
        self.stop(signal.SIGKILL)

    def pause(self) -> None:
        """Stop the process where it is, until `go_on`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        while not self.is_stopped:
            time.sleep(0.01)

    def go_on(self) -> None:
        """Let it go on where it was stopped."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    @property
    def is_stopped(self) -> bool:
        """Whether the process is stopped, by whomever."""
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def cut_off(self) -> None:
        """From everything at once."""
        for way in (self.to_database, self.to_relay, self.to_twilio):
            way.cut()

    def heal(self) -> None:
        """All ways are good again."""
        for way in (self.to_database, self.to_relay, self.to_twilio):
            way.heal()


class Cluster:
    """The machines, by name; none runs before it is begun. `database` is the address of an empty database, `through` that
    of a pooler that they use instead; `more` are lines of their settings.
    """

    def __init__(
        self, folder: Path, database: str, *names: str, through: str = "", more: str = "", **environ: str
    ) -> None:
        self.database, self._through, self._open = database, through or database, ExitStack()
        relay_log, twilio_log = folder / "relay.truth", folder / "twilio.truth"
        self.relay_points, self.twilio_points = folder / "relay.points", folder / "twilio.points"
        points = str(self.relay_points)
        self.relay = StandInProcess(relay_log, "smtp", "--step-by-step", "--points", points)
        account = ("--account", ACCOUNT, "--token", "secret", "--points", str(self.twilio_points))
        self.twilio = StandInProcess(twilio_log, "twilio", *account)
        self.machines: dict[str, Machine] = {}
        for name in names or ("one", "two"):
            (folder / name).mkdir()
            machine = Machine(folder / name, name, self._ways(), **environ)
            machine.configure(self.address(machine.to_database), more)
            machine.environ["TOCSIN_LEDGER"] = self.address(machine.to_database, secret=True)
            self.machines[name] = machine

    def _ways(self) -> tuple[Proxy, Proxy, Proxy]:
        asked = conninfo_to_dict(self._through)
        host, port = str(asked["host"]), int(str(asked.get("port", 5432)))
        at = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else host
        twilio = int(self.twilio.place["url"].rpartition(":")[2])
        ways = Proxy(at, port), Proxy("127.0.0.1", self.relay.place["port"]), Proxy("127.0.0.1", twilio)
        for way in ways:
            self._open.enter_context(way)
        return ways

    def address(self, way: Proxy, *, secret: bool = False) -> str:
        """The database's address, by a machine's way there, with its password or without."""
        asked = conninfo_to_dict(self._through)
        password = f":{quote(str(asked['password']), safe='')}" if secret and "password" in asked else ""
        return f"postgresql://{asked['user']}{password}@127.0.0.1:{way.port}/{asked['dbname']}"

    def begin(self, *names: str) -> Machine:
        """Start these machines (all), the first of them as the one that leads; that one."""
        first, *others = [self.machines[name] for name in names or self.machines]
        first.begin()
        self.until(lambda: self.leader == first.name, 60)
        for machine in others:
            machine.begin()
        self.until(lambda: all(self.reported(machine.name) for machine in others), 60)
        return first

    def reported(self, name: str) -> bool:
        """Whether a machine said within the last seconds that it leads or stands by."""
        asked = "SELECT 1 FROM nodes WHERE name = %s AND NOT stopped AND last_word > clock_timestamp() - interval '8s'"
        return bool(self.ask(asked, name))

    @property
    def leader(self) -> str:
        """Who leads, by the ledger; empty: nobody, or it cannot be asked."""
        try:
            rows = self.ask("SELECT nodes.name FROM lease JOIN nodes ON nodes.id = lease.node")
        except psycopg.Error:
            return ""
        return str(rows[0][0]) if rows else ""

    @property
    def epoch(self) -> int:
        """How often somebody took the lead."""
        return int(self.ask("SELECT epoch FROM term")[0][0])

    def other(self, *than: str) -> Machine:
        """A machine that is none of these."""
        return next(machine for name, machine in self.machines.items() if name not in than)

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database says, on a connection of the test's own."""
        with psycopg.connect(self.database, autocommit=True, connect_timeout=5) as connection:
            return connection.execute(question, values).fetchall()

    def declare(self, number: int, *names: str, severity: str = "sev1") -> None:
        """An incident file, in the folders of these machines (all), as a pull brings it."""
        for name in names or self.machines:
            text = INCIDENT.format(number=number, severity=severity)
            self.machines[name].write(f"f{number:04}.yaml", text)

    def until(self, true: Callable[[], Any], seconds: float = 25, what: str = "") -> Any:
        """Wait until something is true, and give it."""
        patience = Patience(seconds)
        while not (found := true()):
            assert patience.nap(), f"it did not happen{what and ': '}{what}\n{self.logs()}"
            for machine in self.machines.values():
                ended = machine.process is not None and machine.process.poll() is not None
                assert not ended, f"{machine.name} ended\n{self.logs()}"
        return found

    def logs(self) -> str:
        """The end of what each machine said."""
        return "\n".join(
            f"--- {name}\n{machine.log.read_text()[-3000:] if machine.log.exists() else ''}"
            for name, machine in self.machines.items()
        )

    def close(self) -> None:
        """End everything."""
        for machine in self.machines.values():
            if machine.process is not None:
                machine.process.kill()
                machine.process.wait()
                machine.process = None
        self._open.close()
        for stand_in in (self.relay, self.twilio):
            stand_in.close()
