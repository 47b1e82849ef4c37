"""Who asks to sign in gets a code, who types it a session, and who signs out ends it (P8): each is an arrival, judged.

It decides whether a code is sent, and to which of a person's addresses; never to any other. Whether a typed code is
right is found at the gate, since no code goes into the ledger. It must not know what a browser shows.
"""

import asyncio
import random
from functools import partial
from urllib.parse import urlsplit

import structlog

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.sender import Sender
from tocsin.app.sign_in.code_room import SPAN, CodeRoom
from tocsin.app.sign_in.typed_code import opened_code
from tocsin.app.state.open_sessions import OpenSessions
from tocsin.domain.arrival import CODE_RIGHT, CODE_SEALED, Arrival, Judgement
from tocsin.domain.delivery import Content, Letter
from tocsin.domain.notification import NOBODY, SIGN_IN_CODE, SIGN_IN_CODE_LASTS, Kind, Notification, Reason
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel, Person, Session
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.renderer import OwnRenderer
from tocsin.wording.answer.sign_in_wording import sign_in_wording
from tocsin.wording.language.language import ENGLISH, Language

SENT, LATE, NO_ROOM, UNKNOWN = "sent", "late", "no room", "unknown"
"""What asking led to: a code is on its way; nobody waits for it any more; enough went there; the person is gone."""
ACTED, UNCHANGED, REFUSED = "acted", "unchanged", "refused"
"""Somebody is signed in, or out; nobody was to be signed out; the code was not right."""
BY_LINK, BY_NAME = "link", "name"
"""How somebody asked: they came by a link of their own, or typed who they are."""
DIGITS = 6
LOOKS_EVERY = 10.0
"""Seconds between two looks for sessions that are over."""
WRONG = "This is not the code, or it is over: each is good for 5 minutes, and once. You may try {left} more {times}."
OVER = "This was tried five times, or the code was used. Ask for a new one."
LEFT = "You are no longer in the config, so you cannot sign in."

log = structlog.get_logger()


class SignIns:
    """The judge of who signs in and out."""

    def __init__(
        self,
        clock: Clock,
        ledger: Ledger,
        context: DeliveryContext,
        sessions: OpenSessions,
        sender: Sender,
        renderer: OwnRenderer[Language],
        dice: random.Random,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = context.config
        self._notices = context.notices
        self._codes = context.sign_in_codes
        self._sessions = sessions
        self._sender = sender
        self._renderer = renderer
        self._dice = dice
        self._room = CodeRoom()

    async def ask(self, arrival: Arrival) -> str:
        """Somebody asks to sign in. Raises LedgerError: then it is judged again."""
        wished, browser, how = arrival.body.split(" ")
        now, person = self._clock.now(), self._config.policy.people.get(arrival.who)
        if person is None:
            return UNKNOWN
        if now - arrival.at >= SIGN_IN_CODE_LASTS:
            return LATE
        by_link = how == BY_LINK
        via = self._room.way(person, Channel(wished), now, by_link=by_link)
        if via is None:
            self._tell(person, f"as many codes as go to {person.name} within an hour were asked for")
            return NO_ROOM
        letter = self._letter(arrival.ref, person, via)
        code = f"{self._dice.randrange(10**DIGITS):0{DIGITS}}"
        if await self._ledger.record(NOBODY, (), [letter], ()):
            self._room.take(person, via, now, by_link=by_link)
            self._codes.begin(arrival.ref, person.id, browser, code, letter.notification.key, now)
            self._sender.enqueue([letter])
        return SENT

    async def enter(self, arrival: Arrival) -> Judgement:
        """Somebody typed a code: `body` says whether it was right, and of which session they are to be, or how often
        they may try again; or it is looked at now, as it was typed on another machine. Raises LedgerError: then it is
        judged again.
        """
        now = self._clock.now()
        if arrival.body.startswith(f"{CODE_SEALED} "):
            arrival = opened_code(self._codes, arrival, self._config.reply_routes.keys, now)
        found, what = arrival.body.split(" ")
        if found != CODE_RIGHT:
            known = self._config.policy.people.get(arrival.who)
            if known is not None and self._room.note_wrong(known.id, now):
                self._tell(known, "many wrong codes were typed in their name")
            left = int(what)
            times = "time" if left == 1 else "times"
            return Judgement(REFUSED, WRONG.format(left=left, times=times) if left else OVER)
        if arrival.who not in self._config.policy.people:
            return Judgement(REFUSED, LEFT)
        session = Session(what, arrival.who, now)
        await self._ledger.begin_session(session)
        self._sessions.add(session)
        return Judgement(ACTED)

    async def leave(self, arrival: Arrival) -> str:
        """Somebody signs out: in one browser (`body` is that session's digest), everywhere (`who`), or everybody.
        Raises LedgerError: then it is judged again.
        """
        ended = self._sessions.of(person=arrival.who, digest=arrival.body)
        await self._ledger.end_sessions(ended)
        self._sessions.end(ended)
        return ACTED if ended else UNCHANGED

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            try:
                await self.look()
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))

    async def look(self) -> None:
        """Sessions that are over, or whose person left the config, end in the ledger too: who comes back signs in anew.
        Raises LedgerError.
        """
        if ended := self._sessions.ended(self._config.configured.people, self._clock.now()):
            await self._ledger.end_sessions(ended)
            self._sessions.end(ended)

    def _letter(self, ref: str, person: Person, via: Channel) -> Letter:
        """The message, with something else in the code's place."""
        now, policy = self._clock.now(), self._config.policy
        host = urlsplit(self._config.reply_routes.public_url).hostname or ""
        words_in = partial(sign_in_wording, person, policy, host, via, now)
        content = self._renderer.render_own(words_in, via, person.language)
        if not _says_code(content):  # a template of their own without it
            content = words_in(ENGLISH).builtin(via)
        key = f"{NOBODY}/0/{Kind.SIGN_IN.value}/{ref}"
        notification = Notification(
            key, NOBODY, 0, Kind.SIGN_IN, Reason.SIGN_IN, now, person.id, via, revision=policy.revision
        )
        return Letter(notification, content)

    def _tell(self, person: Person, what: str) -> None:
        place = f" ({person.place})" if person.place else ""
        act = f"ask {person.name} whether it is they who sign in; if not, somebody else tries it in their name"
        text = f"{act}; {what}; nobody else was let in, and they can ask again within {SPAN.seconds // 60} min{place}"
        self._notices.tell(OperatorNotice(Trouble.SIGN_INS_TRIED, text, about=person.id, name=person.name))


def _says_code(content: Content) -> bool:
    return SIGN_IN_CODE in content.text and (not content.html or SIGN_IN_CODE in content.html)
