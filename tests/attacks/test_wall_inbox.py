"""The inbox on an installed server: the web side leaves answers, webhooks and wishes there, each under its own user; and
what it leaves when it was taken over.
"""

import asyncio
import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tocsin.app.reply_options import signed_links

from tests.fakes import twilio_webhooks
from tests.fakes.sandbox import missing
from tests.fakes.server import STATE, Server, good, installed_server

WHY_NOT = missing()
pytestmark = [pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT), pytest.mark.attack]

WEB, PULL = "tocsin-web.service", "tocsin-pull.service"
WEB_TOKEN = "a token of more than sixteen"
KEY, TOKEN = "a signing key of more than sixteen", "a-twilio-token"
INBOX = STATE / "inbox"


class Site:
    """A server whose daemon and web side run, each under its user, with its secrets and nothing else."""

    def __init__(self, server: Server) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            listen = f"127.0.0.1:{free.getsockname()[1]}"
        self.server, self.url = server, f"http://{listen}"
        public = {"TOCSIN_PUBLIC_URL": self.url, "TOCSIN_WEB__SIGNING_KEY": KEY, "TOCSIN_WEB__LISTEN": listen}
        server.root("sed -i 's/by: poll/by: webhook/; s/^web: {/web: {alertmanager: {}, /' /etc/tocsin/tocsin.yaml")
        server.start(**public, TOCSIN_SMS__AUTH_TOKEN=TOKEN, TOCSIN_SMS__ACCOUNT_SID=twilio_webhooks.ACCOUNT)
        server.start_web(**public, TOCSIN_WEB__TOKEN=WEB_TOKEN)

    def declare(self) -> str:
        """An incident that has paged Ana and Bo; its id."""
        sent = self.server.outbox("page")
        id_ = good(self.server.run("carol", "declare", "It is down", "--severity", "sev1")).strip()
        self.server.until(lambda: self.server.outbox("page") >= sent + 2)
        return id_

    def ask(self, path: str, **form: str) -> tuple[int, str]:
        """Status and page."""
        data = urlencode(form).encode() if form else None
        request = urllib.request.Request(self.url + path, data, method="POST" if form else "GET")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, " ".join(answer.read().decode().split())
        except urllib.error.HTTPError as told:
            with told:
                return told.code, " ".join(told.read().decode().split())

    def alert(self) -> int:
        """Alertmanager says that something fires; the status of the answer."""
        labels = {"alertname": "DatabaseDown", "severity": "sev1"}
        alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": "2026-11-26T10:00:00Z"}
        alert |= {"endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "f0"}
        told = {"version": "4", "groupKey": "g", "truncatedAlerts": 0, "status": "firing", "receiver": "r"}
        told |= {"groupLabels": labels, "commonLabels": labels, "commonAnnotations": {}, "externalURL": ""}
        request = urllib.request.Request(f"{self.url}/alertmanager", json.dumps(told | {"alerts": [alert]}).encode())
        request.add_header("Authorization", f"Bearer {WEB_TOKEN}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)

    def status(self) -> str:
        """What `tocsin status` says."""
        return good(self.server.run("carol", "status"))

    def leave(self, script: str, unit: str = WEB, *, mounts: bool = True) -> str:
        """Do something in the inbox as whoever took over a service; what it printed."""
        begin = (
            "import json, os, sys, time\n"
            f"os.chdir('{INBOX}')\n"
            "def put(kind, ref, **values):\n"
            "    name = time.strftime('%Y%m%dT%H%M%S', time.gmtime()) + f'.{put.n:06d}Z-{kind}-{ref}.json'\n"
            "    put.n += 1\n"
            "    with open('.part', 'w') as file: json.dump({'kind': kind, 'ref': ref, **values}, file)\n"
            "    os.chmod('.part', 0o660)\n"
            "    os.rename('.part', name)\n"
            "put.n = 0\n"
        )
        return good(self.server.as_unit(unit, begin + script, mounts=mounts))

    def told(self, text: str) -> bool:
        """Whether operators are told this: it is noted for them, and leaves within a minute."""
        lines = self.server.log.read_text().rpartition("\n")[0].splitlines()
        return any('"event": "trouble"' in line and text in json.loads(line)["text"] for line in lines)

    def unsubscribing(self) -> str:
        """The path that an update names for its reader's wish."""
        mails = self.server.root(f"grep -lZs 'X-Tocsin-Kind: update' {STATE}/outbox/*.eml | xargs -0 -n 1 cat")
        return re.sub(r"\n\s", "", mails).partition(f"List-Unsubscribe: <{self.url}")[2].partition(">")[0]

    def arrivals(self) -> dict[str, int]:
        """How many of each kind the ledger has let in."""
        asked = f"sqlite3 -separator ' ' {STATE}/tocsin.db 'SELECT kind, count(*) FROM arrivals GROUP BY kind'"
        return {kind: int(number) for kind, number in map(str.split, self.server.root(asked).splitlines())}

    def waiting(self) -> list[str]:
        """What lies in the inbox."""
        return self.server.root(f"ls {INBOX}").split()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with installed_server(tmp_path) as server:
        yield Site(server)


def link(incident: str, person: str, key: str = KEY) -> str:
    """The path by which somebody answers."""
    return signed_links.answer([key], incident, person)


def test_it_is_used(site: Site) -> None:
    """P8: an answer by its link, a webhook, a reader's wish and an alert go by the inbox, from one user to another; the page shows
    what is true now; nothing is left behind; and while the daemon is away the page says that nobody has confirmed it.
    """
    server, id_ = site.server, site.declare()
    status, page = site.ask(link(id_, "ana"), answer="ok")
    assert (status, "You are Technical Lead" in page or "since" in page) == (200, True), page
    site.server.until(lambda: "Ana Souza, accepted" in site.status())
    posted = twilio_webhooks.inbound("ok", sender="+14155550102")
    assert asyncio.run(twilio_webhooks.post(TOKEN, f"{site.url}/twilio/inbound", posted)) == 204
    server.until(lambda: '"kind": "sms", "result": "a' in server.log.read_text())
    forged = twilio_webhooks.inbound("pass", sid="SM" + "9" * 32)
    assert asyncio.run(twilio_webhooks.post("another", f"{site.url}/twilio/inbound", forged)) == 204
    assert site.ask(site.unsubscribing(), **{"List-Unsubscribe": "One-Click"})[0] == 200
    server.until(lambda: site.told("asks to be taken off"))
    assert site.alert() == 200
    server.until(lambda: "DatabaseDown" in site.status())
    assert server.root(f"stat -c '%U:%G' {STATE}/incidents/*[dD]atabase*") == "tocsin:tocsin-responders\n"
    server.until(lambda: site.waiting() == [])
    assert site.arrivals() == {"answer": 1, "sms": 1, "unsubscribe": 1, "alert": 1}
    server.stop()
    status, page = site.ask(link(id_, "ana"), answer="pass")
    assert (status, "NOT yet accepted" in page) == (503, True), page
    assert len(site.waiting()) == 1
    owner = server.root(f"stat -c '%U:%G %a' {INBOX}/*")
    assert owner == "tocsin-web:tocsin 640\n"


def test_what_it_may_not_say(site: Site) -> None:
    """A web side that was taken over signs what it likes. It answers for nobody outside the config, for no incident and
    no episode that is not there; it brings no other kind of entry; and others of the group bring none of its kinds.
    """
    server, id_ = site.server, site.declare()

    def signed(person: str, incident: str = id_, key: str = KEY) -> str:
        return link(incident, person, key).rpartition("/")[2]

    answers = [
        ("mallory", id_, 1, signed("mallory")),
        ("ana", "no-such-incident", 1, signed("ana", "no-such-incident")),
        ("ana", id_, 2, signed("ana")),
        ("ana", id_, 1, signed("ana", key="another key of more than sixteen")),
        ("ana", id_, 1, signed("bo")),
    ]
    lines = [
        f"put('answer', 'a{number}a{number}a{number}a{number}', incident={incident!r}, episode={episode}, person={who!r},"
        f" answer='ok', signature={signature!r})"
        for number, (who, incident, episode, signature) in enumerate(answers)
    ]
    lines += [
        "put('letter', 'b0b0b0b0', to='mallory@example.net', text='x')",
        "put('version', 'b1b1b1b1', incident='x', data='title: x')",
        "put('word', 'b2b2b2b2', cause='x', text='y', extra='z')",
        "put('wish', 'b3b3b3b3', incident='x', reader='ana@example.com', signature='x')",
    ]
    site.leave("\n".join(lines))
    server.until(lambda: site.waiting() == [])
    server.until(lambda: site.told("in the inbox was refused"))
    assert "accepted" not in site.status().replace("not accepted", "")
    assert sum(site.arrivals().values()) <= len(answers)  # what is signed is recorded, and refused
    good_answer = f"put('answer', 'c0c0c0c0', incident={id_!r}, episode=1, person='ana', answer='ok', signature={signed('ana')!r})"
    site.leave(good_answer, PULL)
    server.until(lambda: site.waiting() == [])
    server.until(lambda: site.told("tocsin-pull has left it, and only the inbox's own user may"))
    assert "accepted" not in site.status().replace("not accepted", "")
    site.leave(good_answer.replace("c0c0c0c0", "c3c3c3c3"))
    server.until(lambda: "Ana Souza, accepted" in site.status())


def test_a_pass_by_command_counts_from_who_responds(site: Site) -> None:
    """Carol may write incident files, and so pass for somebody; Erin only looks, and neither the web side nor the pull
    is ever in that group: what they leave in the name of a command is refused and told, whatever its mode.
    """
    server, id_ = site.server, site.declare()
    barred = server.run("erin", "pass", id_, "--as", "ana")
    assert (barred.returncode, barred.stdout) == (1, "")
    assert "cannot be read by erin; ask to be in the group tocsin-responders" in barred.stderr
    forged = f"put('command_answer', 'f0f0f0f0', incident={id_!r}, episode=1, person='ana', answer='pass')"
    site.leave(forged)
    server.until(lambda: site.told("the web side's user has left it, and only commands do"))
    sealed = "really = os.chmod\nos.chmod = lambda path, mode: really(path, 0o640)\n"
    site.leave(sealed + forged.replace("f0f0f0f0", "f1f1f1f1"), PULL)
    server.until(lambda: site.waiting() == [])
    assert "answer" not in site.arrivals()
    done = server.run("carol", "pass", id_, "--as", "ana")
    assert done.returncode == 0, done.stderr
    assert "Ana Souza has passed on" in done.stderr
    assert site.arrivals()["answer"] == 1


THINGS = """
def entry(n, kind='answer'): return f'20261126T101113.{n:06d}Z-{kind}-d0d0d0d0{n}.json'
os.symlink('/etc/passwd', entry(1))
os.symlink('/var/lib/tocsin/tocsin.db', entry(2))
os.mkfifo(entry(3)); os.chmod(entry(3), 0o660)
os.mkdir(entry(4)); os.mkdir(entry(4) + '/inside')
os.mkdir(entry(5))
open(entry(6), 'w').write('{"kind": "answer"' * 400)
open(entry(7), 'w').write('x' * 60000)
open(entry(8), 'w').write('[' * 8000)
open(entry(9), 'wb').write(bytes(range(256)))
os.link(entry(9), entry(10))
open(entry(11), 'w').close(); os.chmod(entry(11), 0o000)
open('no entry\\n.json', 'w').write('{}')
open('-rf', 'w').write('{}')
open('.hidden', 'w').write('x')
"""


def test_what_it_may_not_leave(site: Site) -> None:
    """Links, FIFOs, folders, huge, broken, empty and unreadable files, and 3,000 entries at once: none is followed, none
    stops the daemon or a page; what can be removed is; an answer among them counts; operators are told.
    """
    server, id_ = site.server, site.declare()
    site.leave(THINGS)
    server.until(lambda: set(site.waiting()) <= {"20261126T101113.000004Z-answer-d0d0d0d04.json"})
    server.until(lambda: site.told("in the inbox was refused"))
    answer = link(id_, "ana").rpartition("/")[2]
    site.leave(
        "for n in range(3000): put('wish', f'e{n:08d}', incident='x', reader='y', signature='z')\n"
        f"put('answer', 'c1c1c1c1', incident={id_!r}, episode=1, person='ana', answer='ok', signature={answer!r})"
    )
    server.until(lambda: "Ana Souza, accepted" in site.status(), 10)
    sent = server.outbox("page")
    good(server.run("carol", "declare", "More is down", "--severity", "sev1"))
    server.until(lambda: server.outbox("page") > sent, 5)
    server.until(lambda: site.told("wait in the inbox"), 30)
    server.until(lambda: len(site.waiting()) < 2, 60)
    assert "/etc/passwd" not in server.log.read_text()


def test_a_secret_that_it_should_not_hold(site: Site) -> None:
    """An upgrade that left the provider's token with the web side: the log names it, and not what it is."""
    assert "needless" not in site.server.log.read_text()
    assert site.server.stop_web() == 0
    site.server.start_web(TOCSIN_WEB__LISTEN=site.url.removeprefix("http://"), TOCSIN_SMS__AUTH_TOKEN=TOKEN)
    log = site.server.log.read_text()
    assert "the web side holds TOCSIN_SMS__AUTH_TOKEN; the daemon alone needs them" in log
    assert TOKEN not in log


def test_an_inbox_that_is_shut(site: Site) -> None:
    """The folder is the web side's: it can shut it. Operators are told whose door it is, and pages go on."""
    server = site.server
    site.leave("os.chmod('.', 0o700)")
    server.until(lambda: site.told("cannot be read by tocsin"), 30)
    site.declare()
    site.leave("os.chmod('.', 0o2770)")
    site.leave("put('word', 'c2c2c2c2', cause='pull', text='the door is open again')", PULL)
    server.until(lambda: site.told("the door is open again"), 30)


FULL = """
data = b'x' * 60000
try:
    for n in range(100000):
        with open(f'.{n}', 'wb') as file: file.write(data)
except OSError as fault:
    print(fault.strerror)
"""


def test_a_disk_that_is_filled_through_the_inbox(tmp_path: Path) -> None:
    """The inbox lies on the ledger's disk. Filled, steps that are due leave from memory, operators are told, who declares
    reads why that fails; once there is room again all is recorded.
    """
    with installed_server(tmp_path) as server:
        server.root(f"mount -t tmpfs -o size=48M none {STATE} && systemd-tmpfiles --create tocsin.conf")
        server.root("sed -i 's/acknowledge_within: .*/acknowledge_within: 15s/' /etc/tocsin/*.yaml")
        site = Site(server)
        site.declare()
        sent = server.outbox("page")
        assert site.leave(FULL) == "No space left on device\n"
        server.root(f"echo; ls {INBOX} -A | wc -l; df {STATE}")
        done = server.run("carol", "declare", "More is down", "--severity", "sev1")
        assert (done.returncode, "no space left on device" in done.stderr) == (1, True), done
        server.until(lambda: '"to": "bo", "via": "sms"' in server.log.read_text().partition("ledger trouble")[2], 60)
        assert server.outbox("page") >= sent
        site.leave("import glob\nfor name in os.listdir('.'): os.unlink(name)")
        server.until(lambda: int(server.root(f"sqlite3 {STATE}/tocsin.db 'SELECT count(*) FROM attempts'")) > 8, 60)
        site.declare()
