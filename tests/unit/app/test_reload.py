"""The config in force while the daemon runs, on real files and virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tocsin.adapters.files.fingerprint import Fingerprint, fingerprint
from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.configuration.load import digest_of
from tocsin.app.delivery.transports import Transports
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.one_folder import OneFolder
from tocsin.app.intake.watch import Watch
from tocsin.app.lifecycle import reload
from tocsin.app.lifecycle.reload import ConfigReader, Reload
from tocsin.app.lifecycle.startup import StartError, load_at_start
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Incident
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import MAIN, Channel
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.ports.bounded_work import Overrun, OverrunCause
from tocsin.ports.renderer import TemplateFiles, TemplateVerdict

from tests.builders.loading import load
from tests.fakes.bounded_work import JUDGE, SameProcess
from tests.fakes.folder import FakeFolder
from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import StillHangsError, VirtualClock, run_virtually
from tests.fakes.pager import CONFIG, SETTINGS
from tests.fakes.transport import MemoryTransport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    return tmp_path / "config"


class CountingTemplates:
    """A port Templates that counts how often it was fitted to a config, and has something to complain of."""

    def __init__(self) -> None:
        self.loads: list[Path] = []
        self.problems: tuple[Problem, ...] = ()
        self.unread: tuple[Problem, ...] = ()

    def read(self, folder: Path) -> TemplateFiles:
        return TemplateFiles(folder, {}, unread=self.unread)

    def prepare(self, files: TemplateFiles, verdict: TemplateVerdict) -> None:
        pass

    def use(self, files: TemplateFiles, verdict: TemplateVerdict) -> tuple[Problem, ...]:
        self.loads.append(files.folder)
        return self.problems


class Daemon:
    """What a reload touches, begun on a config folder."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.folder, self.clock = folder, clock
        self.ledger, self.notices, self.templates = MemoryLedger(), Notices(clock), CountingTemplates()
        self.agenda = Agenda()
        self.incidents = Incidents(self.agenda)
        self.files = FakeFolder()
        self.work = SameProcess()

    async def begin(self, *, shared: bool = False) -> "Daemon":
        """Load the config as a start does; `shared`: other machines use the ledger too."""
        before = fingerprint((self.folder, self.folder.parent / "templates"))
        clock, ledger, notices, folder = self.clock, self.ledger, self.notices, self.folder
        self.started = started = await load_at_start(
            load(folder, clock.now(), {}), ledger, folder, {}, clock.now(), JUDGE, shared=shared
        )
        self.config = ActiveConfig(started.policy, started.settings)
        reader = ConfigReader(folder, {}, clock, ledger, self.config, notices, started, ConfigJudge(self.work))
        self.transports = Transports(
            started.settings, lambda _settings: {via: {MAIN: MemoryTransport()} for via in Channel}
        )
        news = OneFolder(ledger, self.config, self.incidents, notices, lambda _save: None)
        self.watch = Watch(clock, self.config, notices, self.files, Intake({}), news)
        self.reload = Reload(
            clock, reader, self.config, self.transports, self.templates, self.watch, self.incidents, notices, before
        )
        return self

    def write(self, name: str, old: str = "", new: str = "") -> None:
        """Change a file of the config."""
        path = self.folder / name
        path.write_text(path.read_text().replace(old, new) if old else path.read_text() + new)

    def causes(self) -> list[str]:
        """What operators are to hear."""
        return [notice.cause for notice in self.notices.take()]


def on_reload(folder: Path, story: Callable[[Daemon], Awaitable[None]], *, shared: bool = False) -> Daemon:
    """Begin, then let a story happen on virtual time."""

    async def life(clock: VirtualClock) -> Daemon:
        daemon = await Daemon(folder, clock).begin(shared=shared)
        await story(daemon)
        return daemon

    daemon: Daemon = run_virtually(life)
    return daemon


def live(folder: Path, meanwhile: Callable[[], object], seconds: float = 10) -> tuple[str, list[OperatorNotice], int]:
    """What is in force some seconds after a start during which something happened: ana's address, what operators
    heard, how often everything was fitted to a config.
    """

    async def story(daemon: Daemon) -> None:
        meanwhile()
        running = asyncio.create_task(daemon.reload.run())
        await asyncio.sleep(seconds)
        running.cancel()

    daemon = on_reload(folder, story)
    address = daemon.config.policy.people["ana"].email
    return address, list(daemon.notices.take()), len(daemon.templates.loads)


def test_a_config_written_while_the_daemon_starts_is_not_missed(folder: Path) -> None:
    """What changes after the config was read and before its folder is looked at for the first time counts all the same."""
    moved = CONFIG.replace("ana@example.com", "ana@example.org")
    assert live(folder, lambda: (folder / "all.yaml").write_text(moved)) == ("ana@example.org", [], 1)


def test_templates_written_while_the_daemon_starts_are_not_missed(folder: Path) -> None:
    """The template folder is fitted in again too when a file appears during the start."""
    template = folder.parent / "templates" / "page.email.txt.j2"
    assert live(folder, lambda: template.write_text("Wake up.")) == ("ana@example.com", [], 1)


def test_a_config_that_rests_is_read_once(folder: Path) -> None:
    """Nothing changed, nothing is read again."""
    assert live(folder, lambda: None, 600) == ("ana@example.com", [], 0)


def test_a_refused_config_leaves_the_good_one_in_force(folder: Path) -> None:
    """P8: operators hear the place, and the address of before still counts."""
    email, told, turns = live(folder, lambda: (folder / "all.yaml").write_text(CONFIG.replace("chain:", "chains:")))
    assert (email, turns) == ("ana@example.com", 0)
    assert told
    assert "all.yaml:7:" in told[0].text


def test_a_config_that_comes_to_no_end_is_refused(folder: Path) -> None:
    """R1: what hangs or eats memory in judging leaves the good one in force; operators hear which file."""

    async def story(daemon: Daemon) -> None:
        daemon.work.overruns = [
            Overrun(OverrunCause.TIME, "takes over 10 s", "config/pay.ics", (("config/pay.ics", 9.8),))
        ]
        await daemon.reload.reload()

    daemon = on_reload(folder, story)
    (notice,) = daemon.notices.take()
    assert (notice.trouble, daemon.templates.loads) == (Trouble.CONFIG_REFUSED, [])
    assert notice.text.startswith(
        "config/pay.ics:1:1: error: reading the whole config takes over 10 s, 9.8 s of it this file; simplify it"
    )


def test_a_busy_machine_refuses_no_config(folder: Path) -> None:
    """Rule 73: a config that got no processor is judged again, and nobody is told of a bad one."""

    async def story(daemon: Daemon) -> None:
        daemon.work.overruns = [Overrun(OverrunCause.MACHINE, "got 0.1 s of the processor within 30 s")]
        (folder / "all.yaml").write_text(CONFIG.replace("ana@example.com", "ana@example.org"))
        running = asyncio.create_task(daemon.reload.run())
        await asyncio.sleep(20)
        running.cancel()

    daemon = on_reload(folder, story)
    assert daemon.config.policy.people["ana"].email == "ana@example.org"
    assert daemon.notices.take() == ()


def test_what_a_config_leaves_out_is_logged_once(folder: Path) -> None:
    """As at a start: the shifts of a calendar that cannot be read are not lost in silence."""

    async def story(daemon: Daemon) -> None:
        event = "UID:1\nSUMMARY:ana\nDTSTART:20260101T000000Z\nDTEND:20260102T000000Z\nRRULE:FREQ=DAILY;INTERVAL=0"
        calendar = f"BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR\n"
        (daemon.folder / "pay.ics").write_text(calendar)
        (daemon.folder / "rotation.yaml").write_text("rotations:\n  pay: {calendar: pay.ics}\n")
        with capture_logs() as logs:
            await daemon.reload.reload()
            await daemon.reload.reload()
        texts = [line["text"] for line in logs if line["event"] == "advice"]
        assert len([text for text in texts if "cannot be read and is left out" in text]) == 1
        assert len([text for text in texts if "names nobody from now on" in text]) == 1

    on_reload(folder, story)


def test_what_a_reload_meets_ends_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R1: a fault of ours in a reload is told, and the next one goes well."""

    async def story(daemon: Daemon) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(daemon.transports, "apply", lambda _settings: 1 / 0)
            await daemon.reload.reload()
        (notice,) = daemon.notices.take()
        assert "ZeroDivisionError" in notice.text
        await daemon.reload.reload()
        assert daemon.templates.loads

    on_reload(folder, story)


def test_settings_count_from_the_reload_on(folder: Path) -> None:
    """Heartbeat, replies and where answers come in are those of the new file at once; nothing needs a restart."""

    async def story(daemon: Daemon) -> None:
        assert daemon.config.settings.heartbeat.url is None
        assert daemon.config.reply_routes.public_url == ""
        new = "public_url: https://tocsin.example.com\nheartbeat: {url: https://switch.example.com/a}\n"
        daemon.write("tocsin.yaml", new=new)
        await daemon.reload.reload()

    daemon = on_reload(folder, story)
    assert daemon.config.settings.heartbeat.url == "https://switch.example.com/a"
    assert daemon.config.reply_routes.public_url == "https://tocsin.example.com"
    assert daemon.causes() == []


def test_everything_is_fitted_to_a_new_config(folder: Path) -> None:
    """Transports are made anew from the new settings, templates are read, the folder and every incident looked at."""

    async def story(daemon: Daemon) -> None:
        before = daemon.transports.get(Channel.EMAIL, MAIN)
        daemon.incidents.load("pay", [Seen(daemon.clock.now(), Incident("pay", "Pay", "sev1"), "d")])
        daemon.write("tocsin.yaml", "incidents@example.com", "pages@example.com")
        await daemon.reload.reload()
        assert daemon.transports.get(Channel.EMAIL, MAIN) is not before
        assert daemon.templates.loads == [daemon.config.settings.templates]
        assert daemon.watch._poked.is_set()
        assert await asyncio.wait_for(daemon.agenda.take(), 1) == "pay"

    on_reload(folder, story)


def test_a_policy_alone_leaves_the_transports(folder: Path) -> None:
    """Connections that work are kept when only people have changed."""

    async def story(daemon: Daemon) -> None:
        before = daemon.transports.get(Channel.EMAIL, MAIN)
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        await daemon.reload.reload()
        assert daemon.transports.get(Channel.EMAIL, MAIN) is before
        assert daemon.config.policy.people["ana"].email == "ana@example.org"

    on_reload(folder, story)


def test_a_refused_config_fits_nothing(folder: Path) -> None:
    """P8: neither policy nor settings change, nothing is read or made anew; each problem is told with its place."""

    async def story(daemon: Daemon) -> None:
        policy, in_force = daemon.config.policy, daemon.config.settings
        daemon.write("tocsin.yaml", "Incidents <incidents@example.com>", "Pages <pages@example.com>")
        daemon.write("all.yaml", "chain:", "chains:")
        await daemon.reload.reload()
        assert (daemon.config.policy, daemon.config.settings) == (policy, in_force)
        assert daemon.templates.loads == []
        assert not daemon.watch._poked.is_set()

    causes = on_reload(folder, story).causes()
    assert causes
    assert all(cause.startswith("config-refused:") for cause in causes)


def test_where_messages_go_needs_a_restart(folder: Path) -> None:
    """A commit sends neither messages nor secrets to another host within seconds: it is told, and the way stays."""

    async def story(daemon: Daemon) -> None:
        before = daemon.config.settings
        daemon.write("tocsin.yaml", "email: {", "email: {transport: smtp, host: evil.example.com, ")
        daemon.write("tocsin.yaml", new="heartbeat: {every: 90s}\n")
        await daemon.reload.reload()
        (notice,) = daemon.notices.take()
        assert "tocsin.yaml: email.transport (from outbox to smtp), email.host (from nothing to " in notice.text
        assert daemon.config.settings.email == before.email
        assert daemon.config.settings.heartbeat.every == timedelta(seconds=90)

    on_reload(folder, story)


def test_what_needs_a_restart_is_told(folder: Path) -> None:
    """Operators hear which setting waits, and the rest counts; put back, it is told no more."""

    async def story(daemon: Daemon) -> None:
        daemon.write("tocsin.yaml", new="incidents: ../elsewhere\nheartbeat: {every: 90s}\n")
        await daemon.reload.reload()
        (notice,) = daemon.notices.take()
        assert "incidents changed" in notice.text
        assert "restart" in notice.text
        assert daemon.config.settings.heartbeat.every == timedelta(seconds=90)
        daemon.write("tocsin.yaml", "incidents: ../elsewhere\n", "\n")
        await daemon.reload.reload()

    assert on_reload(folder, story).causes() == []


def test_the_ledger_keeps_what_came_into_force(folder: Path) -> None:
    """A new content once, with the instant since which it counts; the same content again changes neither."""

    async def story(daemon: Daemon) -> None:
        since = daemon.config.policy.since
        assert since == daemon.clock.now()
        await asyncio.sleep(60)
        await daemon.reload.reload()
        assert daemon.config.policy.since == since
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        await daemon.reload.reload()
        assert daemon.config.policy.since == daemon.clock.now()
        kept = await daemon.ledger.last_good_config()
        assert kept is not None
        assert b"ana@example.org" in kept.files["all.yaml"]
        assert [(config.since, config.templates) for config in daemon.ledger.pages.configs] == [
            (since, None), (since, {}), (daemon.clock.now(), {}),
        ], "the templates of the first reload, then the config of the second one"  # fmt: skip

    on_reload(folder, story)


def test_a_config_is_named_once_it_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads of it in the log finds it in force after a kill, and on the machine that takes over (P9)."""

    async def story(daemon: Daemon) -> None:
        keep = daemon.ledger.record_config

        async def keep_silently(*args: Any) -> None:
            assert "config" not in [line["event"] for line in lines]
            await keep(*args)

        monkeypatch.setattr(daemon.ledger, "record_config", keep_silently)
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        with capture_logs() as lines:
            await daemon.reload.reload()
        assert "config" in [line["event"] for line in lines]

    on_reload(folder, story)


def test_a_full_ledger_does_not_keep_a_good_config_out(folder: Path) -> None:
    """It counts all the same; only the copy is missing."""

    async def story(daemon: Daemon) -> None:
        daemon.ledger.trouble = "disk full"
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        await daemon.reload.reload()

    assert on_reload(folder, story).config.policy.people["ana"].email == "ana@example.org"


def test_templates_that_cannot_be_used_are_told(folder: Path) -> None:
    """With the place; the config is in force all the same."""

    async def story(daemon: Daemon) -> None:
        fault = Problem("templates/page.sms.txt.j2", 2, 1, ProblemLevel.ERROR, "bad-template", "no such filter")
        daemon.templates.problems = (fault,)
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        await daemon.reload.reload()

    daemon = on_reload(folder, story)
    (notice,) = daemon.notices.take()
    assert "templates/page.sms.txt.j2:2:1" in notice.text
    assert daemon.config.policy.people["ana"].email == "ana@example.org"


def test_what_was_put_right_before_it_was_told_is_not_told(folder: Path) -> None:
    """Rule 39: a setting that was put back, another that changed instead, and a template that was mended."""

    async def story(daemon: Daemon) -> None:
        faults = [
            Problem(f"templates/{name}.j2", 2, 1, ProblemLevel.ERROR, "bad-template", "no")
            for name in ("page", "update")
        ]
        daemon.notices.tell_template(replace(faults[0], message="broke while a page was rendered"))
        daemon.templates.problems = tuple(faults)
        daemon.write("tocsin.yaml", new="incidents: ../elsewhere\n")
        await daemon.reload.reload()
        daemon.templates.problems = (faults[1],)
        daemon.write("tocsin.yaml", "incidents: ../elsewhere\n", "outbox: ../elsewhere\n")
        await daemon.reload.reload()
        waiting = [waits.notice for waits in daemon.notices._waiting.values()]
        assert [notice.text.partition(" changed")[0] for notice in waiting if "tocsin.yaml" in notice.text] == [
            "tocsin.yaml: outbox"
        ]
        assert [notice.about[:24] for notice in waiting if notice.trouble is Trouble.TEMPLATE_BROKEN] == [
            "templates/page.j2:2:1: e",
            "templates/update.j2:2:1:",
        ]
        daemon.templates.problems = ()
        daemon.write("tocsin.yaml", "outbox: ../elsewhere\n", "\n")
        await daemon.reload.reload()

    assert on_reload(folder, story).causes() == []


def test_calendars_are_read_again_each_day(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so much of their future is held; nothing else need change."""
    monkeypatch.setattr(reload, "LOOKS_EVERY", 60.0)  # a day of looks each 2 s is long
    assert live(folder, lambda: None, 25 * 3600)[2] == 1


def test_a_folder_that_is_being_written_is_read_once_it_rests(folder: Path) -> None:
    """A change counts when two looks find the same: half a checkout is no config."""

    async def story(daemon: Daemon) -> None:
        running = asyncio.create_task(daemon.reload.run())
        for number in range(10):
            (folder / f"part{number}.yaml").write_text("people: {}\n")
            await asyncio.sleep(1.5)
        assert daemon.templates.loads == []
        await asyncio.sleep(6)
        running.cancel()
        assert len(daemon.templates.loads) == 1

    on_reload(folder, story)


def test_a_start_with_a_broken_config_goes_on_with_the_last_good_one(folder: Path) -> None:
    """Rule 43: from the ledger, since when it counted; without one the start says why it cannot be."""

    async def story(daemon: Daemon) -> None:
        since = daemon.config.policy.since
        await asyncio.sleep(60)
        daemon.write("all.yaml", "chain:", "chains:")
        reading = load(folder, daemon.clock.now(), {})
        started = await load_at_start(reading, daemon.ledger, folder, {}, daemon.clock.now(), JUDGE)
        assert started.policy.people["ana"].email == "ana@example.com"
        assert started.policy.since == since
        assert started.refused
        with pytest.raises(StartError) as refusal:
            await load_at_start(reading, MemoryLedger(), folder, {}, daemon.clock.now(), JUDGE)
        assert any("all.yaml:7:" in reason for reason in refusal.value.reasons)

    on_reload(folder, story)


def test_a_start_with_another_good_config_begins_it_now(folder: Path) -> None:
    """What stands on the disk counts from this start, and the ledger keeps it."""

    async def story(daemon: Daemon) -> None:
        await asyncio.sleep(60)
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        reading = load(folder, daemon.clock.now(), {})
        started = await load_at_start(reading, daemon.ledger, folder, {}, daemon.clock.now(), JUDGE)
        assert started.policy.since == daemon.clock.now()
        assert started.refused == ()
        assert len(daemon.ledger.pages.configs) == 2

    on_reload(folder, story)


def test_a_machine_whose_disk_lags_behind_goes_on_with_the_newest_config(folder: Path) -> None:
    """P9: an older one of a shared ledger's configs on the disk of who takes the lead gives way to the newest, also at
    each reload and beside another tocsin.yaml, until the disk has another one. What another machine had in force and
    this one has too begins no new config.
    """

    async def story(daemon: Daemon) -> None:
        old = (folder / "all.yaml").read_text()
        await asyncio.sleep(60)
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        await daemon.begin(shared=True)
        newest = daemon.config.policy
        assert all("tocsin.yaml" not in config.files for config in daemon.ledger.pages.configs)
        await asyncio.sleep(60)
        configs = daemon.ledger.pages.configs
        configs[:] = [replace(config, sealed=True) for config in configs]  # as PostgreSQL vouches for all it keeps
        (folder / "all.yaml").write_text(old)
        daemon.write("tocsin.yaml", new="organisation: Other\n")
        await daemon.begin(shared=True)
        assert daemon.started.behind
        for _ in range(2):
            policy = daemon.config.policy
            assert (policy.people["ana"].email, policy.since) == ("ana@example.org", newest.since)
            assert policy.revision == newest.revision
            await daemon.reload.reload()
        assert daemon.config.settings.organisation == "Other"
        (folder / "all.yaml").write_text(old.replace("ana@example.com", "ana@example.org"))
        await daemon.reload.reload()
        assert daemon.config.policy.since == newest.since
        assert daemon.ledger.pages.configs[-1].since == newest.since
        daemon.write("all.yaml", "ana@example.org", "ana@example.net")
        await daemon.reload.reload()
        assert daemon.config.policy.people["ana"].email == "ana@example.net"
        assert daemon.ledger.pages.configs[-1].since == daemon.clock.now()
        assert daemon.config.digest == digest_of(daemon.ledger.pages.configs[-1].files), "without tocsin.yaml"
        (folder / "all.yaml").write_text(old)
        await daemon.reload.reload()
        assert daemon.config.policy.people["ana"].email == "ana@example.com", "who leads may go back"

    on_reload(folder, story, shared=True)


def test_alone_an_older_config_on_the_disk_counts(folder: Path) -> None:
    """With SQLite the disk's config is in force from the start on, whatever the ledger knows (rule 43)."""

    async def story(daemon: Daemon) -> None:
        old = (folder / "all.yaml").read_text()
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        await daemon.begin()
        (folder / "all.yaml").write_text(old)
        await daemon.begin()
        assert daemon.config.policy.people["ana"].email == "ana@example.com"
        assert not daemon.started.behind

    on_reload(folder, story)


def test_a_config_of_the_future_counts_from_now(folder: Path) -> None:
    """Rule 59: recorded by a clock that was ahead, it makes nobody wait, whether the ledger can be put right or not."""

    async def story(daemon: Daemon) -> None:
        now = daemon.clock.now()
        last = daemon.ledger.pages.configs[-1]
        daemon.ledger.pages.configs.append(replace(last, since=now + timedelta(hours=1)))
        started = await load_at_start(load(folder, now, {}), daemon.ledger, folder, {}, now, JUDGE)
        assert started.policy.since == now

    on_reload(folder, story)


def unreadable(daemon: Daemon) -> Path:
    """A file of the config that its disk does not give: a link that leads nowhere stands for it."""
    path = daemon.folder / "all.yaml"
    path.rename(path.with_name("all.kept"))
    path.symlink_to("nowhere.yaml")
    return path


def readable(path: Path) -> None:
    """The disk is well again."""
    path.unlink()
    path.with_name("all.kept").rename(path)


def test_a_file_that_could_not_be_read_is_read_again(folder: Path) -> None:
    """Rule 73: an error of a moment at the very reload that a good edit asked for: nothing is refused nor told, and the
    edit counts some seconds later, without another one.
    """

    async def story(daemon: Daemon) -> None:
        running = asyncio.create_task(daemon.reload.run())
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        path = unreadable(daemon)
        await asyncio.sleep(8)
        assert daemon.config.policy.people["ana"].email == "ana@example.com"
        readable(path)
        await asyncio.sleep(10)
        running.cancel()

    daemon = on_reload(folder, story)
    assert daemon.config.policy.people["ana"].email == "ana@example.org"
    assert daemon.causes() == []


def test_what_stays_unreadable_is_told_after_a_minute(folder: Path) -> None:
    """Rule 73: with the place and since when, once; then it is read each minute, and its return is told."""

    async def story(daemon: Daemon) -> None:
        running = asyncio.create_task(daemon.reload.run())
        began_at = daemon.clock.now()
        path = unreadable(daemon)
        await asyncio.sleep(55)
        assert daemon.causes() == []
        await asyncio.sleep(75)
        (notice,) = daemon.notices.take()
        assert notice.cause == "config-unread"
        assert "all.yaml" in notice.text
        assert notice.since is not None
        assert notice.since - began_at < timedelta(seconds=10)
        await asyncio.sleep(600)
        assert daemon.causes() == []
        readable(path)
        await asyncio.sleep(65)
        assert [recovery.subject for recovery in daemon.notices.take_recovered() if "unread" in recovery.subject]
        running.cancel()

    on_reload(folder, story)


def test_a_template_that_could_not_be_read_is_read_again(folder: Path) -> None:
    """Rule 73: the templates of before go on, nothing is told, and it is tried again by itself."""

    async def story(daemon: Daemon) -> None:
        fault = Problem(
            "templates/page.sms.txt.j2", 1, 1, ProblemLevel.ERROR, "template-unreadable", "Input/output error"
        )
        daemon.templates.unread = (fault,)
        running = asyncio.create_task(daemon.reload.run())
        daemon.write("all.yaml", "ana@example.com", "ana@example.org")
        await asyncio.sleep(8)
        assert daemon.config.policy.people["ana"].email == "ana@example.org"
        assert daemon.templates.loads == []
        daemon.templates.unread = ()
        await asyncio.sleep(20)
        running.cancel()
        assert daemon.templates.loads == [daemon.config.settings.templates]

    assert on_reload(folder, story).causes() == []


def test_a_start_that_cannot_read_the_config_goes_on_with_the_last_good_one(folder: Path) -> None:
    """Rule 73: nothing is refused, and the config on disk counts as soon as it can be read; without a good one the start
    says what could not be read.
    """

    async def story(daemon: Daemon) -> None:
        path = unreadable(daemon)
        reading = load(folder, daemon.clock.now(), {})
        started = await load_at_start(reading, daemon.ledger, folder, {}, daemon.clock.now(), JUDGE)
        assert (started.refused, [fault.code for fault in started.unread]) == ((), ["unreadable-file"])
        with pytest.raises(StartError, match=r"all.yaml.*cannot be read"):
            await load_at_start(reading, MemoryLedger(), folder, {}, daemon.clock.now(), JUDGE)
        reader = ConfigReader(folder, {}, daemon.clock, daemon.ledger, daemon.config, daemon.notices, started, JUDGE)
        readable(path)
        await asyncio.sleep(1)
        assert reader.unread.due

    on_reload(folder, story)


def test_a_config_folder_that_hangs_is_told_and_its_return(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules 62, 73: within a minute and some seconds, with since when; its return too, though nothing has changed there."""

    async def story(daemon: Daemon) -> None:
        answers = asyncio.Event()

        def hung(_: object) -> Fingerprint:
            if answers.is_set():
                return fingerprint((daemon.folder, daemon.folder.parent / "templates"))
            raise StillHangsError(answers)

        monkeypatch.setattr("tocsin.app.lifecycle.reload.fingerprint", hung)
        running = asyncio.create_task(daemon.reload.run())
        await asyncio.sleep(58)
        assert daemon.causes() == []
        await asyncio.sleep(10)
        (notice,) = daemon.notices.take()
        assert "does not answer" in notice.text
        assert notice.since == daemon.clock.now() - timedelta(seconds=66)
        answers.set()
        await asyncio.sleep(5)
        assert [recovery.trouble for recovery in daemon.notices.take_recovered()][-1:] == [Trouble.CONFIG_UNREAD]
        assert daemon.causes() == []
        running.cancel()

    on_reload(folder, story)
