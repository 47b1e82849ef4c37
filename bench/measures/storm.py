"""A storm: 1,000 incidents in 60 s over 20 people on call, a relay of 50 mails/s and an SMS account of 10/s.

Eighteen people answer `ok all` half a minute after an SMS that asks them, as somebody would who has to find the phone
first, or two minutes after a mail; two sleep through it, each alone on a service of their own. A few services have most
of the trouble, as when one database is down. What is reported is read from the ledger and compared with what truly
arrived.
"""

import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure, Found
from bench.processes import wait
from bench.rounds import Scale
from bench.world import ROOT, TOCSIN, folder

ACCOUNT, TOKEN, OURS = "AC" + "0" * 32, "secret", "+15005550006"
PEOPLE, AWAKE = 20, 18
MIX = {"sev1": 0.01, "sev2": 0.39, "sev3": 0.60}
ASKS = re.compile(r"\b(ok|pass) ([A-Z]\d|\d\d|all)\b", re.IGNORECASE)
SYMPTOMS = ("is slow", "answers 502", "queue grows", "replica lags", "disk fills", "certificate fails", "jobs fail")

SETTINGS = """
operators: [p0]
last_resort: [p1]
public_url: null
email: {{transport: smtp, host: 127.0.0.1, port: {port}, security: none, sender: "Incidents <incidents@example.com>"}}
sms: {{transport: twilio, account_sid: {account}, api_url: '{url}', sender: "{ours}"}}
"""
LIMITS = "limits: {{sms: {{burst: 3, every: {sms:.0f}s}}, email: {{burst: 10, every: {email:.0f}s}}}}\n"
CONFIG = """
severities:
  sev1:
    page:
      roles: [incident_commander, technical_lead]
      via: [sms, email]
      acknowledge_within: {minute_5:.0f}s
      rounds: 9
    updates: [{{to: [support], every: 30m}}]
  sev2:
    page: {{roles: [technical_lead], via: [sms, email], acknowledge_within: {minute_5:.0f}s, rounds: 9}}
    updates: [{{to: [support], every: 1h}}]
  sev3: {{page: {{roles: [technical_lead], via: [email], acknowledge_within: 1h}}}}
stakeholders: {{support: {{emails: [support@example.com], external: false}}}}
roles:
  incident_commander: {{title: Incident Commander, chain: [commanders.on_call, commanders.next]}}
  technical_lead: {{title: Technical Lead, chain: [commanders.next]}}
"""


@dataclass(frozen=True)
class Size:
    """How large the storm is: incidents, the seconds in which they come, and what a minute lasts in it."""

    incidents: int
    seconds: float
    minute: float

    def thinks(self, truth: str) -> float:
        """Seconds from a page, by that provider, to the answer of somebody awake."""
        return self.minute * (0.5 if truth == "twilio" else 2)


FULL, QUICK = Size(1000, 60.0, 60.0), Size(200, 12.0, 12.0)


class Storm:
    """The two providers, the daemon between them, and the people."""

    def __init__(self, base: Path, size: Size) -> None:
        self.base, self.size = base, size
        self.dice = random.Random(9)
        self.declared: dict[str, float] = {}
        self.severity: dict[str, str] = {}
        self.replies: Counter[str] = Counter()
        self._answers_at: dict[str, float] = {}
        self._read = {"twilio": 0, "smtp": 0}
        for name in ("config", "incidents"):
            (base / name).mkdir()
        shutil.copytree(ROOT / "templates", base / "templates")
        self.running: list[subprocess.Popen[str]] = []
        relay = self._serve("smtp", "--rate", "50")
        self.twilio = self._serve("twilio", "--rate", "10", "--account", ACCOUNT, "--token", TOKEN, "--number", OURS)
        places = {"port": json.loads(_line(relay))["port"], "url": json.loads(_line(self.twilio))["url"]}
        minute = size.minute
        settings = SETTINGS.format(account=ACCOUNT, ours=OURS, **places)
        if minute != 60:
            settings += LIMITS.format(sms=2 * minute, email=minute)
        (base / "config" / "tocsin.yaml").write_text(settings)
        (base / "config" / "all.yaml").write_text(CONFIG.format(minute_5=5 * minute) + "".join(_people()))

    def _serve(self, name: str, *more: str) -> "subprocess.Popen[str]":
        truth = self.base / f"{name}.truth"
        truth.touch()
        process = subprocess.Popen(
            [sys.executable, "-m", f"tests.fakes.{name}_server", "--log", str(truth), *more],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True,
        )  # fmt: skip
        self.running.append(process)
        return process

    def start(self) -> None:
        """Start the daemon."""
        log = self.base / "log"
        environ = {"PATH": "/usr/bin:/bin", "TOCSIN_SMS__AUTH_TOKEN": TOKEN}
        with log.open("wb") as errors:
            daemon = subprocess.Popen(
                [TOCSIN, "run"], cwd=self.base, env=environ, stderr=errors, stdin=subprocess.DEVNULL, text=True
            )
        self.running.append(daemon)
        wait(lambda: '"ready"' in log.read_text() or daemon.poll() is not None, 60)
        if daemon.poll() is not None:
            raise RuntimeError(log.read_text()[-2000:])
        time.sleep(2)

    def blow(self) -> None:
        """Drop the files, and let people answer, until ten minutes of the storm's are over."""
        severities = [name for name, part in MIX.items() for _ in range(round(part * self.size.incidents))]
        self.dice.shuffle(severities)
        weights = [1 / (place + 1) for place in range(AWAKE)] + [0.1] * (PEOPLE - AWAKE)
        began = time.time()
        for number, severity in enumerate(severities):
            service = self.dice.choices(range(PEOPLE), weights)[0]
            while time.time() < began + self.size.seconds * number / len(severities):
                self.answer()
                time.sleep(0.02)
            self._declare(f"i{number:04}", severity, service)
        while time.time() < began + 10.5 * self.size.minute:
            self.answer()
            time.sleep(0.05)

    def _declare(self, name: str, severity: str, service: int) -> None:
        hidden = self.base / "incidents" / f".{name}.new"
        title = f"{name} service {service} {self.dice.choice(SYMPTOMS)}"
        hidden.write_text(f"title: {title}\nseverity: {severity}\nservices: [s{service}]\n")
        self.declared[name], self.severity[name] = time.time(), severity
        hidden.rename(self.base / "incidents" / f"{name}.yaml")

    def answer(self) -> None:
        """Read what came in; whoever is awake and asked answers `ok all` a little later, once for all that came."""
        for truth in self._read:
            for message in self._arrivals(truth):
                asked = _asked(message)
                if asked is not None and asked < AWAKE:
                    number, at = f"+14155550{100 + asked}", time.time() + self.size.thinks(truth)
                    self._answers_at[number] = min(at, self._answers_at.get(number, at))
        for number in [number for number, at in self._answers_at.items() if at <= time.time()]:
            del self._answers_at[number]
            self.replies[number] += 1
            assert self.twilio.stdin is not None
            self.twilio.stdin.write(json.dumps({"inbound": {"from": number, "to": OURS, "body": "ok all"}}) + "\n")
            self.twilio.stdin.flush()
            _line(self.twilio)

    def _arrivals(self, truth: str) -> list[dict[str, Any]]:
        """What a provider took since this was last asked."""
        found: list[dict[str, Any]] = []
        with (self.base / f"{truth}.truth").open() as file:
            file.seek(self._read[truth])
            for line in iter(file.readline, ""):
                if not line.endswith("\n"):
                    break
                self._read[truth] += len(line.encode())
                found.append(json.loads(line))
        return found

    def stop(self) -> None:
        """End everything."""
        for process in reversed(self.running):
            process.terminate()
            process.wait(40)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _asked(message: Mapping[str, Any]) -> int | None:
    """The number of the person whom a message asks for an answer, if it is a page."""
    if "body" in message:
        asks = message["direction"] != "inbound" and ASKS.search(message["body"])
        return int(message["to"][-2:]) if asks else None
    asks = "X-Tocsin-Kind: page" in message["data"]
    return int(message["to"].partition("@")[0][1:]) if asks else None


def _people() -> Sequence[str]:
    """Twenty people, a rotation for each service of those awake, and the two services of those asleep."""
    people = [
        f'  p{number}: {{name: Person {number}, email: p{number}@example.com, phone: "+14155550{100 + number}"}}\n'
        for number in range(PEOPLE)
    ]
    shift = '{{members: [{}], handoff: "0 9 * * mon", timezone: UTC, starts: 2026-01-05T09:00}}'
    members = {f"r{number}": [f"p{number}", f"p{(number + 1) % AWAKE}"] for number in range(AWAKE)}
    members["commanders"] = ["p14", "p15", "p16", "p17"]
    turns = [f"  {name}: {{shifts: [{shift.format(', '.join(who))}]}}\n" for name, who in members.items()]
    services = [
        f"  s{number}: {{roles: {{technical_lead: "
        f"{f'[r{number}.on_call, r{number}.next]' if number < AWAKE else f'[p{number}]'}}}}}\n"
        for number in range(PEOPLE)
    ]
    return ["people:\n", *people, "rotations:\n", *turns, "services:\n", *services]


@dataclass
class Page:
    """A page to one person for one incident, over all channels: when it was due, and when each channel took it."""

    incident: str
    person: str
    due: float
    taken: dict[str, float] = field(default_factory=dict)


class Story:
    """What became of the storm: by the ledger, and by what truly arrived."""

    def __init__(self, storm: Storm) -> None:
        self.storm = storm
        with sqlite3.connect(f"file:{storm.base}/var/tocsin.db?mode=ro", uri=True) as ledger:
            self.pages = _pages(ledger, storm.declared)
            answered = ledger.execute("select incident, body from facts where kind = 'Answered'")
            self.accepted = {(incident, json.loads(body).get("person")) for incident, body in answered}
            sids = ledger.execute(
                "select json_extract(outcome, '$.provider_id') from attempts join notifications using (key)"
                " where kind = 'page' and attempts.via = 'sms' and json_extract(outcome, '$.is') = 'Accepted'"
            ).fetchall()
        sent = map(json.loads, (storm.base / "twilio.truth").read_text().splitlines())
        self.paged: dict[str, list[float]] = defaultdict(list)
        there, said = set(), set(sids)
        for sms in sent:
            there.add(sms["sid"])
            if (sms["sid"],) in said:
                self.paged[sms["to"]].append(sms["at"])
        self.missing = {sid for (sid,) in sids} - there

    def waits(self, severity: str, *via: str) -> list[float]:
        """Seconds from the file, or of later steps from their instant, to the first provider's yes, of each page that
        left; worst last.
        """
        waits = [
            min(page.taken[channel] for channel in via if channel in page.taken) - page.due
            for page in self.pages
            if self.storm.severity[page.incident] == severity and any(channel in page.taken for channel in via)
        ]
        return sorted(waits)

    def first_waits(self, severity: str) -> list[float]:
        """The same, by any channel, of the first page of that severity that each person got."""
        first: dict[str, Page] = {}
        for page in sorted(self.pages, key=_due):
            if self.storm.severity[page.incident] == severity and page.taken:
                first.setdefault(page.person, page)
        return sorted(min(page.taken.values()) - page.due for page in first.values())

    def most_in(self, minutes: float, *, first: bool = False) -> int:
        """The most SMS pages that one person got in so many of the storm's minutes: the first, or any."""
        span, most = minutes * self.storm.size.minute, 0
        for times in self.paged.values():
            for begin in times[:1] if first else times:
                most = max(most, sum(begin <= at < begin + span for at in times))
        return most

    def lost(self) -> list[Page]:
        """Pages that no provider took, although the person has not answered for that incident."""
        unheard = [page for page in self.pages if not page.taken]
        return [page for page in unheard if (page.incident, page.person) not in self.accepted]

    def unpaged(self) -> set[str]:
        """Incidents for which nobody was ever to be paged."""
        return set(self.storm.declared) - {page.incident for page in self.pages}

    def unanswered(self) -> int:
        """Incidents of people awake that nobody accepted."""
        asleep = {f"p{number}" for number in range(AWAKE, PEOPLE)}
        concerned = {page.incident for page in self.pages if page.person not in asleep}
        return len(concerned - {incident for incident, _ in self.accepted})


def _pages(ledger: sqlite3.Connection, declared: Mapping[str, float]) -> list[Page]:
    rows = ledger.execute(
        'select incident, "to", min(reason), min(at), attempts.via, min(ended_at) from notifications left join attempts'
        " on attempts.key = notifications.key and json_extract(outcome, '$.is') = 'Accepted'"
        " where kind = 'page' and state <> 'held' group by 1, 2, attempts.via"
    )
    pages: dict[tuple[str, str], Page] = {}
    for incident, person, reason, due, via, at in rows:
        first = declared[incident] if reason == "declared" else datetime.fromisoformat(due).timestamp()
        page = pages.setdefault((incident, person), Page(incident, person, first))
        if at is not None:
            page.taken[via] = datetime.fromisoformat(at).timestamp()
    return list(pages.values())


def _due(page: Page) -> float:
    return page.due


def _late(waits: Sequence[float]) -> float:
    """The 99th of a hundred, of waits in order."""
    return waits[int(len(waits) * 0.99)] if waits else float("inf")


def storm(scale: Scale) -> Found:
    """Let the storm blow. Its size is what it is, however many rounds are asked for."""
    with folder() as base:
        blowing = Storm(base, QUICK if scale.quick else FULL)
        try:
            blowing.start()
            blowing.blow()
            story = Story(blowing)
        finally:
            blowing.stop()
        return Found(_figures(story))


def _figures(story: Story) -> Sequence[Figure]:
    size, replies = story.storm.size, story.storm.replies
    lost, gone = len(story.lost()) + len(story.unpaged()), len(story.missing)
    longest = [max(story.waits(severity, "sms", "email"), default=float("inf")) for severity in MIX]
    often = sum(times > 2 for times in replies.values())
    waited = " / ".join(f"{seconds:.0f}" for seconds in longest)
    what = f"{size.incidents} incidents in {size.seconds:.0f} s, a minute of it lasts {size.minute:.0f} s"
    return [
        Figure("storm-sms-early", [story.most_in(3, first=True)], note=what),
        Figure("storm-sms", [story.most_in(10)]),
        Figure("storm-sev1", [_late(story.waits("sev1", "sms", "email"))], note=f"longest SEV1/2/3: {waited} s"),
        Figure("storm-sev1-first", [_late(story.first_waits("sev1"))]),
        Figure("storm-replies", [max(replies.values(), default=0)], note=f"{often} people wrote more than 2"),
        Figure("storm-unanswered", [story.unanswered()]),
        Figure("storm-lost", [lost + gone], note=f"{lost} lost, {gone} said to be sent and not there"),
    ]
