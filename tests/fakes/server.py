"""An installed server in a sandbox: the wheel, the units' users, groups, folders and environment, and on demand what a
unit may see and write.
"""

import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.patience import Patience
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
usermod --append --groups tocsin,tocsin-responders carol
useradd --no-create-home erin
usermod --append --groups tocsin erin
useradd --no-create-home dave
"""
"""What docs/installing.md says, and three people: carol responds, erin may look, dave is in no group."""


CLONE = Path("/var/lib/tocsin-pull/repository")
_COMMIT = "git -c user.name=x -c user.email=x@example.com commit --quiet --all --message=x && git push --quiet"
FOLLOW = f"""
mv /etc/tocsin /opt/first && git init --quiet --bare --initial-branch=main /opt/up.git
git -c init.defaultBranch=main clone --quiet /opt/up.git /opt/work 2>&1 && mv /opt/first /opt/work/config
cd /opt/work && git add --all && {_COMMIT} origin HEAD:main && chmod -R a+rX /opt/up.git
git config --system --add safe.directory /opt/up.git
git config --system --add safe.directory {CLONE}
runuser -u tocsin-pull -- git clone --quiet --branch main /opt/up.git {CLONE}
ln -sT {CLONE}/config /etc/tocsin
"""
"""What docs/config-as-code.md says, with an upstream on this machine."""

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
        self._web: subprocess.Popen[bytes] | None = None
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

    def follow_git(self) -> None:
        """Let the config follow a repository."""
        self.root(FOLLOW)

    def push(self, edit: str) -> None:
        """Commit upstream what a script does in the repository."""
        self.root(f"cd /opt/work && {edit} && {_COMMIT} origin HEAD:main")

    def run(self, user: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command as somebody who has just logged in."""
        variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"} | environ
        return subprocess.run(
            self._as(user, variables, "/usr/local/bin/tocsin", *arguments),
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip

    def unit(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a unit that comes to its end."""
        return subprocess.run(
            self._service(name, {}, mounts=True), capture_output=True, text=True, check=False, timeout=60
        )

    def start(self, **environ: str) -> None:
        """Start the daemon as systemd would."""
        self._daemon = self._begin("tocsin.service", environ)

    def start_web(self, **environ: str) -> None:
        """Start the web side as systemd would, with the mounts of its unit."""
        self._web = self._begin("tocsin-web.service", environ, mounts=True)

    def _begin(self, unit: str, environ: Mapping[str, str], *, mounts: bool = False) -> "subprocess.Popen[bytes]":
        """Start a service, and wait until it says that it is ready."""
        began = self.log.read_text().count('"ready"')
        with self.log.open("ab") as log:
            begun = subprocess.Popen(self._service(unit, environ, mounts=mounts), stdout=log, stderr=log)
        try:
            self.until(lambda: self.log.read_text().count('"ready"') > began or begun.poll() is not None)
            assert begun.poll() is None, self.log.read_text()[-4000:]
        except AssertionError:
            begun.kill()
            raise
        return begun

    @property
    def pid(self) -> int:
        """The daemon's process."""
        assert self._daemon is not None
        return self._daemon.pid

    def kill(self) -> None:
        """Kill the daemon at once."""
        assert self._daemon is not None
        self._daemon.kill()
        self._daemon.wait()
        self._daemon = None

    def stop_web(self) -> int:
        """Stop the web side; its exit status."""
        assert self._web is not None
        self._web.terminate()
        status = self._web.wait(20)
        self._web = None
        return status

    def stop(self) -> int:
        """Stop the daemon; its exit status."""
        assert self._daemon is not None
        self._daemon.terminate()
        status = self._daemon.wait(40)
        self._daemon = None
        return status

    def close(self) -> None:
        """End everything."""
        for process in (self._daemon, self._web):
            if process is not None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        self._sandbox.close()

    def until(self, true: Callable[[], Any], seconds: float = 20) -> Any:
        """Wait until something is true, and give it."""
        patience = Patience(seconds)
        while not (found := true()):
            assert patience.nap(), self.log.read_text()[-4000:]
            assert self._daemon is None or self._daemon.poll() is None, self.log.read_text()[-4000:]
        return found

    def outbox(self, kind: str) -> int:
        """How many emails of a kind were sent."""
        return int(self.root(f"grep -ls 'X-Tocsin-Kind: {kind}' {STATE}/outbox/*.eml | wc -l"))

    def as_unit(self, unit: str, script: str, *, mounts: bool) -> subprocess.CompletedProcess[str]:
        """Run a script of Python as whoever took over a service: as its user with its groups; with the mounts of its
        unit, or by the rights of files alone. `unit` may be `root`: as the administrator.
        """
        python = ["/opt/tocsin/bin/python", "-c", script]
        command = self._sandbox.inside(*python) if unit == "root" else self._of_unit(unit, {}, python, mounts=mounts)
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    @contextmanager
    def taken_over(self, unit: str, script: str, *, mounts: bool) -> Iterator[None]:
        """The same for a script that prints a line when it has begun, and then holds on to what it has."""
        command = self._of_unit(unit, {}, ["/opt/tocsin/bin/python", "-c", script], mounts=mounts)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            try:
                assert running.stdout.readline() == b"held\n"
                yield
            finally:
                running.kill()

    def _service(self, unit: str, environ: Mapping[str, str], *, mounts: bool = False) -> list[str]:
        """The unit's command with its user, umask and environment."""
        return self._of_unit(unit, environ, shlex.split(_service_of(unit)["ExecStart"]), mounts=mounts)

    def _of_unit(self, unit: str, environ: Mapping[str, str], command: list[str], *, mounts: bool) -> list[str]:
        service = _service_of(unit)
        variables = dict(pair.split("=", 1) for pair in shlex.split(service.get("Environment", "")))
        if folder := service.get("StateDirectory"):
            variables |= {"STATE_DIRECTORY": f"/var/lib/{folder}"}
        variables |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        variables.pop(service.get("UnsetEnvironment", ""), None)
        become = _become(service["User"], service["Group"], variables | environ)
        return self._sandbox.inside(
            *_masked(service["UMask"]), *(_mounted(service) if mounts else []), *become, *command
        )

    def _as(self, user: str, environ: Mapping[str, str], *command: str) -> list[str]:
        return self._sandbox.inside(*_masked("0022"), *_become(user, user, environ), *command)


def _service_of(unit: str) -> dict[str, str]:
    return read_unit(ROOT / "systemd" / unit)


def _masked(mask: str) -> list[str]:
    return ["sh", "-c", f'umask {mask}; exec "$@"', "sh"]


def _become(user: str, group: str, environ: Mapping[str, str]) -> list[str]:
    variables = [f"{name}={value}" for name, value in environ.items()]
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--init-groups", "env", "-i", *variables]


def _mounted(service: Mapping[str, str]) -> list[str]:
    """What a unit makes of the file system, by mounts of its own: `ProtectSystem=strict` with what it may write, what it
    must not see, and a folder of which it sees a part alone. That systemd reads the lines so was tried with systemd.
    """
    assert service["ProtectSystem"] == "strict"
    state = [f"/var/lib/{service['StateDirectory']}"] if "StateDirectory" in service else []
    writable = [*state, *_places(service, "ReadWritePaths"), *_places(service, "BindPaths")]
    lines = ["set -e", "mkdir -p /mnt/seen /mnt/none", "chmod 000 /mnt/none"]
    for number, place in enumerate(writable):
        lines += [f"[ ! -e {place} ] || {{ mkdir -p /mnt/seen/{number}; mount --bind {place} /mnt/seen/{number}; }}"]
    lines += ["for m in $(awk '{print $5}' /proc/self/mountinfo | grep -v '^/mnt\\|^/proc\\|^/dev' | sort -u)"]
    lines += ["do mount -o remount,bind,ro $m 2>/dev/null || true; done"]
    for place in _places(service, "TemporaryFileSystem"):
        folder = place.partition(":")[0]
        inside = [there for there in writable if there.startswith(f"{folder}/")]
        lines += [f"mount -t tmpfs -o mode=0755 none {folder}", *(f"mkdir -p {there}" for there in inside)]
        lines += [f"mount -o remount,ro {folder}"]
    for number, place in enumerate(writable):
        lines += [f"[ ! -e /mnt/seen/{number} ] || mount --bind /mnt/seen/{number} {place}"]
    for place in _places(service, "InaccessiblePaths"):
        lines += [f"[ ! -e {place} ] || mount --bind /mnt/none {place}"]
    lines += ["umount -l /mnt/seen/* 2>/dev/null || true", 'exec "$@"']
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(lines), "sh"]


def _places(service: Mapping[str, str], key: str) -> list[str]:
    return [place.removeprefix("-") for place in service.get(key, "").split()]


def read_unit(path: Path) -> dict[str, str]:
    """The [Service] section of a unit; a key that stands in several lines is one text of several words."""
    lines: dict[str, str] = {}
    section = path.read_text().partition("[Service]\n")[2].partition("\n[")[0]
    for line in section.splitlines():
        if line and line[0] not in "#;":
            key, _, value = line.partition("=")
            lines[key] = f"{lines[key]} {value}" if key in lines else value
    return lines
