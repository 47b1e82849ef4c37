"""docs/installing.md: every command in it is run, in its order, on a machine of its own with a real mail server.

What is not real there stands in `tests/fakes/new_machine`, and the 5 min of the drill, of which 3 s are enough.
"""

import json
import re
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tocsin import __version__
from tocsin.adapters.files.config_snapshot import credentials
from tocsin.formats.settings.layers import UNKNOWN_VARIABLE, SettingsLayers, read_settings
from tocsin.text.yaml import read_yaml

from tests.fakes.new_machine import INSTALLING, Machine, commands, opened, trust_the_authority
from tests.fakes.orders import written
from tests.fakes.sandbox import ROOT, build_wheel, missing

FORMER = "### From one user to three\n"
"""The section for who installed tocsin when it was one user."""
PROGRAMS = {
    "cat", "chown", "curl", "git", "grep", "groupadd", "install", "ln", "mv", "openssl", "printf", "python3", "rm", "runuser", "sed",
    "systemctl", "systemd-sysusers", "systemd-tmpfiles", "tar", "tocsin", "usermod", "/opt/tocsin/bin/pip",
}  # fmt: skip
"""Whatever else the page used, this test would have to run as well."""
WHY_NOT = missing()
BEFORE, _, AFTER = INSTALLING.partition(FORMER)
UPGRADE = commands(AFTER.partition("\n## ")[0])
COMMANDS = commands(BEFORE + AFTER.partition("\n## ")[2])


def test_the_page_uses_few_programs() -> None:
    """Each command is one of a short list, all of which the test below runs."""
    words = [
        next(word for word in shlex.split(line.partition("<<")[0].lstrip("(")) if "=" not in word)
        for line in (*COMMANDS, *UPGRADE)
    ]
    assert set(words) == PROGRAMS


@pytest.mark.parametrize("name", ["installing.md", "several-machines.md"])
def test_check_knows_the_credential_files_of_a_page(name: str, tmp_path: Path) -> None:
    """All that lies in /etc/credstore by then, since the page gives `check` that folder as it is."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    files = set(re.findall(r"/etc/credstore/([\w.-]+)", page))
    assert len(files) >= 4
    for file in files:
        (tmp_path / file).write_text("postgresql://tocsin@db1.example.com/tocsin" if "ledger" in file else "x" * 32)
    texts, problems = credentials(str(tmp_path))
    reading = read_settings(SettingsLayers(read_yaml(b"operators: [ana]\n", "tocsin.yaml"), texts, {}, tmp_path))
    told = [
        str(problem) for problem in (*problems, *reading.problems) if problem.code in {UNKNOWN_VARIABLE, "not-utf8"}
    ]
    assert told == []


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(opened(tmp_path), build_wheel(tmp_path).parent)
    try:
        yield machine
    finally:
        machine.close()


@pytest.mark.attack
@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_the_page_is_followed_to_the_letter(machine: Machine) -> None:
    """Each command does what the page says it does, and in the end there is a server that pages."""
    said: dict[str, str] = {}
    for command in COMMANDS:
        if command.endswith("tocsin check") and not said.get("trusted"):
            said["trusted"] = trust_the_authority(machine)
        said[command] = machine.follow(command)
    tested = said["CREDENTIALS_DIRECTORY=/etc/credstore tocsin send-test ana"]
    assert tested.count("accepted") == 2, tested
    examined = said["CREDENTIALS_DIRECTORY=/etc/credstore tocsin doctor"]
    assert "\nnothing fails; " in examined, examined
    assert "it lets tocsin in" in examined
    assert "+15005550006 is this account's and can send SMS" in examined
    mails = written(machine.mails)
    texts = written(machine.texts)
    assert "An exercise, nothing is broken" in json.dumps(mails)
    assert any("DRILL" in text["body"] for text in texts)
    assert json.loads(said["curl -sS http://127.0.0.1:8765/healthz"])["state"] == "leading"
    assert "tocsin_ledger_readable 1.0" in said[next(command for command in said if command.endswith("/metrics"))]
    assert "sound, and as the ledger is" in said["tocsin backup --overwrite /var/backups/tocsin/tocsin.db"]
    assert COMMANDS[-1].startswith("curl")
    assert json.loads(said[COMMANDS[-1]])["state"] == "leading"
    for path, mode in (
        ("/etc/tocsin", "root:tocsin 750"),
        ("/var/lib/tocsin", "tocsin:tocsin 750"),
        ("/var/lib/tocsin/incidents", "tocsin:tocsin-responders 2770"),
        ("/var/lib/tocsin/inbox", "tocsin-web:tocsin 2770"),
        ("/etc/credstore", "root:root 700"),
    ):
        assert machine.sandbox.root(f"stat -c '%U:%G %a' {path}") == f"{mode}\n"


def write_former_wheel(new: Path, former: Path) -> None:
    """A wheel of the same name, as it was made when tocsin was one user: what a release must take away."""
    with zipfile.ZipFile(new) as source, zipfile.ZipFile(former, "w") as wheel:
        for name in source.namelist():
            content = source.read(name)
            if name == "tocsin/__init__.py":
                content = re.sub(rb'"[0-9.]+"', b'"0.0.9"', content)
            if name.endswith("/sysusers.d/tocsin.conf"):
                content = b'u tocsin - "Incident notification daemon" /var/lib/tocsin\n'
            if name.endswith("/tmpfiles.d/tocsin.conf"):
                places = re.findall(rb"^d  /\S+tocsin(?:/(?!inbox)\S+)? .*\n", content, re.MULTILINE)
                content = b"".join(places).replace(b"tocsin-responders", b"tocsin")
            if "/share/tocsin/systemd/" in name:
                content = re.sub(rb"^(User|Group)=.*", rb"\1=tocsin", content, flags=re.MULTILINE)
            wheel.writestr(name, content)


ONE_USER = """
install -D /dev/null /etc/systemd/system/tocsin-web.service.d/secrets.conf
echo LoadCredential=tocsin_sms__auth_token:/etc/credstore/tocsin_sms__auth_token >> \
    /etc/systemd/system/tocsin-web.service.d/secrets.conf
git init --quiet --bare --initial-branch=main /opt/up.git
git -c init.defaultBranch=main clone --quiet /opt/up.git /opt/work 2>/dev/null; mv /etc/tocsin /opt/work/config
cd /opt/work && git add --all && git -c user.name=x -c user.email=x@example.com commit --quiet --message=x
git push --quiet origin HEAD:main; chmod -R a+rX /opt/up.git
git config --system --add safe.directory /opt/up.git
git config --system --add safe.directory /var/lib/tocsin/repository
runuser -u tocsin -- git clone --quiet --branch main /opt/up.git /var/lib/tocsin/repository
ln -sT /var/lib/tocsin/repository/config /etc/tocsin
systemctl restart tocsin tocsin-web
runuser -u ana -- tocsin declare "It is down" --severity sev1
"""
"""How it was when the web side and the pull were the daemon's user, with an incident that is open."""


@pytest.mark.attack
@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_an_installation_of_one_user_becomes_one_of_three(machine: Machine) -> None:
    """The upgrade's commands by another wheel, with those of its section where they belong: the new program runs,
    everything is whose it should be, the open incident goes on, nobody is paged again for it, and the clone is pulled
    by its new owner.
    """
    (new,) = machine.dist.glob("*.whl")
    kept = new.rename(machine.dist.parent / new.name)
    write_former_wheel(kept, new)
    install = COMMANDS[: COMMANDS.index("systemctl enable --now tocsin tocsin-web") + 1]
    upgrade = COMMANDS[next(n for n, command in enumerate(COMMANDS) if "before-upgrade.db" in command) :]
    for command in [line for line in install if not re.search(r"(doctor|send-test)", line)]:
        if command.endswith("tocsin check"):
            trust_the_authority(machine, tried=False)
        machine.follow(command)
    assert "0.0.9" in machine.follow("tocsin --version")
    machine.sandbox.root(f"usermod --append --groups tocsin ana; install -d -m 700 /var/backups/tocsin{ONE_USER}")
    assert machine.sandbox.root("ps -o user= -p $(cat /opt/.systemctl/tocsin-web.pid)") == "tocsin\n"
    kept.rename(new)
    restart = next(n for n, command in enumerate(upgrade) if command.startswith("systemctl restart"))
    before = next(n for n, command in enumerate(UPGRADE) if command.startswith("usermod")) + 1
    said = {
        command: machine.follow(command)
        for command in [*UPGRADE[:before], *upgrade[:restart], *UPGRADE[before:], *upgrade[restart:]]
    }
    assert said["tocsin --version"] == f"tocsin, version {__version__}\n"
    assert json.loads(said[upgrade[-1]])["state"] == "leading"
    for path, mode in (
        ("/var/lib/tocsin/incidents/*.yaml", "ana:tocsin-responders 664"),
        ("/var/lib/tocsin/inbox", "tocsin-web:tocsin 2770"),
        ("/var/lib/tocsin/tocsin.db.lock", "tocsin:tocsin 600"),
        ("/var/lib/tocsin-pull/repository/config/tocsin.yaml", "tocsin-pull:tocsin 644"),
    ):
        assert machine.sandbox.root(f"stat -c '%U:%G %a' {path}") == f"{mode}\n"
    who = "ps -o user:20= -p $(cat /opt/.systemctl/tocsin-web.pid)"
    assert machine.sandbox.root(who).strip() == "tocsin-web"
    assert "auth_token" not in machine.sandbox.root("ls /opt/.systemctl/credentials/tocsin-web")
    assert "auth_token" in machine.sandbox.root("ls /opt/.systemctl/credentials/tocsin")
    pulled = machine.sandbox.root("setpriv --reuid=tocsin-pull --regid=tocsin --init-groups tocsin pull")
    assert pulled.startswith("nothing new: ")
    shown = machine.sandbox.root(
        "runuser -u ana -- sh -c 'tocsin ack $(ls /var/lib/tocsin/incidents) --as ana; tocsin status'"
    )
    assert "accepted" in shown
    texts = written(machine.texts)
    pages = [text["to"] for text in texts if "It is down" in text["body"]]
    assert len(pages) == len(set(pages)) == 2, texts
