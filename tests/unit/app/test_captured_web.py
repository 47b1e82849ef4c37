"""A web side that was taken over, at the daemon's gate (P8): it holds the signing key, reads the ledger, and leaves what
it likes. It signs nobody in whose code it never saw, and acts for nobody whose cookie it never saw. tests/attacks has
the same with real users.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tocsin.app.reply_options import seals, signed_links
from tocsin.app.state.sign_in_codes import REMEMBERED_MOST, TRIES, SignInCodes, browser_digest
from tocsin.domain.arrival import (
    AnswerEntry,
    Arrival,
    ArrivalKind,
    CodeEntry,
    DeclareEntry,
    EditEntry,
    LeaveEntry,
    SignInEntry,
    SignOutEntry,
)
from tocsin.domain.delivery import Content
from tocsin.domain.facts import Answer
from tocsin.domain.incident import Edit, Status
from tocsin.domain.notification import SIGN_IN_CODE
from tocsin.domain.people import SESSION_LASTS, Channel, Session, session_digest

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import see
from tests.fakes.clock import StillClock
from tests.fakes.inbox import JudgedInbox
from tests.fakes.ledger import MemoryLedger
from tests.unit.web.links import CARD, KEY, settings

PROOF, MINE = "what a browser proves itself by", "the id of a session of mine"
ASKED = SignInEntry("asked00001", "ana", Channel.SMS, browser_digest(PROOF))


@pytest.fixture
async def inbox() -> JudgedInbox:
    ledger = MemoryLedger()
    await see(ledger, CARD)
    return JudgedInbox(StillClock(T0), ledger, shipped_policy, settings())


def typed(ref: str, code: str, request: str = ASKED.ref, proof: str = PROOF, session: str = MINE) -> CodeEntry:
    return CodeEntry(ref, request, code, proof, session_digest(session))


async def who_is_in(inbox: JudgedInbox) -> list[str]:
    """Who is signed in, as daemon and ledger have it."""
    known = [session.person for session in await inbox._ledger.sessions()]
    assert inbox.sessions.person_of(MINE, inbox._clock.now()) == (known[0] if known else None)
    return known


async def test_it_signs_in_whose_code_it_saw_and_nobody_else(inbox: JudgedInbox) -> None:
    """The right code, for that request, once; sealed or not."""
    await inbox.leave(ASKED)
    code = inbox.code
    guess = f"{(int(code) + 1) % 10**6:06}"
    for number, wrong in enumerate(
        (typed("", guess), typed("", code, request="another001"), typed("", code, proof="x"), typed("", ""))
    ):
        await inbox.leave(replace(wrong, ref=f"wrong0000{number}"))
    assert await who_is_in(inbox) == []
    await inbox.leave(seals.sealed(typed("right00001", code), [KEY]))
    assert await who_is_in(inbox) == ["ana"]
    await inbox.leave(typed("again00001", code, session="another"))
    await inbox.leave(replace(ASKED, ref="asked00002"))
    await inbox.leave(typed("again00002", code, request="asked00002", session="another"))
    assert len(await who_is_in(inbox)) == 1


async def test_it_guesses_five_times_a_request_and_asks_few_times_an_hour(inbox: JudgedInbox) -> None:
    """P8: whoever it names, and however: three SMS and ten mails an hour leave, so 65 guesses in a million."""
    own = signed_links.answer([KEY], "card", "ana").rpartition("/")[2]
    for number in range(40):
        asked = replace(ASKED, ref=f"flood{number:05}", via=Channel.EMAIL if number % 2 else Channel.SMS)
        await inbox.leave(asked)
        await inbox.leave(replace(asked, ref=f"linked{number:04}", incident="card", episode=1, signature=own))
    ways = [letter.notification.via for letter in inbox.sent.letters]
    assert (ways.count(Channel.SMS), ways.count(Channel.EMAIL)) == (3, 10)
    assert {letter.notification.to for letter in inbox.sent.letters} == {"ana"}
    tries = [inbox.codes.try_code(f"try{number}", ASKED.ref, "1", PROOF, T0).left for number in range(7)]
    assert tries == [4, 3, 2, 1, 0, 0, 0]
    assert {notice.about for notice in inbox.notices.take()} == {"ana"}


async def test_other_tries_make_none_forgotten(inbox: JudgedInbox) -> None:
    """P8: five a request, however many codes are typed for requests that are over, or nobody's."""
    await inbox.leave(ASKED)
    for number in range(TRIES):
        inbox.codes.try_code(f"try{number}", ASKED.ref, "1", PROOF, T0)
    for number in range(REMEMBERED_MOST + 1):
        inbox.codes.try_code(f"other{number}", f"nobody{number}", "1", PROOF, T0)
    tried = inbox.codes.try_code("last", ASKED.ref, inbox.code, PROOF, T0)
    assert (tried.right, tried.left) == (False, 0)


async def test_its_words_go_to_nobody(inbox: JudgedInbox) -> None:
    """Whom it names is a person of the config or nobody, the address theirs, the text ours: no word of its own leaves."""
    for number, who in enumerate(("+4917012345678", "mallory@example.net", "%CODE% call +4917012345678", "engineers")):
        await inbox.leave(replace(ASKED, ref=f"stranger0{number}", who=who))
    assert inbox.sent.letters == []
    await inbox.leave(ASKED)
    (letter,) = inbox.sent.letters
    shown = inbox.codes.put_in(letter.notification.key, letter.content).text
    said = shown.replace(inbox.code, "N")
    assert (
        said
        == "Example: N is your code to sign in. It is good for 5 minutes. Not asked for? Tell it to nobody.\n@tocsin.example.com #N"
    )


async def test_a_forged_link_asks_for_nobody(inbox: JudgedInbox) -> None:
    """One that no key of ours signed is refused, and told."""
    for signature, who in (("A" * 22, "ana"), (signed_links.answer([KEY], "card", "bo").rpartition("/")[2], "ana")):
        asked = replace(ASKED, ref=f"forged{len(signature):04}{len(inbox.refused)}", who=who)
        await inbox.leave(replace(asked, incident="card", episode=1, signature=signature))
    assert (len(inbox.refused), inbox.sent.letters) == (2, [])


@pytest.mark.parametrize("session", ["", "guessed", session_digest(MINE), MINE + "x"])
async def test_it_acts_for_nobody_whose_cookie_it_never_saw(inbox: JudgedInbox, session: str) -> None:
    """What the ledger knows of a session is no session; with a link's signature it may not say what needs one."""
    await inbox._ledger.begin_session(Session(session_digest(MINE), "ana", T0))
    inbox.sessions.add(Session(session_digest(MINE), "ana", T0))
    over = Edit(status=Status.RESOLVED)
    acts: list[Any] = [
        EditEntry("edit000001", "card", "ana", 0, "", session, "v", over),
        DeclareEntry("declare001", "ana", session, "Call +4917012345678", "sev1"),
        AnswerEntry("answer0001", "card", 0, "ana", Answer.OK, "", session),
    ]
    for act in acts:
        await inbox.leave(act)
        await inbox.leave(replace(act, ref=act.ref[:-1] + "2", person="bo", session=MINE))  # her cookie, his name
    assert len(inbox.refused) == 6
    assert not inbox._ledger.pages.arrivals


async def test_it_ends_what_it_saw_and_nothing_else(inbox: JudgedInbox) -> None:
    """The word that ends everybody's sessions is for commands; that it brings it is told."""
    for id_ in (MINE, "another"):
        await inbox._ledger.begin_session(Session(session_digest(id_), "ana", T0))
        inbox.sessions.add(Session(session_digest(id_), "ana", T0))
    await inbox.leave(SignOutEntry("allout0001", ""))
    await inbox.leave(LeaveEntry("leave00001", session_digest(MINE)))
    assert len(await who_is_in(inbox)) == 2
    assert "only commands do" in inbox.refused[0].why
    await inbox.leave(seals.sealed(LeaveEntry("leave00002", MINE), [KEY]))
    assert await inbox._ledger.session(session_digest("another"))
    assert await inbox._ledger.session(session_digest(MINE)) is None


async def test_what_is_sealed_opens_nowhere_else() -> None:
    """Of one field and one reference, by one of our keys; without a key nothing is sealed, since there is one user."""
    entry = LeaveEntry("leave00001", "é" * 20)
    sealed = seals.sealed(entry, [KEY, "an older one"])
    assert isinstance(sealed, LeaveEntry)
    assert sealed != seals.sealed(entry, ["an older one"])
    assert sealed.session.startswith("~")
    for keys in ([KEY], ["an older one", KEY]):
        assert seals.opened(sealed, keys) == entry
    for wrong, keys in (
        (sealed, ["another"]),
        (sealed, []),
        (replace(sealed, ref="leave00002"), [KEY]),
        (replace(sealed, session=sealed.session[:-3]), [KEY]),
        (replace(sealed, session="~"), [KEY]),
        (replace(sealed, session="~\u00e9"), [KEY]),
    ):
        opened = seals.opened(wrong, keys)
        assert isinstance(opened, LeaveEntry)
        assert opened.session == ""
    assert seals.sealed(entry, []) == entry


async def test_sessions_end(inbox: JudgedInbox) -> None:
    """P8: after 12 h, and when their person leaves the config: also if they come back."""
    ledger, clock = inbox._ledger, inbox._clock
    for digest, person, at in (("d1", "ana", T0), ("d2", "bo", T0 + timedelta(hours=1)), ("d3", "gone", T0)):
        await ledger.begin_session(session := Session(digest, person, at))
        inbox.sessions.add(session)
    await inbox.sign_ins.look()
    assert [session.digest for session in await ledger.sessions()] == ["d1", "d2"]
    clock.go(SESSION_LASTS - timedelta(seconds=1))
    await inbox.sign_ins.look()
    assert len(await ledger.sessions()) == 2
    clock.go(timedelta(seconds=1))
    await inbox.sign_ins.look()
    assert [session.digest for session in await ledger.sessions()] == ["d2"]
    assert inbox.sessions.of() == ["d2"]


async def test_a_request_that_waited_too_long_is_answered_by_nothing(inbox: JudgedInbox) -> None:
    """Who asked while the daemon was away has given up: no code wakes them later."""
    inbox.away = True
    await inbox.leave(ASKED)
    name_at = inbox._clock.now()
    inbox._clock.go(timedelta(minutes=5))
    waited = Arrival(ArrivalKind.SIGN_IN, "asked00001", "ana", f"sms {ASKED.browser} name", name_at)
    assert await inbox.sign_ins.ask(waited) == "late"
    assert await inbox.sign_ins.ask(replace(waited, ref="asked00002", who="gone", at=inbox._clock.now())) == "unknown"
    assert inbox.sent.letters == []


def test_a_code_leaves_once_known_and_is_forgotten() -> None:
    """Until its message is settled the code is known, then its hash; nobody who reads memory's rests finds it."""
    codes = SignInCodes()
    codes.begin("asked00001", "ana", browser_digest(PROOF), "012345", "key", T0)
    words = Content(f"{SIGN_IN_CODE} is it", "s", f"<b>{SIGN_IN_CODE}</b>")
    assert codes.may_leave("key", T0)
    assert codes.put_in("key", words) == Content("012345 is it", "s", "<b>012345</b>")
    assert codes.put_in("another", words) == words
    codes.forget("key")
    assert not codes.may_leave("key", T0)
    assert "012345" not in repr(vars(codes))
    assert codes.try_code("try1", "asked00001", "012345", PROOF, T0).right
    codes.begin("asked00002", "ana", browser_digest(PROOF), "543210", "key2", T0)
    assert not codes.may_leave("key2", T0 + timedelta(minutes=5))
    assert not codes.try_code("try2", "asked00002", "543210", PROOF, T0 + timedelta(minutes=5)).right
