"""`/alertmanager`: who may tell, what is answered, and what stands in the folder afterwards."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from structlog.testing import capture_logs
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.alerts.apply import AlertIncidents
from tocsin.app.alerts.entries import alert_entries
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.payload import AlertGroup, read_notification
from tocsin.app.alerts.steps import Action
from tocsin.app.alerts.words import KEPT
from tocsin.app.state.active_config import ActiveConfig
from tocsin.domain.arrival import AlertEntry
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.policy import Policy
from tocsin.formats.incident.read import read_incident
from tocsin.formats.settings.providers import EmailSettings, SmsSettings
from tocsin.formats.settings.settings import AlertmanagerSettings, Settings, WebSettings
from tocsin.ports.inbox import InboxFullError
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.http import judged
from tocsin.web.http.site import Site
from tocsin.web.server import application

from tests.builders.policies import shipped_policy
from tests.fakes.clock import StillClock
from tests.fakes.inbox import JudgedAlerts
from tests.fakes.ledger import MemoryLedger
from tests.unit.alerts import T0, alert, notification
from tests.unit.web.lives import RecordedLog

TOKEN = "open-sesame-0123456789"
ALERTS = AlertmanagerSettings(severities={"critical": "sev1"}, default_severity="sev3")
FIRING, ENDED = notification([alert()]), notification([alert(ended=9)])


class Post:
    """The site over a folder, and the same once more, as after a restart or on another process."""

    def __init__(self, folder: Path, alertmanager: AlertmanagerSettings | None = ALERTS) -> None:
        self.folder, self.ledger, self.clock = folder / "incidents", MemoryLedger(), StillClock(T0)
        self.log = RecordedLog()
        self.last_known: Policy | None = shipped_policy()
        self.settings = Settings(
            operators=["ana"],
            last_resort=["ana"],
            email=EmailSettings(sender="tocsin@example.com"),
            sms=SmsSettings(sender="+15005550006"),
            web=WebSettings(token=SecretStr(TOKEN), alertmanager=alertmanager),
            incidents=self.folder,
        )
        self.clients: list[TestClient[Any, Any]] = []
        files = IncidentFiles(self.folder)
        self.inbox = JudgedAlerts(self.clock, self.ledger, ActiveConfig(shipped_policy(), self.settings), files)

    async def start(self) -> TestClient[Any, Any]:
        """Another process of the site."""

        async def policy() -> Policy:
            if self.ledger.trouble:
                raise LedgerError(self.ledger.trouble)
            return shipped_policy()

        active_policy: Any = SimpleNamespace(policy=policy, last_known=self.last_known)
        nothing: Any = None
        site = Site(self.settings, self.clock, lambda: self.ledger, active_policy, nothing, self.inbox, self.log)
        client: TestClient[Any, Any] = TestClient(TestServer(application(site)))
        await client.start_server()
        self.clients.append(client)
        return client

    async def tell(
        self, body: bytes, token: str | None = f"Bearer {TOKEN}", client: int = -1, **headers: str
    ) -> tuple[int, str]:
        """Post a notification."""
        heads = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        heads |= {"Authorization": token} if token is not None else {}
        async with self.clients[client].post("/alertmanager", data=BytesIO(body), headers=heads) as answer:
            return answer.status, await answer.text()

    def files(self) -> dict[str, str]:
        """What stands in the folder."""
        paths = self.folder.iterdir() if self.folder.is_dir() else ()
        return {path.name: path.read_text() for path in paths}

    def incident(self) -> Incident:
        """The one incident, as the daemon reads it, without any problem."""
        ((name, text),) = self.files().items()
        reading = read_incident(text.encode(), name, shipped_policy(), None, name)
        assert reading.problems == ()
        assert reading.incident is not None
        return reading.incident

    def rewrite(self, before: str, after: str) -> None:
        """A person edits the one file."""
        ((name, text),) = self.files().items()
        assert before in text
        (self.folder / name).write_text(text.replace(before, after))

    async def close(self) -> None:
        """End all."""
        for client in self.clients:
            await client.close()


@pytest.fixture
async def post(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Post]:
    made = Post(tmp_path, *getattr(request, "param", ()))
    await made.start()
    yield made
    await made.close()


async def test_a_group_is_declared_once(post: Post) -> None:
    """One file with all that is known; repeated, from another process and after a restart, it stays as it is."""
    status, said = await post.tell(FIRING)
    assert status == 200
    before = post.files()
    incident = post.incident()
    assert said == f"{incident.id}: declared\n"
    assert incident.id.startswith("2026-11-23-errors-on-a-")
    assert (incident.title, incident.severity, incident.declared_by) == ("Errors on a", "sev3", "Alertmanager")
    assert incident.declared_at == T0
    assert "HighErrorRate" in incident.summary
    await post.start()
    for hours in (0, 0, 4, 400):
        post.clock.go(timedelta(hours=hours))
        assert await post.tell(FIRING) == (200, f"{incident.id}: nothing (it is known)\n")
    assert post.files() == before


async def test_peers_at_once_make_one_file(post: Post) -> None:
    """Both peers of a cluster tell both processes of the site, ten times at the same moment; one has heard more."""
    await post.start()
    bodies = FIRING, notification([alert(), alert("b")])
    told = await asyncio.gather(*(post.tell(bodies[number % 2], client=number % 2) for number in range(10)))
    assert {status for status, _ in told} == {200}
    assert len(post.files()) == 1
    assert sum("declared" in said for _, said in told) == 1


async def test_it_lives_and_ends(post: Post) -> None:
    """A worse alert raises it, comments of people stay, the end resolves it, and nothing else moves."""
    await post.tell(FIRING)
    post.rewrite("title:", "# call the shop first\ntitle:")
    both = notification([alert(), alert("b", 1, severity="critical", service="checkout")])
    assert (await post.tell(both))[1].endswith(": changed\n")
    assert (post.incident().severity, post.incident().services) == ("sev1", ("checkout",))
    post.rewrite("status: investigating", "status: monitoring")
    assert (await post.tell(both))[1].endswith("(it is known)\n")
    post.clock.go(timedelta(minutes=10))
    assert (await post.tell(notification([alert(ended=9), alert("b", 1, 9)])))[1].endswith(": resolved\n")
    assert post.incident().status is Status.RESOLVED
    assert post.incident().resolution == "All alerts have stopped firing (Alertmanager, 2026-11-23 10:10:00 UTC)."
    assert "# call the shop first" in next(iter(post.files().values()))
    before = post.files()
    assert (await post.tell(FIRING))[0] == 409
    assert (await post.tell(both))[0] == 409
    assert (await post.tell(ENDED))[0] == 200
    assert post.files() == before


async def test_links_are_added_beside_those_of_people(post: Post) -> None:
    """Comments and what people wrote stay; a file of an older version, which had none, goes on."""
    await post.tell(notification([alert() | {"generatorURL": ""}], externalURL=""))
    assert post.incident().links == ()
    post.rewrite("declared_by:", "links: {Dashboard: https://graphs.example.com/}  # look here first\ndeclared_by:")
    assert (await post.tell(notification([alert(), alert("b", 1)])))[1].endswith(": changed\n")
    titles = [title for title, _ in post.incident().links]
    assert titles == ["Dashboard", "Alertmanager", "Source of HighErrorRate"]
    assert "# look here first" in next(iter(post.files().values()))


async def test_flapping_opens_it_again(post: Post) -> None:
    """Fired, ended, fired anew: one file, open again, without the old end."""
    await post.tell(FIRING)
    await post.tell(ENDED)
    assert (await post.tell(notification([alert(began=11)])))[1].endswith(": reopened\n")
    assert (post.incident().status, post.incident().resolution) == (Status.INVESTIGATING, "")


async def test_what_a_person_resolved_stays(post: Post) -> None:
    """Its alerts go on firing for days; fired anew they are a new incident under a new id."""
    await post.tell(FIRING)
    post.rewrite("status: investigating", "status: resolved")
    before = post.files()
    post.clock.go(timedelta(hours=5))
    assert (await post.tell(FIRING))[0] == 200
    assert post.files() == before
    first = post.incident().id
    assert (await post.tell(notification([alert(began=300)])))[1] == f"{first}-2: declared\n"
    assert (await post.tell(notification([alert(began=300)])))[1] == f"{first}-2: nothing (it is known)\n"
    assert (await post.tell(notification([alert(began=300, ended=301)])))[1] == f"{first}-2: resolved\n"


async def test_a_vanished_file_is_no_new_incident(post: Post) -> None:
    """An open incident whose file is gone goes on; its end writes the file again. An archived one is known."""
    await post.tell(FIRING)
    incident, ((name, text),) = post.incident(), post.files().items()
    await post.ledger.record(incident.id, [Seen(T0, incident, "d")], [], [])
    await post.ledger.keep_file(incident.id, name, "d", text.encode())
    (post.folder / name).unlink()
    assert await post.tell(FIRING) == (200, f"{incident.id}: nothing (it is known)\n")
    assert post.files() == {}
    assert (await post.tell(ENDED))[1] == f"{incident.id}: resolved\n"
    assert post.incident().status is Status.RESOLVED


async def test_a_file_under_an_edit_is_left_alone(post: Post) -> None:
    """While it cannot be read nothing is added, and its end is to be told again."""
    await post.tell(FIRING)
    post.rewrite("title:", "title: [")
    before = post.files()
    assert (await post.tell(notification([alert(), alert("b", severity="critical")])))[0] == 200
    assert (await post.tell(ENDED))[0] == 503
    assert post.files() == before


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (None, 401),
        ("", 403),
        ("Bearer", 403),
        (f"Bearer {TOKEN[:-1]}", 403),
        (f"Bearer {TOKEN}x", 403),
        (f"Token {TOKEN}", 403),
        ("Basic %%%", 403),
    ],
)
async def test_nobody_tells_without_the_token(post: Post, token: str | None, status: int) -> None:
    """No token is 401, a wrong one 403; one plain sentence, and nothing is written, whatever the body."""
    for body in (FIRING, b"{"):
        found, said = await post.tell(body, token)
        assert (found, said.count("\n"), post.files()) == (status, 1, {})


async def test_no_page_of_another_site_tells(post: Post) -> None:
    """Not even with a browser that knows the token."""
    assert (await post.tell(FIRING, Origin="https://evil.example.com"))[0] == 403


@pytest.mark.parametrize("post", [(None,)], indirect=True)
async def test_without_a_setting_there_is_nothing(post: Post) -> None:
    """404 for everybody."""
    assert (await post.tell(FIRING))[0] == 404
    assert (await post.tell(FIRING, None))[0] == 404


async def test_bad_bodies_are_refused(post: Post) -> None:
    """One sentence, and nothing is written."""
    for body, status in ((b"", 400), (b"[]", 400), (FIRING[:-9], 400), (b"x" * 5_000_000, 413)):
        found, said = await post.tell(body)
        assert (found, said.count("\n"), post.files()) == (status, 1, {})
    assert (await post.tell(gzip.compress(FIRING), Content_Encoding="gzip"))[0] == 415
    async with post.clients[0].get("/alertmanager", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        assert answer.status == 405


async def test_the_largest_outage_is_taken(post: Post) -> None:
    """Some thousand alerts in one notification, again and again."""
    storm = notification([alert(f"host-{number}", severity="critical") for number in range(5000)])
    assert len(storm) > 1_000_000
    assert (await post.tell(storm))[0] == 200
    assert post.incident().severity == "sev1"
    before = post.files()
    assert (await post.tell(storm))[1].endswith("(it is known)\n")
    assert post.files() == before


async def test_trouble_is_to_be_tried_again(post: Post) -> None:
    """A folder that cannot be written, or an inbox: 503, and Alertmanager tells again."""
    post.folder.write_text("no folder")
    assert (await post.tell(FIRING))[0] == 503
    post.folder.unlink()
    post.inbox.trouble = InboxFullError("over 1000 wait")
    assert (await post.tell(FIRING))[0] == 503
    post.inbox.trouble = None
    assert (await post.tell(FIRING))[0] == 200


@pytest.mark.parametrize("trouble", ["away", "ledger", "ledger from the start"])
async def test_what_nobody_has_judged_is_kept(post: Post, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    """While no daemon runs, or its ledger cannot be used, it waits in the inbox, where the daemon judges it from memory
    (rule 54): 200 that says so, since told again it would wait twice. Told again all the same it is declared once, as
    soon as it is judged.
    """
    monkeypatch.setattr(judged, "WAITS", 0.4)
    if trouble == "ledger from the start":
        post.last_known = None
        await post.start()
    post.inbox.away, post.ledger.trouble = trouble == "away", "" if trouble == "away" else "disk full"
    for _ in range(2):
        assert await post.tell(FIRING) == (200, f"{KEPT}\n")
    assert post.files() == {}
    post.inbox.away, post.ledger.trouble = False, ""
    post.clock.go(timedelta(hours=1))
    await post.inbox.look()
    assert post.incident().title == "Errors on a"
    assert [arrival[1] for arrival in post.ledger.pages.arrivals] == ["declared", "nothing"]


async def test_unknown_services_are_told(post: Post) -> None:
    """In the answer and in the log; the incident has the others."""
    told = notification([alert(service="checkout"), alert("b", service="no such")])
    with capture_logs() as lines:
        assert (await post.tell(told))[1].endswith(": declared; there is no service no such\n")
    assert post.incident().services == ("checkout",)
    (line,) = (line for line in lines if line["event"] == "alerts")
    assert (line["did"], line["unknown_services"]) == ("declared", ["no such"])


async def test_the_newest_of_many_counts(post: Post) -> None:
    """Of ten incidents of one day that people resolved, the tenth says which alerts are known: by number, not letters."""
    await post.tell(FIRING)
    post.rewrite("status: investigating", "status: resolved")
    ((name, text),) = post.files().items()
    ignorant = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("# alertmanager"))
    for number in range(2, 11):
        (post.folder / name.replace(".yaml", f"-{number}.yaml")).write_text(text if number == 10 else ignorant)
    (post.folder / name).write_text(ignorant)
    assert (await post.tell(FIRING))[1].startswith(f"{name.removesuffix('.yaml')}-10: nothing")
    assert len(post.files()) == 10


async def test_an_id_that_the_ledger_knows_is_never_given_again(post: Post) -> None:
    """An incident that was archived keeps its id: the next one of its group and day has another."""
    await post.tell(FIRING)
    incident, ((name, _),) = post.incident(), post.files().items()
    await post.ledger.record(incident.id, [Seen(T0, incident, "d")], [], [])
    ended = Incident(incident.id, incident.title, incident.severity, Status.RESOLVED, declared_by="Alertmanager")
    await post.ledger.record(incident.id, [Seen(T0 + timedelta(minutes=1), ended, "e")], [], [])
    (post.folder / name).unlink()
    assert (await post.tell(notification([alert(began=300)])))[1] == f"{incident.id}-2: declared\n"


class SharedFolder(IncidentFiles):
    """A folder in which a person saves a file just before our first edit of it."""

    before, after = "", ""

    def change(self, name: str, edit: Any) -> bool:
        """The person first."""
        if self.before:
            path = self.folder / name
            path.write_text(path.read_text().replace(self.before, self.after))
            self.before = ""
        return super().change(name, edit)


def read(body: bytes) -> AlertEntry:
    """What a notification comes to."""
    group = read_notification(body)
    assert isinstance(group, AlertGroup)
    (entry,) = alert_entries(group, ALERTS, lambda _: 0, iter(["reference"]))
    return entry


def texts(folder: Path) -> list[str]:
    """What the incident files hold."""
    return [path.read_text() for path in folder.glob("*.yaml")]


async def test_what_a_person_saves_meanwhile_is_looked_at_anew(tmp_path: Path) -> None:
    """An end that meets an edit is made on top of it; a worse alert that meets a resolution is a new incident, and what
    was resolved stays as its person left it.
    """
    folder, ledger, policy = SharedFolder(tmp_path), MemoryLedger(), shipped_policy()
    alerts, meaning = AlertIncidents(folder), Meaning(ALERTS, policy)

    async def tell(body: bytes, before: str = "", after: str = "") -> Action:
        folder.before, folder.after = before, after
        return (await alerts.apply(read(body), meaning, policy, ledger, T0, T0)).action

    assert await tell(FIRING) is Action.DECLARED
    worse = notification([alert(), alert("b", 1, severity="critical")])
    assert await tell(worse, "status: investigating", "status: resolved") is Action.DECLARED
    resolved, other = sorted(texts(tmp_path), key=lambda text: "status: resolved" not in text)
    assert "severity: sev3" in resolved
    assert "status: investigating" in other
    end = notification([alert(ended=9), alert("b", 1, 9)])
    assert await tell(end, "title:", "# call the shop\ntitle:") is Action.RESOLVED
    assert any("# call the shop" in text and "stopped firing" in text for text in texts(tmp_path))


async def test_alerts_touch_no_incident_of_a_person_that_is_called_like_theirs(tmp_path: Path) -> None:
    """An id may end in any word, and a group's short name may be one: what a person declared is not the group's."""
    folder, ledger, policy = SharedFolder(tmp_path), MemoryLedger(), shipped_policy()
    alerts, meaning, theirs = AlertIncidents(folder), Meaning(ALERTS, policy), read(FIRING)
    own = tmp_path / f"2026-11-23-payments-fail-at-{theirs.group}.yaml"
    own.write_text("title: Payments fail\nseverity: sev3\ndeclared_by: Carol\n")
    assert (await alerts.apply(theirs, meaning, policy, ledger, T0, T0)).action is Action.DECLARED
    assert own.read_text() == "title: Payments fail\nseverity: sev3\ndeclared_by: Carol\n"
    assert (await alerts.apply(theirs, meaning, policy, ledger, T0, T0)).action is Action.NOTHING
    assert len(texts(tmp_path)) == 2
