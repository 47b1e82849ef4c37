"""Why me, and why not me: what an explanation says of one person, for each thing that may have decided it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.app.incidents.explaining.page_causes import cause_text, causes, meaning
from tocsin.app.incidents.explaining.person_reasons import PersonReasons
from tocsin.app.simulation.projection import next_messages
from tocsin.domain.facts import StepFired
from tocsin.domain.history import RoleHistory
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.planning.draft import Draft
from tocsin.planning.escalation import deciding_service
from tocsin.planning.plan import plan

from tests.timelines.stage import START, Watch, in_order, span_of

CONFIG = """
severities:
  s1:
    page: {roles: [tl, co], via: [sms, email], acknowledge_within: 5m, rounds: 2}
    updates: [{to: [execs, customers], every: 30m}]
  s2: {page: {roles: [co], via: [email], acknowledge_within: 1h, hours: office}}
  s3: {updates: [{to: [execs], every: 1d}]}
roles:
  tl: {title: Technical Lead, chain: [duty.on_call, duty.next, hal]}
  co: {title: Communications, chain: [eve, gus]}
services:
  shop: {title: Shop, responders: [fay], roles: {tl: [desk.on_call, pia]}}
  mail: {title: Mail, responders: [desk.on_call], stakeholders: [merchants]}
rotations:
  duty:
    shifts: [{members: [ana, bo, chen], handoff: "0 9 * * mon", timezone: UTC, starts: 2026-11-09T09:00}]
    overrides:
      - {person: dai, from: 2026-11-23T00:00Z, to: 2026-11-24T00:00Z, instead_of: chen}
  desk:
    shifts: [{members: [bo], handoff: "0 9 * * mon", timezone: UTC, starts: 2026-11-02T09:00, during: "mon-fri 09:00-17:00"}]
stakeholders:
  execs: {title: Executives, people: [ceo]}
  customers: {title: Customers, emails: [list@example.org], external: true}
  merchants: {title: Merchants, people: [cto]}
hours: {office: {timezone: UTC, during: "mon-fri 12:00-17:00"}}
"""


class Story(Watch):
    """An incident as the daemon sees it, with the steps of its ladders."""

    def __init__(self, config: str = CONFIG, incident: str = "severity: s1", last_resort: str = "olga") -> None:
        self.fired: list[StepFired] = []
        super().__init__(config, incident, last_resort)

    def _look(self, now: datetime) -> list[str]:
        assert self.history.incident is not None
        made = plan(self.history.incident, self.policy, self.history, now)
        self.fired += [fact for fact in made.facts if isinstance(fact, StepFired)]
        self.history, self.next_look = made.history, made.next_look
        self.said += [due.notification for due in made.due]
        return in_order([due.notification for due in made.due])

    @property
    def needed(self) -> Sequence[RoleHistory]:
        assert self.history.incident is not None
        draft = Draft(self.history.incident, self.policy, self.history, START)
        return [
            self.history.roles.get(role) or RoleHistory(role, service=deciding_service(draft, role))
            for role in draft.roles
            if draft.page
        ]

    def told(self, person: str, after: str, policy: Policy | None = None) -> dict[str, str]:
        """What is said of them then."""
        at, policy = START + span_of(after), policy or self.policy
        ahead = next_messages(self.history, policy, at, timedelta(hours=4))
        messages = [message for message in ahead if message.to == person]
        reasons = PersonReasons(
            person, policy, self.history, at, self.needed, self.fired, messages, stamp, "{:%a %d %H:%M}".format
        )
        return dict(reasons.rows())


def stamp(at: datetime) -> str:
    return f"{at:%H:%M}"


def watched(until: str = "0", **settings: str) -> Story:
    story = Story(**settings)
    story.until(until)
    return story


def test_why_me() -> None:
    """A page says which line asks for the role, which level of which chain named whom, and whose turn that was."""
    story = watched("10m", incident="{severity: s1, services: [shop]}")
    severity = story.policy.severity("s1")
    texts = {
        (page.to, page.level): [
            cause_text(cause, page.at, story.policy, severity, "{:%a %d %H:%M}".format) for cause in reasons
        ]
        for page in story.said
        if page.kind is Kind.PAGE and page.via is Channel.SMS
        for reasons in [list(causes(page, story.policy, story.history.roles, story.fired, ("shop",)))]
    }
    asks = "s1 asks for Technical Lead (config/test.yaml:4); "
    assert texts["bo", 0] == [
        asks + "level 0 of Shop's chain for it is desk.on_call (config/test.yaml:12): bo, turn from Mon 23 09:00 until "
        "Mon 23 17:00 (config/test.yaml:20)"
    ]
    assert texts["pia", 1] == [asks + "level 1 of Shop's chain for it names them (config/test.yaml:12)"]
    assert texts["fay", 0] == ["a responder of Shop names them (config/test.yaml:12)"]


def test_whose_turn_it_is() -> None:
    """A turn has its span and its line; an override says instead of whom; a gap has nobody; the last resort no chain."""
    policy = watched().policy
    chain = policy.roles["technical_lead"].chain
    on_call, following = chain[0].whos[0], chain[1].whos[0]
    turn = "{:%a %d %H:%M}".format
    assert (
        meaning(on_call, START, policy, turn)
        == "dai, by an override instead of chen until Tue 24 00:00 (config/test.yaml:18)"
    )
    later = START + timedelta(days=1)
    assert (
        meaning(on_call, later, policy, turn) == "chen, turn from Tue 24 00:00 until Mon 30 09:00 (config/test.yaml:16)"
    )
    assert meaning(following, later, policy, turn) == "ana, next after chen (config/test.yaml:16)"
    desk = policy.services["mail"].responders[0]
    assert meaning(desk, START + timedelta(hours=8), policy, turn) == "nobody until Tue 24 09:00 (config/test.yaml:19)"
    assert (
        meaning(replace(desk, part="everyone"), START, policy, turn)
        == "everybody in that rotation (config/test.yaml:19)"
    )
    story = watched("30m")
    last = [page for page in story.said if page.reason.value == "last_resort"]
    assert last
    assert not [cause for page in last for cause in causes(page, policy, story.history.roles, story.fired, ())]


def test_not_their_turn() -> None:
    """Who is in the rotation, but not on call, reads whose turn it is and when theirs is."""
    said = watched("2m").told("bo", "2m")["Technical Lead"]
    assert said == (
        "level 0 of the chain is duty.on_call (config/test.yaml:9): dai, by an override instead of chen until "
        "Tue 24 00:00 (config/test.yaml:18); their next turn is from Mon 07 09:00 until Mon 14 09:00"
    )


def test_a_later_level() -> None:
    """Who comes later reads when, or that somebody accepted before; who was asked reads what came of it."""
    story = watched("2m")
    assert story.told("hal", "2m")["Technical Lead"] == (
        "level 2 of the chain names them (config/test.yaml:9); they are paged 10:10 if nobody answers before"
    )
    assert story.told("eve", "2m")["Communications"] == "they were paged 10:00, and nobody has accepted it"
    story.ack("3m", "dai")
    story.until("3m")
    assert story.told("hal", "3m")["Technical Lead"] == (
        "level 2 of the chain names them (config/test.yaml:9); dai accepted it 10:03, before that level was asked"
    )
    assert story.told("dai", "3m")["Technical Lead"] == "they accepted it 10:03"
    story.pass_("4m", "eve")
    story.until("4m")
    assert story.told("eve", "4m")["Communications"] == "they have passed, and it goes on without them"
    assert story.told("gus", "4m")["Communications"] == "they were paged 10:04, and nobody has accepted it"
    story.see("6m", "status: resolved")
    story.until("6m")
    assert story.told("hal", "7m")["Technical Lead"].endswith("dai accepted it 10:03, before that level was asked")


def test_in_no_chain() -> None:
    """Who is in no chain that counts reads which does, where they would be asked, and of which groups they are."""
    story = watched("0", incident="{severity: s1, services: [shop]}")
    said = story.told("hal", "1m")
    assert said["Technical Lead"] == (
        "they are not in Shop's chain for it (config/test.yaml:12); they are only in Technical Lead's own (config/test.yaml:9)"
    )
    assert said["Communications"] == "they are not in its chain (config/test.yaml:10)"
    assert said["Updates"] == "they are in no stakeholder group"
    mail = watched("0").told("fay", "1m")
    assert mail["Elsewhere"] == "Shop has them as responders, but is not affected (config/test.yaml:12)"
    milder = watched("0", incident="severity: s2").told("hal", "1m")
    assert (
        milder["Elsewhere"] == "they are in the chain of Technical Lead, for which s2 does not ask (config/test.yaml:6)"
    )
    assert milder["Hours"] == "s2 pages in office alone, from 12:00 (config/test.yaml:6)"
    quiet = watched("0", incident="severity: s3").told("hal", "1m")
    assert quiet["Pages"] == "s3 pages nobody (config/test.yaml:7)"


def test_responders_and_last_resort() -> None:
    """A responder who is not on call reads who is; the last resort reads when it is asked, or that it was."""
    story = watched("1m", incident="{severity: s1, services: [mail, shop]}")
    assert story.told("bo", "1m")["Responders"] == "they were paged 10:00, and have not answered"
    assert story.told("fay", "1m")["Responders"] == "they were paged 10:00, and have not answered"
    assert story.told("olga", "1m")["Last resort"] == (
        "they are in it (config/tocsin.yaml:3): paged 10:20 if nobody answers before"
    )
    story.until("20m")
    assert story.told("olga", "20m")["Last resort"] == "they are in it (config/tocsin.yaml:3), and were paged 10:20"
    night = watched("0", incident="{severity: s1, services: [mail]}")
    night.history = replace(night.history, responders=())
    assert night.told("bo", "8h")["Responders"].startswith(
        "a responder of Mail is desk.on_call (config/test.yaml:13): nobody until Tue 24 09:00"
    )


def test_addresses() -> None:
    """No address, one that was refused and one that answered STOP are told."""
    story = watched("0")
    assert story.told("ceo", "1m")["SMS"].startswith("they have no number (config/people.yaml:")
    story.refuse("1m", "hal", "sms", story.policy.people["hal"].phone)
    assert (
        story.told("hal", "2m")["SMS"] == "nothing more goes to their number in this incident: it was refused for good"
    )
    people = {**story.policy.people, "gus": replace(story.policy.people["gus"], stopped=(Channel.SMS,))}
    assert story.told("gus", "2m", replace(story.policy, people=people))["SMS"] == (
        "nothing goes to their number: it answered STOP"
    )


def test_updates() -> None:
    """Who hears updates reads as which group and when next; a group that is not told, why."""
    story = watched("1m")
    assert story.told("ceo", "1m")["Executives"] == "told of it, last 10:00; next 10:30 if nothing changes before"
    assert story.told("list@example.org", "1m") == {
        "Customers": "told of it, last 10:00; next 10:30 if nothing changes before"
    }
    assert story.told("cto", "1m")["Merchants"] == (
        "s1 does not tell this group, nor does an affected service (config/test.yaml:3)"
    )
    drill = watched("1m", incident="{severity: s1, drill: true}")
    assert drill.told("list@example.org", "1m") == {"Customers": "a drill tells nobody outside"}
    assert story.told("nobody@example.org", "1m") == {"Config": "they are not in it (any more), and get nothing more"}


def test_a_file_that_cannot_be_read() -> None:
    """Only the last resort is paged for it, and no group is told."""
    story = Story.of_unreadable_file(CONFIG)
    story.until("1m")
    why = {"Pages": "the file of the incident cannot be read, so that the last resort alone is paged"}
    assert story.told("hal", "1m") == {**why, "Updates": "they are in no stakeholder group"}
    assert story.told("olga", "1m")["Last resort"] == "they are in it (config/tocsin.yaml:3), and were paged 10:00"
    assert story.told("ceo", "1m")["Executives"] == "not told: the file of the incident cannot be read"
