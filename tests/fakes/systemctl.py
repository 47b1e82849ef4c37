"""A systemctl for a machine without systemd: it starts and stops services as their units and drop-ins say.

Of a unit it heeds the user, the umask, the credentials, the command and READY=1; that systemd takes the rest is held
by tests/house/test_units.py. It knows the verbs of VERBS; any other is an error. A timer never fires.
"""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

VERBS = {"daemon-reload", "enable", "start", "stop", "restart", "status"}
UNITS = Path("/etc/systemd/system")
STATE = Path("/opt/.systemctl")
READY_WITHIN = 30.0


def main(*arguments: str) -> int:
    """What `systemctl` was asked for; its exit status."""
    verb, *names = [word for word in arguments if word != "--now" and not word.endswith(".timer")]
    if verb not in VERBS:
        sys.stderr.write(f"no test may do this: systemctl {' '.join(arguments)}\n")
        return 64
    for name in names:
        if verb in {"stop", "restart"}:
            stop(name)
        if verb in {"enable", "start", "restart"}:
            start(name)
        if verb == "status":
            sys.stdout.write(f"{name}: {'active' if alive(name) else 'dead'}\n")
            if not alive(name):
                return 3
    return 0


def start(name: str) -> None:
    """Start a service, and wait until it says that it is ready."""
    service = read_unit(name)
    credentials = STATE / "credentials" / name
    shutil.rmtree(credentials, ignore_errors=True)
    credentials.mkdir(parents=True)
    for line in service.get("LoadCredential", []):
        credential, _, source = line.partition(":")
        shutil.copy(source, credentials / credential)
    (user,) = service["User"]
    for path in (credentials, *credentials.iterdir()):
        shutil.chown(path, user)
        path.chmod(0o500 if path.is_dir() else 0o400)
    notify = STATE / f"{name}.notify"
    notify.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(notify))
        notify.chmod(0o666)
        line.settimeout(READY_WITHIN)
        environ = [
            "env",
            "-i",
            f"PATH={os.environ['PATH']}",
            f"NOTIFY_SOCKET={notify}",
            f"CREDENTIALS_DIRECTORY={credentials}",
        ]
        become = ["setpriv", f"--reuid={user}", f"--regid={service['Group'][0]}", "--init-groups", *environ]
        command = shlex.join([*become, *shlex.split(service["ExecStart"][0])])
        with (STATE / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["sh", "-c", f"umask {service['UMask'][0]}; exec {command}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        (STATE / f"{name}.pid").write_text(str(process.pid))
        while b"READY=1" not in line.recv(4096):
            pass


def stop(name: str) -> None:
    """Stop a service, and wait until it has ended."""
    pid = int((STATE / f"{name}.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    while alive(name):
        time.sleep(0.05)


def alive(name: str) -> bool:
    """Whether it runs: a process that ended and that nobody has waited for does not."""
    stat = Path(f"/proc/{(STATE / f'{name}.pid').read_text()}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def read_unit(name: str) -> dict[str, list[str]]:
    """The [Service] section of a unit and its drop-ins: what each key was given, in order."""
    found: dict[str, list[str]] = {}
    for path in (UNITS / f"{name}.service", *sorted((UNITS / f"{name}.service.d").glob("*.conf"))):
        section = path.read_text().partition("[Service]\n")[2].partition("\n[")[0]
        for line in section.splitlines():
            if line and line[0] not in "#;":
                key, _, value = line.partition("=")
                found.setdefault(key, []).append(value)
    return found


if __name__ == "__main__":
    STATE.mkdir(exist_ok=True)
    sys.exit(main(*sys.argv[1:]))
