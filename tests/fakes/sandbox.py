"""A machine of one's own for a test: namespaces in which `/etc`, `/var/lib`, `/opt` and the like are overlays.

What is installed there, and the users that are made, are seen by nobody else and are gone with it. It takes root.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import click

ROOT = Path(__file__).parents[2]
OVERLAID = ("/etc", "/var/lib", "/var/backups", "/opt", "/usr/local")
LENT = Path(click.__file__).parents[1]
"""Where the libraries of the environment lie that tests run in."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str:
    """Why there can be no such machine here; empty when there can."""
    if os.getuid() != 0:
        return "only root makes users and namespaces"
    tools = ("unshare", "nsenter", "setpriv", "systemd-sysusers", "systemd-tmpfiles", "useradd", "usermod")
    if absent := [tool for tool in tools if shutil.which(tool) is None]:
        return f"there is no {', '.join(absent)} here"
    tried = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", "mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w"
         " && mount -t overlay o -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc"], capture_output=True, check=False
    )  # fmt: skip
    return "" if tried.returncode == 0 else "there are no overlays in a namespace of one's own here"


class Sandbox:
    """The machine. With `alone` its processes and its network (the loopback) are its own too; a process that is started
    there from outside can then not be told to stop from outside.
    """

    def __init__(self, folder: Path, *, alone: bool = True) -> None:
        self._spaces = ("mnt", "net", "pid_for_children") if alone else ("mnt",)
        begin = [
            "set -e",
            f"mount -t tmpfs none {folder}/layers",
            *(line for place in OVERLAID if Path(place).is_dir() for line in _overlay(folder, place)),
            "rm -rf /etc/tocsin /var/lib/tocsin /opt/tocsin",  # of the machine below, which is not touched
            *_opened(folder, Path(sys.base_prefix), LENT),
            *([f"{sys.executable} -c '{LOOPBACK_UP}'"] if alone else []),
            "echo ready",
            "exec sleep infinity",
        ]
        (folder / "layers").mkdir()
        spaces = ["--net", "--pid", "--mount-proc", "--fork", "--kill-child"] if alone else []
        self._first = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", *spaces, "sh", "-c", "\n".join(begin)],
            stdout=subprocess.PIPE,
        )
        assert self._first.stdout is not None
        with self._first.stdout as said:
            assert said.readline() == b"ready\n"

    def inside(self, *command: str) -> list[str]:
        """The command as one that runs there."""
        spaces = [f"--{OPTIONS[name]}=/proc/{self._first.pid}/ns/{name}" for name in self._spaces]
        return ["nsenter", *spaces, "--wdns=/", *command]

    def root(self, script: str, typed: str = "", seconds: float = 60) -> str:
        """Run a script as the administrator, who types this; what it said."""
        done = subprocess.run(
            self.inside("env", "-i", f"PATH={PATH}", "LANG=C.UTF-8", "HOME=/root", "sh", "-ec", script),
            input=typed, capture_output=True, text=True, check=False, timeout=seconds, start_new_session=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def network(self) -> BinaryIO:
        """Its network, for who would join it."""
        return Path(f"/proc/{self._first.pid}/ns/net").open("rb")

    def close(self) -> None:
        """End every process there."""
        self._first.kill()
        self._first.wait()


OPTIONS = {"mnt": "mount", "net": "net", "pid_for_children": "pid"}
"""What `nsenter` calls a kind of namespace."""
LOOPBACK_UP = (
    "import fcntl, socket, struct; "
    'fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sh", b"lo", 0x49))'
)
"""`ip link set lo up`, where there is no ip."""


def build_wheel(folder: Path) -> Path:
    """The wheel, built offline from this checkout."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        cwd=ROOT, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return next((folder / "dist").glob("*.whl"))


def _overlay(folder: Path, place: str) -> list[str]:
    layer = f"{folder}/layers{place}"
    mount = f"mount -t overlay overlay -o lowerdir={place},upperdir={layer}/upper,workdir={layer}/work {place}"
    return [f"mkdir -p {layer}/upper {layer}/work", mount]


def _opened(folder: Path, *places: Path) -> list[str]:
    """Let everybody reach these places, there alone: an interpreter may lie in somebody's home."""
    lines: dict[str, None] = {}
    for place in places:
        shut = [above for above in reversed((place, *place.parents)) if above.stat().st_mode & 0o5 != 0o5]
        if shut and not any(str(shut[0]).startswith(f"{top}/") for top in OVERLAID):
            lines |= dict.fromkeys(_overlay(folder, str(shut[0])))
        lines |= dict.fromkeys(f"chmod o+rx {above}" for above in shut)
    return list(lines)
