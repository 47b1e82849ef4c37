"""A machine of a test's own on which a page of docs/ is followed to the letter, by the commands that stand there.

What is not real there: systemctl (`tests/fakes/systemctl` starts what the units say), Twilio, and what pip would
download (the libraries are lent by the environment that tests run in).
"""

import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.fakes.sandbox import LENT, PATH, ROOT, Sandbox

INSTALLING = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
PASSWORD, TOKEN = "a-mail-password", "a-twilio-token"
TYPED = {"tocsin_email__password": PASSWORD, "tocsin_sms__auth_token": TOKEN}
SHORTER = {"--for 5m": "--for 3s"}
RELAY = "smtp.example.com"


def opened(folder: Path) -> Path:
    """The folder, which the users of a machine reach: tests have theirs to themselves."""
    for place in (folder, *folder.parents):
        if place == Path(tempfile.gettempdir()):
            break
        place.chmod(0o755)
    return folder


def commands(text: str) -> list[str]:
    """The commands of a page: the lines of its shell blocks, a here-document with its first line."""
    found: list[str] = []
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        ends = ""
        for line in block.splitlines():
            if ends:
                found[-1] += f"\n{line}"
            else:
                found.append(line)
            here = re.search(r"<<'(\w+)'$", line)
            ends = here[1] if here else "" if line == ends else ends
    return found


class Machine:
    """The machine on which pages are followed, with a mail server and a Twilio of its own. `dist` holds the wheel;
    `typed` is what its administrator gives each secret that a page asks for.
    """

    def __init__(self, folder: Path, dist: Path) -> None:
        self.sandbox, self.dist, self.typed = Sandbox(folder), dist, dict(TYPED)
        self._program("bin/python3", f"{sys.base_prefix}/bin/python3")
        self._program("sbin/systemctl", f"{sys.executable} {ROOT}/tests/fakes/systemctl.py")
        self.sandbox.root(f"echo 127.0.0.1 {RELAY} >> /etc/hosts; useradd --no-create-home ana")
        login = ["--user", "tocsin", "--password", PASSWORD]
        self.mails, self.texts = folder / "mails", folder / "texts"
        self._fakes: list[subprocess.Popen[str]] = []
        relay = ["--tls", "starttls", "--port", "587", "--name", RELAY, "--log", str(self.mails), *login]
        self.authority = self._fake("smtp_server", *relay)["ca_file"]
        self.twilio = self._fake(
            "twilio_server", "--token", TOKEN, "--log", str(self.texts), "--number", "+15005550006"
        )["url"]

    def _program(self, name: str, command: str) -> None:
        """Put a program there that is another one."""
        path = f"/usr/local/{name}"
        script = shlex.quote(f'#!/bin/sh\nexec {command} "$@"\n')
        self.sandbox.root(f"mkdir -p $(dirname {path}); printf %s {script} > {path}; chmod 755 {path}")

    def _fake(self, name: str, *arguments: str) -> dict[str, Any]:
        """Start a stand-in there; what it says of itself."""
        fake = subprocess.Popen(
            self.sandbox.inside(sys.executable, "-m", f"tests.fakes.{name}", *arguments),
            env={"PYTHONPATH": str(ROOT), "PATH": PATH}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._fakes.append(fake)
        assert fake.stdout is not None
        said: dict[str, Any] = json.loads(fake.stdout.readline())
        return said

    def follow(self, command: str) -> str:
        """Do what the page says; what was said to it."""
        for long, short in SHORTER.items():
            command = command.replace(long, short)
        typed = next(
            (
                f"{secret}\n"
                for name, secret in self.typed.items()
                if command.endswith(f"/dev/stdin /etc/credstore/{name}")
            ),
            "",
        )
        offline = "export PIP_NO_INDEX=1 PIP_NO_DEPS=1\n" if "/bin/pip " in command else ""
        said = self.sandbox.root(f"cd {self.dist}\n{offline}{command}", typed, seconds=120)
        if command.startswith("python3 -m venv"):
            self.sandbox.root(f"echo {LENT} > $(echo /opt/tocsin/lib/python3*/site-packages)/lent.pth")
        if command.startswith("tocsin init"):
            self.sandbox.root(f"sed -i 's|^  account_sid:.*|&\\n  api_url: {self.twilio}|' /etc/tocsin/tocsin.yaml")
        return said

    def refused(self, command: str) -> str:
        """What a command says that cannot do its work."""
        done = subprocess.run(
            self.sandbox.inside("env", f"PATH={PATH}", "sh", "-c", command), capture_output=True, text=True, check=False
        )
        assert done.returncode == 1, done
        return done.stdout + done.stderr

    def close(self) -> None:
        """End everything."""
        for fake in self._fakes:
            fake.kill()
            fake.communicate()
        self.sandbox.close()


def trust_the_authority(machine: Machine, *, tried: bool = True) -> str:
    """Add the line that the page gives for a private authority. Before it, and with a wrong password, send-test names
    what to look at, where that is to be `tried`.
    """
    (line,) = re.findall(r"^  ca_file: (\S+)$", INSTALLING, re.MULTILINE)
    test = "CREDENTIALS_DIRECTORY=/etc/credstore tocsin send-test ana --via email"
    if tried:
        assert "email.ca_file" in machine.refused(test)
    machine.sandbox.root(
        f"install -D -m 644 {machine.authority} {line}\n"
        f"sed -i 's|^  security: starttls|&\\n  ca_file: {line}|' /etc/tocsin/tocsin.yaml"
    )
    if tried:
        assert "TOCSIN_EMAIL__PASSWORD" in machine.refused(f"TOCSIN_EMAIL__PASSWORD=wrong {test}")
    return line
