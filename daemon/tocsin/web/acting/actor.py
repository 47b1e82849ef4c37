"""Who acts on which incident, and what shows the daemon that they may: the signature of their own link, or the session
of their browser. Somebody who opens their link and has signed in as the same person has both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from aiohttp import web

from tocsin.app.arrivals.link_answers import GONE, OVER, UNKNOWN_INCIDENT, refusal
from tocsin.app.incidents.histories import recorded_history
from tocsin.app.incidents.incident_views import views
from tocsin.app.replies.answer_options import AnswerOptions, RoleState, options_of
from tocsin.domain.facts import Fact
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy
from tocsin.formats.incident.file_name import ID
from tocsin.web.access.answer_links import AnswerAddress
from tocsin.web.access.viewer import Viewer, require_person, viewer
from tocsin.web.acting.acts import BIG, Act, Offer, OfferedActs, offered
from tocsin.web.http.site import CACHE_NEVER, Site
from tocsin.wording.language.language import ENGLISH


@dataclass(frozen=True, slots=True)
class Actor:
    """A person before an incident. `base` is the path of the page that they act from; `signature` is their link's, of
    its `episode` (0 without a link), `session` their browser's.
    """

    person: Person
    policy: Policy
    facts: Sequence[Fact]
    history: History
    now: datetime
    base: str
    episode: int = 0
    signature: str = ""
    session: str = ""

    @property
    def incident(self) -> Incident:
        """The version that stands."""
        assert self.history.incident is not None, "an incident is known once it was seen"
        return self.history.incident

    @property
    def options(self) -> AnswerOptions:
        """What is asked of them, and what an answer would change."""
        return options_of(self.facts, self.history, self.person.id, self.now)

    @property
    def open_roles(self) -> str:
        """The titles of the roles that wait for their answer; empty: none does."""
        return self._titles(RoleState.OPEN)

    @property
    def accept_label(self) -> str:
        """What the button says by which they accept: what they will be then; what they passed too, if nobody has it."""
        if self.options.still_there:
            return "I am still on it"
        takes = self._titles(RoleState.OPEN, RoleState.PASSED)
        return f"Accept: I am {takes}" if takes else "Accept: I look at it"

    def _titles(self, *states: RoleState) -> str:
        """The titles of the roles towards which they stand so, and which nobody but them could be handed."""
        options = [option for option in self.options.roles if option.role and option.state in states]
        free = [option for option in options if option.state is RoleState.OPEN or option.holder is None]
        return ENGLISH.listed([self.policy.role_title(option.role) for option in free])

    @property
    def signed_in(self) -> bool:
        """Whether it is known who acts, by more than a link that somebody may have passed on."""
        return bool(self.session)


async def actor_by_link(site: Site, request: web.Request, link: AnswerAddress, base: str, *, looks: bool) -> Actor:
    """Whose link it is. Raises LedgerError, and 403, 404 and 410, each with a sentence; who only looks is led on by 303
    at the end of its time, to what outsiders were told, if they were.
    """
    policy, now = await site.active_policy.policy(), site.clock.now()
    person = policy.people.get(link.person)
    if person is None:
        raise web.HTTPForbidden(text=GONE)
    facts, history = await recorded_history(site.ledger(), link.incident)
    if history.incident is None:
        raise web.HTTPNotFound(text=UNKNOWN_INCIDENT)
    options = options_of(facts, history, link.person, now)
    if why := refusal(options, link.episode, known_person=True, now=now):
        if looks and why == OVER and await _is_public(site, link.incident, policy, now):
            there = f"{path_before(site)}/incidents/{link.incident}"
            raise web.HTTPSeeOther(there, headers={"Cache-Control": CACHE_NEVER})
        raise web.HTTPGone(text=why)
    looker = await viewer(site, request)
    session = looker.session if looker.person == person else ""
    return Actor(person, policy, facts, history, now, base, link.episode, link.signature, session)


async def actor_signed_in(site: Site, request: web.Request) -> Actor:
    """Who has signed in, before the incident of the address. Raises LedgerError, 404, and 303 to the sign-in."""
    looker: Viewer = await require_person(site, request)
    assert looker.person is not None
    policy, name = await site.active_policy.policy(), request.match_info["id"]
    facts, history = await recorded_history(site.ledger(), name) if ID.fullmatch(name) else ((), History())
    if history.incident is None:
        raise web.HTTPNotFound(text=UNKNOWN_INCIDENT)
    base = f"{path_before(site)}/incidents/{name}"
    return Actor(looker.person, policy, facts, history, site.clock.now(), base, session=looker.session)


async def acts_of(site: Site, looker: Viewer, incident: str) -> OfferedActs:
    """What somebody can do to an incident, for its page; nothing without having signed in. Raises LedgerError."""
    person = looker.person
    if person is None:
        return OfferedActs()
    facts, history = await recorded_history(site.ledger(), incident)
    if history.incident is None:
        return OfferedActs()
    policy, now = await site.active_policy.policy(), site.clock.now()
    actor = Actor(person, policy, facts, history, now, "", session=looker.session)
    options, names = actor.options, actor.open_roles
    answers = [Offer(Act.OK, actor.accept_label)] if options.takes else []
    answers += [Offer(Act.PASS, "Pass")] if options.passes and options.urges else []
    answers += [Offer(Act.HEALTHY, "Healthy"), Offer(Act.UNHEALTHY, "Not healthy")] if options.confirms else []
    acts = [act for act in offered(options, person=person.id) if act not in [answer.name for answer in answers]]
    acts += [Act.PASS] if options.passes and not options.urges else []  # giving up is not what is looked for
    offers = [Offer(act, act.traits.offer) for act in acts]
    to_be = f"You are asked to be {names}" if names and options.takes else "What you can do"
    asked = "Is it healthy?" if options.confirms else to_be
    return OfferedActs(asked, tuple(answers), tuple(offers[:BIG]), tuple(offers[BIG:]))


def path_before(site: Site) -> str:
    """What stands before our paths where a browser reaches us."""
    return urlsplit(site.reply_routes.public_url).path


async def _is_public(site: Site, incident: str, policy: Policy, now: datetime) -> bool:
    """Whether there is anything for outsiders."""
    both_views = await views(incident, site.ledger(), policy, site.settings.limits, now)
    return both_views is not None and both_views.public is not None
