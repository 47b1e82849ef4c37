"""Health and metrics: what whoever watches the watcher is told."""

import asyncio
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.domain.arrival import Arrival, ArrivalKind, OptOut
from tocsin.domain.delivery import Accepted, Bundle, Content, Deferred, Letter, Receipt
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Incident
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel
from tocsin.ports.leadership import Machines, Node, NodeState
from tocsin.text.times import iso_utc
from tocsin.web.access.guard import FORWARDED

from tests.builders.daemon_parts import DaemonParts
from tests.builders.instants import T0
from tests.builders.loading import load
from tests.builders.policies import SHIPPED_CONFIG
from tests.builders.stories import happen
from tests.house.code import ROOT
from tests.unit.domain.test_operator_notice import sections
from tests.unit.web.lives import Life, alive, settings


def said(body: str) -> dict[str, Any]:
    """What `/healthz` says: these three, and nothing else (P7)."""
    told: dict[str, Any] = json.loads(body)
    assert list(told) == ["state", "leader", "healthy_at"]
    return told


@pytest.mark.parametrize(("age", "status"), [(0, 200), (60, 200), (61, 503), (86400, 503)])
async def test_health_is_the_age_of_the_last_healthy_pass(age: int, status: int) -> None:
    """P7: up to 60 s after its last healthy pass the daemon of a ledger in a file leads; after that none works here."""
    async with alive(node="attic") as life:
        healthy_at = life.clock.now()
        await life.ledger.claim_notice(HEALTHY, healthy_at, timedelta(0))
        life.clock.go(timedelta(seconds=age))
        got, headers, body = await life.get("/healthz")
        assert (got, headers["cache-control"]) == (status, "no-store")
        assert headers["content-type"].startswith("application/json")
        state, leader = ("leading", "attic") if status == 200 else ("none", None)
        assert said(body) == {"state": state, "leader": leader, "healthy_at": iso_utc(healthy_at)}
        assert (await _numbers(life))["tocsin_daemon_state", frozenset({("state", state)})] == 1


@pytest.mark.parametrize(("ahead", "status"), [(60, 200), (61, 503), (3600, 503)])
async def test_a_mark_of_the_future_is_no_sign_of_life(ahead: int, status: int) -> None:
    """Rule 59: a daemon that died while the clock was ahead does not count as healthy until the clock has caught up."""
    async with alive() as life:
        await life.ledger.claim_notice(HEALTHY, life.clock.now() + timedelta(seconds=ahead), timedelta(0))
        assert (await life.get("/healthz"))[0] == status
        assert (await _numbers(life))["tocsin_healthy_pass_age_seconds", frozenset()] == ahead


async def test_health_without_a_daemon_or_a_ledger() -> None:
    """P7: a daemon that never was healthy is none, a ledger that cannot be read is away; both are 503, and no path."""
    async with alive() as life:
        status, _, body = await life.get("/healthz")
        assert (status, said(body)) == (503, {"state": "none", "leader": None, "healthy_at": None})
        life.ledger.trouble = "disk I/O error at /var/lib/tocsin"
        status, _, body = await life.get("/healthz")
        assert (status, said(body)) == (503, {"state": "away", "leader": None, "healthy_at": None})
        assert ("ledger trouble", {"trouble": "disk I/O error at /var/lib/tocsin"}) in life.log.lines
        life.ledger.trouble = ""
        await life.ledger.claim_notice(HEALTHY, life.clock.now(), timedelta(0))
        assert (await life.get("/healthz"))[0] == 200


def row(name: str, folder: str = "", *, ago: float = 0, **values: Any) -> Node:
    """A machine that said so many seconds ago that it stands by, or what `values` say."""
    word = T0 - timedelta(seconds=ago)
    state = values.pop("state", NodeState.STANDING_BY)
    return Node(f"{name}-id", name, folder or str(settings().incidents), state, T0, word, **values)


def shared(*rows: Node, leader: str = "", renewed: float = 1, oldest: float | None = None) -> Machines:
    """These machines share the ledger; `leader` renewed the lease so long ago."""
    transaction = None if oldest is None else T0 - timedelta(seconds=oldest)
    return Machines(7, leader and f"{leader}-id", T0 - timedelta(seconds=renewed), T0, rows, transaction)


@pytest.mark.parametrize(
    ("machines", "told"),
    [
        pytest.param(shared(row("attic"), row("b"), leader="attic"), (200, "leading", "attic"), id="it leads"),
        pytest.param(shared(row("attic"), row("b"), leader="b"), (200, "standing_by", "b"), id="it stands by"),
        pytest.param(
            shared(row("attic"), row("b"), leader="b", renewed=11), (200, "standing_by", None), id="none leads"
        ),
        pytest.param(shared(row("attic", ago=31), row("b"), leader="b"), (503, "none", "b"), id="it is silent"),
        pytest.param(shared(row("attic", stopped=True), row("b"), leader="b"), (503, "none", "b"), id="it was stopped"),
        pytest.param(shared(row("attic", "/elsewhere"), leader="attic"), (503, "none", "attic"), id="another's folder"),
        pytest.param(shared(row("b"), leader="b"), (503, "none", "b"), id="it never was"),
    ],
)
async def test_health_among_machines_is_that_of_this_one(machines: Machines, told: tuple[int, str, str | None]) -> None:
    """P7: by this machine's row and the lease, as of the database's clock, whatever the clock here says."""

    async def look() -> Machines:
        return machines

    async with alive(machines=look, node="attic") as life:
        life.clock.go(timedelta(hours=3))
        status, _, body = await life.get("/healthz")
        assert (status, said(body)["state"], said(body)["leader"]) == told
        here = next(
            (node.last_word for node in machines.nodes if node.name == "attic" and node.folder[:2] != "/e"), None
        )
        assert said(body)["healthy_at"] == (here and iso_utc(here))


async def test_a_database_that_does_not_answer_is_away_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """P7: who watches hears within seconds that it cannot be seen, also from the numbers."""
    for name in ("daemon_health.SEEN_WITHIN", "metrics.COUNTED_WITHIN"):
        floor = "routes" if name.startswith("metrics") else "http"
        monkeypatch.setattr(f"tocsin.web.{floor}.{name}", 0.02)

    async def hang(*_: object) -> Any:
        await asyncio.Event().wait()

    async with alive(machines=hang) as life:
        status, _, body = await life.get("/healthz")
        assert (status, said(body)) == (503, {"state": "away", "leader": None, "healthy_at": None})
        monkeypatch.setattr(life.ledger, "tally", hang)
        assert await _numbers(life) == {("tocsin_ledger_readable", frozenset()): 0}


async def test_metrics_of_machines() -> None:
    """Who leads, since when each that did not stop has said nothing, how often the lead was taken, and how old the
    oldest transaction is, where that can be seen.
    """
    silent = row("b", ago=400)
    rows = row("attic", ago=2), replace(silent, folder="/other", last_word=T0 - timedelta(seconds=90)), silent
    machines = [shared(*rows, row("c", ago=5000, stopped=True), leader="attic", oldest=3700), shared(*rows)]

    async def look() -> Machines:
        return machines.pop(0)

    async with alive(machines=look, node="attic") as life:
        numbers = await _numbers(life)
        life.clock.go(timedelta(seconds=7))
        later = await _numbers(life)

    def of(name: str) -> dict[str, float]:
        return {dict(labels).get("machine", ""): value for (known, labels), value in numbers.items() if known == name}

    assert of("tocsin_machine_leads") == {"attic": 1, "b": 0, "c": 0}
    ages = {
        (dict(labels)["machine"], dict(labels)["folder"]): value
        for (name, labels), value in numbers.items()
        if name == "tocsin_machine_last_word_age_seconds"
    }
    assert ages == {("attic", silent.folder): 2, ("b", "/other"): 90, ("b", silent.folder): 400}
    assert of("tocsin_takeovers_total") == {"": 7}
    assert of("tocsin_machine_clock_ahead_seconds") == {"": 0}
    assert later["tocsin_machine_clock_ahead_seconds", frozenset()] == 7
    assert of("tocsin_oldest_transaction_age_seconds") == {"": 3700}
    states = {
        dict(labels)["state"]: value for (name, labels), value in numbers.items() if name == "tocsin_daemon_state"
    }
    assert states == {"leading": 1, "standing_by": 0, "none": 0}
    assert not any(name == "tocsin_oldest_transaction_age_seconds" for name, _ in later)
    assert sum(value for (name, _), value in later.items() if name == "tocsin_machine_leads") == 0


async def _numbers(life: Life) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    status, headers, body = await life.get("/metrics")
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }


async def test_metrics_are_the_ledgers_numbers() -> None:
    """After an incident was declared and its pages went out, the numbers say so; an alert can see what has not been yet."""
    async with alive() as life:
        incident = Incident("db", "Database down", "sev1")
        await happen(life.ledger, "db", Seen(T0, incident, "1"))
        loaded = load(SHIPPED_CONFIG, T0, {})
        await life.ledger.record_config("r7", loaded.files, T0)
        await life.ledger.claim_notice(HEALTHY, life.clock.now() - timedelta(seconds=7), timedelta(0))
        begun = await life.ledger.begin_attempt("db", Channel.SMS, "+14155550101", T0, "a kill")
        await life.ledger.record_receipt(begun, Receipt.UNDELIVERED, T0)
        await life.ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", "+14155550101", "ok", T0))
        pages = [letter for letter in life.ledger.pages.letters.values() if letter.notification.kind == "page"]
        keys = [letter.notification.key for letter in pages[:2]]
        now = life.clock.now()
        for at, outcome in ((now - timedelta(seconds=9), Accepted("SM2")), (now, Deferred("no capacity"))):
            for attempt in await life.ledger.begin_bundle(
                Bundle("b", Content("2 pages")), keys, Channel.SMS, "+14155550101", at, {}, provider="spare"
            ):
                await life.ledger.end_attempt(attempt, outcome, at)
        await life.ledger.record("db", (), [Letter(replace(pages[0].notification, key="new"), Content("x"))], ())
        await life.ledger.opt_out(OptOut(Channel.SMS, "+14155550101", T0, "SM9"))
        numbers = await _numbers(life)

    def of(name: str, **labels: str) -> float:
        return numbers[name, frozenset(labels.items())]

    assert of("tocsin_ledger_readable") == 1
    assert of("tocsin_open_incidents", severity="sev1") == 1
    assert of("tocsin_notifications_total", kind="page", state="accepted") == len(pages) > 3
    assert of("tocsin_attempts_total", channel="email", provider="main", outcome="accepted") > 0
    assert of("tocsin_attempts_total", channel="sms", provider="main", outcome="uncertain") == 0
    assert of("tocsin_attempts_waiting", channel="sms", provider="main") == 1
    assert of("tocsin_receipts", channel="sms", receipt="undelivered") == 1
    assert of("tocsin_possible_duplicates_total", channel="sms") == 1
    assert of("tocsin_arrivals_waiting", kind="sms") == 1
    assert of("tocsin_attempts_total", channel="sms", provider="spare", outcome="accepted") == 2
    assert of("tocsin_provider_taken_age_seconds", channel="sms", provider="spare") == 9
    assert of("tocsin_provider_failures", channel="sms", provider="spare") == 2
    assert of("tocsin_provider_failures", channel="sms", provider="main") == 0
    assert of("tocsin_pages_bundled_total", channel="sms") == 4
    assert of("tocsin_pages_bundled_total", channel="email") == 0
    assert of("tocsin_bundles_total") == 1
    assert of("tocsin_pages_waiting", channel=pages[0].notification.via.value) == 1
    assert of("tocsin_opt_outs", channel="sms") == 1
    assert of("tocsin_healthy_pass_age_seconds") == 7
    assert of("tocsin_oldest_unsettled_page_age_seconds") == (now - T0).total_seconds()
    assert of("tocsin_config_info", revision="r7") == 1


async def test_metrics_without_a_ledger_say_just_that() -> None:
    """While the ledger cannot be read there are no numbers of it, not even zeros."""
    async with alive() as life:
        life.ledger.trouble = "locked"
        assert await _numbers(life) == {("tocsin_ledger_readable", frozenset()): 0}


async def test_metrics_ask_the_ledger_once_in_five_seconds() -> None:
    """However many ask, the numbers are counted anew only when they have grown old."""
    async with alive() as life:
        before = await _numbers(life)
        await happen(life.ledger, "db", Seen(T0, Incident("db", "Database down", "sev1"), "1"))
        assert await _numbers(life) == before
        life.clock.go(timedelta(seconds=5))
        assert await _numbers(life) != before


async def test_metrics_in_the_format_asked_for() -> None:
    """Prometheus gets OpenMetrics when it asks for it."""
    async with alive() as life:
        _, headers, body = await life.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        assert body.endswith("# EOF\n")


@pytest.mark.parametrize("header", FORWARDED)
async def test_metrics_through_a_proxy_want_the_token(header: str) -> None:
    """Nobody reads them from the world without the token."""
    async with alive(web={"token": "a-long-token"}) as life:
        passed_on = {header.replace("-", "_"): "192.0.2.1"}
        status, headers, _ = await life.get("/metrics", **passed_on)
        assert (status, headers["www-authenticate"].split(" ")[0]) == (401, "Bearer")
        assert (await life.get("/metrics", Authorization="Bearer wrong", **passed_on))[0] == 401
        assert (await life.get("/metrics", Authorization="Bearer a-long-token", **passed_on))[0] == 200
    async with alive() as life:
        assert (await life.get("/metrics", **passed_on))[0] == 403


RULES = ROOT / "packaging" / "prometheus" / "tocsin.rules.yml"


def _alerts() -> list[dict[str, Any]]:
    """The alert rules that are shipped."""
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    alerts: list[dict[str, Any]] = group["rules"]
    return alerts


async def test_alerts_ask_for_metrics_that_there_are() -> None:
    """Each name and each label value in the rules is one that `/metrics` gives; `up` is Prometheus' own."""

    async def look() -> Machines:
        return shared(row("attic"), leader="attic", oldest=1)

    async with alive(machines=look) as life:
        await life.ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", "+14155550101", "ok", T0))
        await life.ledger.claim_notice(HEALTHY, life.clock.now(), timedelta(0))
        parts = DaemonParts(life.clock, ledger=life.ledger)
        parts.notices.tell(OperatorNotice(Trouble.PAGE_LOST, "a page is lost", about="pay"))
        await parts.operator_notices.flush()
        numbers = await _numbers(life)
    names = {name for name, _ in numbers}
    labels = {pair for _, pairs in numbers for pair in pairs}
    for alert in _alerts():
        asked = set(re.findall(r"\btocsin_\w+", alert["expr"]))
        assert asked <= names, alert["alert"]
        assert asked or "up{" in alert["expr"]
        wanted = {pair for pair in re.findall(r'(\w+)="([^"]+)"', alert["expr"]) if pair[0] != "job"}
        assert wanted <= labels, alert["alert"]


def test_an_alert_says_what_it_means_and_where_to_read_on() -> None:
    """A summary, a description, a section of docs/operators.md; no section is without its alert."""
    runbooks = set()
    for alert in _alerts():
        assert alert["annotations"].keys() == {"summary", "description", "runbook"}, alert["alert"]
        page, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert page == "docs/operators.md"
        runbooks.add(anchor)
        assert alert["labels"]["severity"] in {"page", "warn"}
    assert runbooks <= sections().keys() | sections(1).keys()
    assert sections(1).keys() <= runbooks


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool here")
def test_prometheus_takes_the_rules() -> None:
    """Promtool finds nothing wrong."""
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
