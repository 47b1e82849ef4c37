"""Generated incidents: titles in every script, long and empty fields, twelve services, any course of events.

What only insiders may read bears a mark, so that it is seen wherever it gets to. Dice make the same world again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import yaml
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.app.simulation.play import SimulatedMessage
from tocsin.domain.people import FirstUpdate
from tocsin.domain.policy import Policy, Service

from tests.gallery import stories
from tests.gallery.stories import Story

INSIDE = "Zq7"
"""Stands in all that is for insiders only; in no word of ours, and no address of the gallery."""
LATE_TITLE = "Trouble with payments"
"""The title for outsiders that somebody may write in the course of events."""
START = datetime(2026, 11, 23, 10, 4, tzinfo=UTC)
SPAN = timedelta(hours=3)
SERVICES = 12

TITLES = (
    "Card payments fail at checkout",
    "x",
    "Login",
    "Zahlungen mit Karte schlagen bei der Kasse fehl, nur in Österreich und der Schweiz, seit heute früh um halb acht Uhr",
    "Les paiements par carte échouent à l’étape de l’adresse pour les clients de l’île de La Réunion",
    "Ναυτιλία: δεν φορτώνει ο χάρτης",
    "Оплата картой не проходит у всех клиентов на северо-западе",
    "تسجيل الدخول لا يعمل (503) لجميع العملاء",
    "כניסה למערכת נכשלת",
    "無法登入，全部客戶受影響",
    "लॉगिन काम नहीं कर रहा है",
    "🔥 Checkout is down 🔥🔥",
    "Łódź: płatności kartą nie działają",
    "W" * 180,
    "Payments in Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft stop",
    'Quotes " and <b>tags</b> & more, {braces} %s, $100, back\\slash',
    "Errors [503] at ~10 % of requests | €4,000 a minute lost^",
)
ORGANISATIONS = ("", "Acme", "Exámple & Söhne", "The Very Long Name of a Public Company Limited", "例え株式会社")
IMPACTS = (
    "",
    "About a third of card payments fail.",
    "無法登入。",
    "Nothing can be bought. " * 20,
    "Line one.\nLine two.",
)
PUBLIC = ("", "We know the cause and mend it.", "Please use the phone meanwhile.\nSorry.", "Die Störung dauert an.")


@dataclass(frozen=True, slots=True)
class ReaderWorld:
    """One incident with its config, and every message that it brings, in time order."""

    seed: int
    policy: Policy
    story: Story
    messages: tuple[SimulatedMessage, ...]


def worlds(first: int, count: int) -> Iterator[ReaderWorld]:
    """So many, from this seed on."""
    config, words = stories.policy(), stories.renderer()
    for seed in range(first, first + count):
        yield world(seed, config, words)


def world(seed: int, config: Policy, words: JinjaRenderer) -> ReaderWorld:
    """The world of these dice."""
    dice = Random(seed)
    policy = _policy(dice, config)
    story = _story(dice, seed, policy)
    return ReaderWorld(seed, policy, story, tuple(stories.messages(story, policy, words)))


def _policy(dice: Random, config: Policy) -> Policy:
    """The gallery's config with other names, languages and first words; its titles for insiders bear the mark."""
    languages = ("en", "en", "de", "fr", "es", "pt")
    people = {
        name: replace(person, name=f"{INSIDE} {person.name}", language=dice.choice(languages))
        for name, person in config.people.items()
    }
    groups = {
        name: replace(group, language=dice.choice(languages), first=dice.choice(list(FirstUpdate)))
        for name, group in config.stakeholders.items()
    }
    longer = dice.choice(("", "", " for the Northern Region and all of its Subsidiaries"))
    roles = {name: replace(role, title=f"{INSIDE} {role.title}{longer}") for name, role in config.roles.items()}
    severities = {
        name: replace(severity, title=f"{INSIDE} {severity.title}", meaning=f"{INSIDE} {severity.meaning}")
        for name, severity in config.severities.items()
    }
    services = {
        f"s{number}": Service(
            f"s{number}",
            f"{INSIDE} service {number}{longer}",
            runbook=f"https://runbooks.example.com/{INSIDE}/{number}" if dice.random() < 0.5 else "",
            links=((f"{INSIDE} graphs", f"https://graphs.example.com/{INSIDE}"),) if dice.random() < 0.5 else (),
        )
        for number in range(SERVICES)
    }
    return replace(
        config,
        people=people,
        stakeholders=groups,
        roles=roles,
        severities=severities,
        services=services,
        organisation=dice.choice(ORGANISATIONS),
        reply_to=dice.choice(("", "status@example.com")),
        bridge=dice.choice(("", f"https://meet.example.com/{INSIDE}", "+14155550199")),
    )


def _story(dice: Random, seed: int, policy: Policy) -> Story:
    fields = _first_version(dice)
    steps = tuple(_steps(dice, policy))
    return Story(
        f"{seed}",
        fields["title"],
        "",
        START,
        SPAN,
        (),
        f"2026-11-23-{INSIDE.lower()}-{seed}.yaml",
        yaml.safe_dump(fields, allow_unicode=True),
        tuple(stories.read_step(step, policy) for step in steps),
        steps,
    )


def _first_version(dice: Random) -> dict[str, Any]:
    """What the file says at first. Outsiders read the title where there is no other, so that bears no mark then."""
    title, public = dice.choice(TITLES), dice.choice((*TITLES, *[""] * len(TITLES)))
    fields: dict[str, Any] = {
        "title": f"{title} {INSIDE}" if public else title,
        "severity": dice.choice(("sev1", "sev1", "sev2", "sev3")),
        "services": [f"s{number}" for number in dice.sample(range(SERVICES), dice.choice((0, 1, 3, SERVICES)))],
    }
    optional = {
        "public_title": public,
        "impact": dice.choice(IMPACTS),
        "summary": dice.choice(("", f"{INSIDE} the database lost its primary. " * dice.choice((1, 40)))),
        "declared_by": dice.choice(("", f"{INSIDE} Joe", "Alertmanager")),
        "bridge": dice.choice(("", f"{INSIDE} room 4")),
        "eta": dice.choice((None, START + timedelta(minutes=dice.randrange(-30, 240)))),
        "started_at": dice.choice((None, START - timedelta(minutes=dice.randrange(0, 3000)))),
        "drill": dice.random() < 0.1,
    }
    return fields | {key: value for key, value in optional.items() if value}


def _steps(dice: Random, policy: Policy) -> Iterator[dict[str, Any]]:
    """What happens, in any order."""
    people = list(policy.people)
    after = 0
    for _ in range(dice.randrange(12)):
        after += dice.choice((1, 2, 7, 20, 45))
        public = dice.choice(PUBLIC)
        yield {"after": timedelta(minutes=after)} | dice.choice((
            {"ack": dice.sample(people, dice.randint(1, 3))},
            {"pass": dice.choice(people)},
            {"update": f"{INSIDE} {dice.choice(('Failover.', 'It is the disk. ' * 30))}", **({"public": public} if public else {})},
            {"set": {"status": dice.choice(("investigating", "identified", "monitoring"))}},
            {"set": {"impact": dice.choice(IMPACTS)}},
            {"set": {"eta": dice.choice((None, START + timedelta(minutes=after + dice.randrange(-10, 120))))}},
            {"set": {"severity": dice.choice(("sev1", "sev2", "sev3"))}},
            {"set": {"roles": {"technical_lead": dice.choice(people)}}},
            {"set": {"public_title": LATE_TITLE}},
        ))  # fmt: skip
    if dice.random() < 0.8:
        resolution = dice.choice(
            ("", f"{INSIDE} restarted.", {"text": f"{INSIDE} restarted.", "public": "It works again."})
        )
        yield {"after": timedelta(minutes=after + 5), "set": {"status": "resolved", "resolution": resolution}}
        if dice.random() < 0.2:
            yield {"after": timedelta(minutes=after + 30), "set": {"status": "investigating"}}
