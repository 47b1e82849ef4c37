"""An installed server in a sandbox: the wheel, the units' user, group, folders and environment."""

import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.sandbox import LENT, ROOT, Sandbox, build_wheel

STATE = Path("/var/lib/tocsin")
SHARE = "/opt/tocsin/share/tocsin"

INSTALL = f"""
install -D -m 644 {SHARE}/sysusers.d/tocsin.conf /etc/sysusers.d/tocsin.conf
systemd-sysusers tocsin.conf
install -D -m 644 {SHARE}/tmpfiles.d/tocsin.conf /etc/tmpfiles.d/tocsin.conf
systemd-tmpfiles --create tocsin.conf
install -D -m 644 -t /etc/systemd/system {SHARE}/systemd/*
mkdir -p /usr/local/bin
ln -sf /opt/tocsin/bin/tocsin /usr/local/bin/tocsin
useradd --no-create-home carol
usermod --append --groups tocsin carol
useradd --no-create-home dave
"""
"""What docs/installing.md says, and two people: carol is in the group, dave is not."""


TEAM = ("--person", "Ana Souza <ana@example.com> +14155550101", "--person", "Bo Berg <bo@example.com> +14155550102")


@contextmanager
def installed_server(folder: Path) -> Iterator["Server"]:
    """A server as docs/installing.md makes it, with Ana and Bo on call; its daemon is not started yet."""
    for above in (folder, *folder.parents):
        if above == Path(tempfile.gettempdir()):
            break
        above.chmod(0o755)
    server = Server(folder)
    try:
        server.root(f"tocsin init --server /etc/tocsin --timezone UTC {shlex.join(TEAM)}")
        yield server
    finally:
        server.close()


def good(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said that went well."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of a command that could not do its work: they are few and plain."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


class Server:
    """The server. `folder` is for what it keeps; the daemon's log is `log`."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.log.touch()
        self._daemon: subprocess.Popen[bytes] | None = None
        self._sandbox = Sandbox(folder, alone=False)
        self.root(f"{sys.executable} -m venv --without-pip /opt/tocsin")
        self._install(build_wheel(folder))
        self.root(INSTALL)

    def _install(self, wheel: Path) -> None:
        """The wheel, by pip and without any index; what it depends on is lent by the environment that tests run in."""
        self.root(
            f"{sys.executable} -m pip --python /opt/tocsin/bin/python install --no-index --no-deps --quiet"
            f" --disable-pip-version-check --root-user-action ignore {wheel}"
        )
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        self.root(f"echo {LENT} > /opt/tocsin/lib/{version}/site-packages/lent.pth")

    def root(self, script: str) -> str:
        """Run a script as the administrator; what it said."""
        return self._sandbox.root(script)

    def run(self, user: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command as somebody who has just logged in."""
        variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"} | environ
        return subprocess.run(
            self._as(user, variables, "/usr/local/bin/tocsin", *arguments),
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip

    def unit(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a unit that comes to its end."""
        return subprocess.run(self._service(name), capture_output=True, text=True, check=False, timeout=60)

    def start(self) -> None:
        """Start the daemon as systemd would."""
        began = self.log.read_text().count('"ready"')
        with self.log.open("ab") as log:
            self._daemon = subprocess.Popen(self._service("tocsin.service"), stdout=log, stderr=log)
        self.until(lambda: self.log.read_text().count('"ready"') > began)

    def stop(self) -> int:
        """Stop the daemon; its exit status."""
        assert self._daemon is not None
        self._daemon.terminate()
        status = self._daemon.wait(40)
        self._daemon = None
        return status

    def close(self) -> None:
        """End everything."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
        self._sandbox.close()

    def until(self, true: Callable[[], Any], seconds: float = 20) -> Any:
        """Wait until something is true, and give it."""
        end = time.monotonic() + seconds
        while not (found := true()):
            assert time.monotonic() < end, self.log.read_text()[-4000:]
            assert self._daemon is None or self._daemon.poll() is None, self.log.read_text()[-4000:]
            time.sleep(0.05)
        return found

    def outbox(self, kind: str) -> int:
        """How many emails of a kind were sent."""
        return int(self.root(f"grep -ls 'X-Tocsin-Kind: {kind}' {STATE}/outbox/*.eml | wc -l"))

    def _service(self, unit: str) -> list[str]:
        """The unit's command with its user, umask and environment, and nothing else."""
        service = read_unit(ROOT / "systemd" / unit)
        variables = dict(pair.split("=", 1) for pair in shlex.split(service.get("Environment", "")))
        variables |= {"STATE_DIRECTORY": f"/var/lib/{service['StateDirectory']}"}
        variables |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        return self._as(service["User"], variables, *shlex.split(service["ExecStart"]), mask=service["UMask"])

    def _as(self, user: str, environ: Mapping[str, str], *command: str, mask: str = "0022") -> list[str]:
        variables = [f"{name}={value}" for name, value in environ.items()]
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "env", "-i", *variables]
        return self._sandbox.inside("sh", "-c", f'umask {mask}; exec "$@"', "sh", *become, *command)


def read_unit(path: Path) -> dict[str, str]:
    """The [Service] section of a unit; a key that stands in several lines is one text of several words."""
    lines: dict[str, str] = {}
    section = path.read_text().partition("[Service]\n")[2].partition("\n[")[0]
    for line in section.splitlines():
        if line and line[0] not in "#;":
            key, _, value = line.partition("=")
            lines[key] = f"{lines[key]} {value}" if key in lines else value
    return lines
