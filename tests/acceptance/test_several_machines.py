"""docs/several-machines.md: every command in it is given, in its order, on two machines of their own with a PostgreSQL
that speaks TLS. The first had a ledger in a file, and an incident that is open.

What is not real there stands in `tests/fakes/new_machine`; the compose file is tried by test_compose.
"""

import ctypes
import json
import os
import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from tests.fakes.certificates import Authority
from tests.fakes.new_machine import INSTALLING, Machine, commands, opened, trust_the_authority
from tests.fakes.orders import written
from tests.fakes.patience import Patience
from tests.fakes.postgres import PASSWORD, RUNS_AS, postgres
from tests.fakes.proxy import Proxy
from tests.fakes.sandbox import ROOT, build_wheel, missing

PAGE = (ROOT / "docs" / "several-machines.md").read_text(encoding="utf-8")
WRITER, READER = "the-writer's@own", "reader"
"""What the page's two roles are given."""
ADDRESS = "postgresql://tocsin_read:PASSWORD@"
"""How the page has the address of the web side."""
COMPOSE = "/opt/tocsin/share/tocsin/compose"
CLONE_NEWNET = 0x40000000
TAKES_OVER_WITHIN = 30.0
"""Seconds that a test on a busy machine gives to what takes 15."""
WHY_NOT = missing()


def section(title: str, page: str = PAGE) -> str:
    """What stands under a headline."""
    _, headline, after = page.partition(f"\n## {title}\n")
    assert headline, title
    return after.partition("\n## ")[0]


def steps() -> dict[int, str]:
    """What each step for two machines says."""
    parts = re.split(r"^\*\*(\d)\. ", section("Two machines with systemd"), flags=re.MULTILINE)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


STEPS = steps()
SECRETS = commands(STEPS[0])
FIRST = commands(INSTALLING.partition("\n## The first message\n")[0])
PEOPLE = commands(section("People without root", INSTALLING))
WATCHING = commands(section("Watching it", INSTALLING))
UPGRADE = commands(section("Upgrade and downgrade", INSTALLING).partition("\n### ")[0])[1:]
"""Without the copy of a file."""
BACKUP, RESTORE = (block for block in commands(section("The database")) if not block.startswith("install"))


def test_the_compose_file_is_where_the_page_says_and_has_its_services() -> None:
    """What `docker compose` is told on the page names services that there are."""
    said = section("All of it on one machine, to try")
    services = yaml.safe_load((ROOT / "packaging/compose/compose.yaml").read_text())["services"]
    named = re.findall(r"docker compose (?:exec|kill) (\S+)", said)
    assert named
    assert set(named) <= set(services)


class Site:
    """Two machines by their names, and the database that both reach as db1.example.com: db2 is away."""

    def __init__(self, folder: Path, ending: ExitStack) -> None:
        authority = Authority(opened(folder))
        certificate = authority.certificate(name="db1.example.com")
        os.chown(certificate, *_owner())
        certificate.chmod(0o600)
        tls = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(certificate)}
        self.server = ending.enter_context(postgres(15, tls))
        self.server.make_role("postgres", PASSWORD, "SUPERUSER")
        dist = build_wheel(folder).parent
        self.attic, self.cellar = (
            self._machine(name, folder / name, dist, authority, ending) for name in ("attic", "cellar")
        )

    def _machine(self, name: str, folder: Path, dist: Path, authority: Authority, ending: ExitStack) -> Machine:
        folder.mkdir()
        machine = Machine(opened(folder), dist)
        ending.callback(machine.close)
        settings = yaml.safe_load(re.findall(r"^```yaml\n(.*?)^```$", STEPS[3], re.MULTILINE | re.DOTALL)[0])
        (place,) = re.findall(r"sslrootcert=(\S+)", settings["ledger"])
        machine.sandbox.root(
            f"printf '127.0.0.1 db1.example.com\\n127.0.0.2 db2.example.com\\n' >> /etc/hosts; "
            f"install -D -m 644 {authority.ca_file} {place}"
        )
        ending.enter_context(Proxy("127.0.0.1", self.server.port, listening_there(machine, 5432)))
        address = re.findall(r"`(postgresql://tocsin_read:\S+)`", STEPS[4])[0]
        assert address.startswith(ADDRESS)
        machine.typed |= {"tocsin_ledger": WRITER, "tocsin-web.ledger": address.replace("PASSWORD", READER)}
        return machine


def _owner() -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam(RUNS_AS)
    return entry.pw_uid, entry.pw_gid


def listening_there(machine: Machine, port: int) -> socket.socket:
    """A socket that listens on a port of the machine's loopback, and is served here."""
    made: list[socket.socket] = []

    def make() -> None:
        with machine.sandbox.network() as network:
            assert ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET) == 0
        made.append(socket.create_server(("127.0.0.1", port)))

    thread = threading.Thread(target=make)  # a thread's network is its own, and gone with it
    thread.start()
    thread.join()
    return made[0]


@pytest.fixture
def site() -> Iterator[Site]:
    with ExitStack() as ending:
        place = ending.enter_context(tempfile.TemporaryDirectory())  # pytest's are root's alone
        yield Site(Path(place), ending)


def install(machine: Machine) -> None:
    """The first part of installing.md."""
    for command in FIRST:
        machine.follow(command)
    trust_the_authority(machine, tried=False)


def edit_settings(machine: Machine, name: str) -> None:
    """Step 3, by an editor: what the page shows stands in place of what was said of these keys."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", STEPS[3], re.MULTILINE | re.DOTALL)
    before = machine.sandbox.root("cat /etc/tocsin/tocsin.yaml")
    assert {"ledger", "web"} <= set(yaml.safe_load(block)) & set(yaml.safe_load(before))
    kept = [line for line in before.splitlines() if not re.match(r"(ledger|web):", line)]
    text = "\n".join([*kept, block.replace("node: attic", f"node: {name}")])
    machine.sandbox.root("cat > /etc/tocsin/tocsin.yaml", text)


def until(holds: Callable[[], object], seconds: float = TAKES_OVER_WITHIN) -> None:
    """Wait for it."""
    patience = Patience(seconds)
    while not holds():
        assert patience.nap()


def state(machine: Machine) -> str:
    """What `/healthz` says of its daemon."""
    text: str = json.loads(machine.sandbox.root(f"{WATCHING[0]}"))["state"]
    return text


def paged(machine: Machine) -> list[str]:
    """Who was paged from there by SMS."""
    if not machine.texts.exists():
        return []
    return [text["to"] for text in written(machine.texts) if "is down" in text["body"]]


def as_ana(machine: Machine, command: str) -> str:
    """What somebody's command says after they logged in."""
    return machine.sandbox.root(f"runuser -l ana -c {json.dumps(command)}")


@pytest.mark.attack
@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_the_page_is_followed_to_the_letter(site: Site) -> None:
    """A machine with an open incident gets a second one beside it: nobody is paged anew, both do what the page says of
    them, and one goes on when the other is gone.
    """
    attic, cellar = site.attic, site.cellar
    install(attic)
    attic.follow("systemctl enable --now tocsin tocsin-web")
    attic.follow(PEOPLE[0])
    attic.sandbox.root("runuser -l ana -c 'tocsin declare \"All of it is down\" --severity sev1'")
    until(lambda: len(paged(attic)) == 2)

    services = yaml.safe_load(attic.sandbox.root(f"cat {COMPOSE}/compose.yaml"))["services"]
    mounted = [volume.partition(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    attic.sandbox.root(f"cd {COMPOSE}; ls {' '.join(path for path in mounted if path.startswith('.'))} pgbouncer.ini")

    create, give = commands(STEPS[2])
    attic.sandbox.root(create, f"{PASSWORD}\n")
    attic.sandbox.root(give, f"{PASSWORD}\n" + f"{WRITER}\n" * 2 + f"{READER}\n" * 2)
    for command in (*commands(STEPS[4]), *commands(section("From a file to PostgreSQL"))):
        said = attic.follow(command)
    assert "holds" in said
    edit_settings(attic, "attic")
    for command in (*commands(STEPS[5]), *commands(STEPS[6])):
        attic.follow(command)
    begin(attic, "attic", stopped=2)

    for name in ("tocsin_web__signing_key", "tocsin_web__token"):
        cellar.typed[name] = attic.sandbox.root(f"cat /etc/credstore/{name}").strip()
    for command in FIRST:
        instead = [secret for secret in SECRETS if secret.split("/")[-1] == command.split("/")[-1]]
        cellar.follow(instead[0] if instead else command)
    trust_the_authority(cellar, tried=False)
    edit_settings(cellar, "cellar")
    for number in (4, 5, 6):
        for command in commands(STEPS[number]):
            cellar.follow(command)
    cellar.follow(PEOPLE[0])
    begin(cellar, "cellar")
    assert (state(attic), state(cellar)) == ("leading", "standing_by")

    people_work_on_both(site)
    numbers_are_there(site)
    an_upgrade(site)
    back_and_forth(site)

    leader, other = (attic, cellar) if state(attic) == "leading" else (cellar, attic)
    leader.close()
    until(lambda: state(other) == "leading")
    assert "leads" in other.follow(commands(STEPS[7])[-1])
    assert (len(paged(attic)), len(paged(cellar))) == (2, 0)
    assert commands(section("Two machines with systemd")) == [one for text in STEPS.values() for one in commands(text)]


def begin(machine: Machine, name: str, stopped: int = 0) -> None:
    """Step 7: nothing is amiss before but that a daemon was stopped, which doctor tells so often; the machine is there
    after.
    """
    check, doctor, start, nodes = commands(STEPS[7])
    checked = machine.follow(check)
    assert not re.search("error|ledger", checked), checked
    examined = machine.refused(doctor) if stopped else machine.follow(doctor)
    assert len(re.findall("^ *FAILS", examined, re.MULTILINE)) == stopped, examined
    machine.follow(start)
    until(lambda: state(machine) in {"leading", "standing_by"})
    seen = machine.follow(nodes)
    assert name in seen
    assert "\n!" not in f"\n{seen}", seen


def people_work_on_both(site: Site) -> None:
    """Somebody without root sees the incident on either machine and answers on the one that stands by."""
    for machine in (site.attic, site.cellar):
        shown = as_ana(machine, "tocsin status")
        assert "All of it is down" in shown, shown
        assert "ledger" not in shown, shown
    ids = site.attic.sandbox.root("ls /var/lib/tocsin/incidents").split()
    as_ana(site.cellar, f"tocsin ack {ids[0].removesuffix('.yaml')} --as ana")
    until(lambda: "accepted" in as_ana(site.attic, "tocsin status"))


def numbers_are_there(site: Site) -> None:
    """What the page says of /metrics, once the role may see others' sessions."""
    (statement,) = re.findall(r"^```sql\n(.*?)^```$", section("Seen from outside"), re.MULTILINE | re.DOTALL)
    site.server.run(statement)
    for machine in (site.attic, site.cellar):
        numbers = machine.follow(next(command for command in WATCHING if "/metrics" in command))
        assert 'tocsin_machine_leads{machine="attic"} 1.0' in numbers
        for name in set(re.findall(r"`(tocsin_\w+)(?:\{\w+\})?`", section("Seen from outside"))):
            assert f"\n{name}" in numbers, name


def an_upgrade(site: Site) -> None:
    """The one that stands by first; the lead goes over meanwhile."""
    for machine, after in ((site.cellar, ("leading", "standing_by")), (site.attic, ("standing_by", "leading"))):
        for command in UPGRADE:
            machine.follow(command)
        until(lambda after=after: (state(site.attic), state(site.cellar)) == after)


def back_and_forth(site: Site) -> None:
    """A dump is made and put back, and the web sides and people read it."""
    for command in commands(section("The database")):
        if command == RESTORE:
            for machine in (site.attic, site.cellar):
                machine.follow("systemctl stop tocsin")
        site.attic.sandbox.root(command, f"{WRITER}\n")
    for machine in (site.attic, site.cellar):
        machine.follow("systemctl start tocsin")
        until(lambda machine=machine: state(machine) in {"leading", "standing_by"})
        assert "All of it is down" in as_ana(machine, "tocsin status")
