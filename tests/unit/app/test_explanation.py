"""What `tocsin explain` tells: an incident at an instant, out of a real ledger, as values and as the page people read."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.app.incidents.explanation import Explanation, UnknownIncidentError, explain, policy_since
from tocsin.cli.output.explain_lines import IN_FULL, WIDTH, ExplainReader, lines
from tocsin.domain.delivery import Accepted, Bundle, Content, Deferred, Fault, Letter, Outcome, Refused, Uncertain
from tocsin.domain.facts import Answer, Answered, ChannelRefused, RefusalTakenBack, Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel
from tocsin.formats.incident.read import digest
from tocsin.formats.settings.limits import AddressLimits

from tests.builders.instants import T0
from tests.builders.loading import load
from tests.builders.policies import SHIPPED_CONFIG, shipped_policy
from tests.builders.stories import happen, on_duty, pass_time, see
from tests.fakes.ledger import MemoryLedger

CARD = Incident("card", "Card payments fail", "sev1")
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqlLedger]:
    ledger = SqlLedger(FileStore(open_file(tmp_path / "tocsin.db", "x")))
    yield ledger
    await ledger.close()


async def told(
    ledger: SqlLedger | None, folder: Path, now: datetime, at: datetime | None = None, id_: str = "card"
) -> Explanation:
    return await explain(id_, shipped_policy(), ledger, IncidentFiles(folder), at, now, AddressLimits())


def page(found: Explanation, reader: ExplainReader | None = None) -> list[str]:
    return list(lines(found, shipped_policy(), reader or ExplainReader()))


def section(shown: list[str], heading: str) -> str:
    """A section's lines, joined, each run of blanks as one."""
    start = next(number for number, line in enumerate(shown) if line.startswith(heading))
    ends = [number for number, line in enumerate(shown) if not line and number > start]
    return " ".join(" ".join(shown[start + 1 : ends[0] if ends else None]).split())


async def test_a_file_alone(tmp_path: Path) -> None:
    """A file that no daemon has seen is explained by what it would bring about; nothing is said to have been sent."""
    (tmp_path / "card.yaml").write_text("title: Card payments fail\nseverity: sev1\nbogus: 1\n")
    found = await told(None, tmp_path, T0)
    assert (found.seen, found.sent, found.at) == (False, (), T0)
    assert {each.first.reason for each in found.coming if each.first.at == T0} == {Reason.DECLARED}
    shown = page(found)
    assert shown[1] == "card, investigating, not seen by the daemon yet"
    assert any(line.startswith("! ") and "card.yaml:3:1: " in line for line in shown)
    assert not any(line.startswith("WHAT WAS") for line in shown)
    with pytest.raises(UnknownIncidentError):
        await told(None, tmp_path, T0, id_="nosuch")


async def test_who_was_woken_why_and_what_comes(ledger: SqlLedger, tmp_path: Path) -> None:
    """Paged, escalated, accepted, told of a change: each with its reason and its rule in words, at the right instants."""
    await see(ledger, CARD)
    lead = on_duty("engineers")
    named = shipped_policy().people[lead].name
    await happen(ledger, "card", Answered(T0 + 4 * MINUTE, lead, Answer.OK))
    shown = page(await told(ledger, tmp_path, T0 + 4 * MINUTE))
    assert shown[0] == "SEV1 Card payments fail"
    assert shown[1] == "card, investigating, for 4 minutes, since 10:00:00"
    assert f"config revision {shipped_policy().revision}" in shown[2]
    assert f"Technical Lead {named}, accepted 10:04:00 by answering the page" in section(shown, "WHO HOLDS")
    assert "Scribe nobody yet: Eli Brandt paged 10:00:00 (level 0 of 0–2, round 1)" in section(shown, "WHO HOLDS")
    place = shipped_policy().roles["technical_lead"].chain[0].place
    sent = section(shown, "WHAT WAS SENT")
    assert f"10:00:00 page to {named} by sms, email: accepted {place} declared: first page for Technical Lead" in sent
    coming = section(shown, "WHAT COMES NEXT IF NOBODY DOES ANYTHING")
    said = "escalated: nobody accepted Scribe (level 1, round 1, acknowledge_within 5m)"
    next_place = shipped_policy().roles["scribe"].chain[1].place
    assert f"10:05:00 page to Dee Okafor by sms, email {next_place} {said}" in coming
    assert "Technical Lead" not in coming
    assert max(map(len, shown)) <= WIDTH
    turn = "engineers.on_call: Fay Moreau, turn until Thu 26 Nov 09:00 (config/rotations.yaml:17)"
    assert turn in section(shown, "WHAT WAS SENT")
    assert len(shown) <= 44, "one screen, with whose turn it was below the two pages that a rotation decided"


async def test_as_it_stood_then(ledger: SqlLedger, tmp_path: Path) -> None:
    """`--at` knows nothing of what came later: not who accepted, nor what was sent, nor that it is resolved."""
    await see(ledger, CARD)
    lead = on_duty("engineers")
    await happen(ledger, "card", Answered(T0 + 4 * MINUTE, lead, Answer.OK))
    before = await told(ledger, tmp_path, T0 + 5 * MINUTE)
    await see(ledger, replace(CARD, status=Status.RESOLVED), T0 + 50 * MINUTE, "e")
    now = T0 + 60 * MINUTE
    then = await told(ledger, tmp_path, now, T0 + 4 * MINUTE)
    assert (then.incident, then.sent) == (before.incident, before.sent)
    assert lead in [role.history.holder for role in then.roles]
    assert [each.history.holder for each in (await told(ledger, tmp_path, now, T0 + MINUTE)).roles] == [None] * 4
    over = await told(ledger, tmp_path, now)
    assert {each.first.kind for each in over.coming} == {Kind.VERIFY}
    shown = page(over)
    assert shown[1] == "card, resolved, since 10:50:00, after 50 minutes"
    assert "closing to 7 readers by sms, email: accepted " in section(shown, "WHAT WAS SENT")
    assert "verify due: is the system healthy?" in section(shown, "WHAT COMES NEXT")
    with pytest.raises(UnknownIncidentError, match="first saw it at 2026-11-23T10:00:00Z"):
        await told(ledger, tmp_path, now, T0 - MINUTE)


async def test_one_person(ledger: SqlLedger, tmp_path: Path) -> None:
    """Asked by one person, nothing is folded, nobody else's messages are told, and the revision stands in the head alone.
    Whatever named them in a page is said, once.
    """
    await see(ledger, CARD)
    for minutes in range(5, 60, 5):
        await happen(ledger, "card", ChannelRefused(T0 + minutes * MINUTE, "nobody@example.com", Channel.EMAIL))
    found = await told(ledger, tmp_path, T0 + 55 * MINUTE)
    mine = [each for each in found.sent if each.first.to == "dee"]
    pages = [each for each in mine if each.first.kind is Kind.PAGE]
    shown = section(page(found, ExplainReader(zone="Asia/Kolkata", person="dee")), "WHAT WAS SENT")
    assert shown.count("page to Dee Okafor") == len(pages) > 3
    assert "Eli Brandt" not in shown
    assert shown.startswith("15:30:00 page to Dee Okafor")
    assert len(mine) > len(pages)
    shown = "\n".join(page(found, ExplainReader(zone="Asia/Kolkata", person="dee")))
    assert shown.count(shipped_policy().revision) == 1
    asks = "sev1 asks for Communications (config/severities.yaml:14); level 0 of its chain names them (config/roles.yaml:23)"
    assert " ".join(shown.split()).count(asks) == 1


async def test_why_not_me(ledger: SqlLedger, tmp_path: Path) -> None:
    """Asked by somebody who was not paged: what kept each page from them, and what comes to them if nobody answers."""
    await see(ledger, CARD)
    await happen(ledger, "card", Answered(T0 + 4 * MINUTE, on_duty("engineers"), Answer.OK))
    found = await told(ledger, tmp_path, T0 + 4 * MINUTE)
    shown = page(found, ExplainReader(person="chen"))
    why = section(shown, "WHY CHEN WEI, AND WHY NOT")
    assert "Fay Moreau accepted it 10:04:00, before that level was asked" in why
    assert "Scribe they are not in its chain (config/roles.yaml:28)" in why
    assert section(shown, "WHAT WAS SENT") == "nothing yet"
    assert section(shown, "WHAT COMES NEXT").startswith("12:09:00 page to Chen Wei by sms, email")
    ceo = page(found, ExplainReader(person="gus"))
    assert "no page to them by 14:04:00" in section(ceo, "WHAT COMES NEXT")
    assert max(map(len, shown + ceo)) <= WIDTH


async def test_another_revision_is_told_once(ledger: SqlLedger, tmp_path: Path) -> None:
    """What was decided under another config stands below its revision, told once; whom a rotation of it meant is not
    guessed from this one.
    """
    await see(ledger, CARD)
    now = replace(shipped_policy(), revision="0123456789ab")
    found = await explain("card", now, ledger, IncidentFiles(tmp_path), None, T0 + MINUTE, AddressLimits())
    shown = list(lines(found, now, ExplainReader()))
    before = shipped_policy().revision
    sent = section(shown, "WHAT WAS SENT")
    assert sent.startswith(f"under config revision {before}: 10:00:00 page to")
    assert "\n".join(shown).count(before) == 2, "once for what was sent, once for what was held back"
    assert "engineers.on_call" not in sent


async def test_long_histories_are_folded_honestly(ledger: SqlLedger, tmp_path: Path) -> None:
    """What does not fit is counted: shown, repeated and folded messages are all there were. --all shows each."""
    await see(ledger, CARD)
    for minutes in range(5, 100, 5):
        await happen(ledger, "card", ChannelRefused(T0 + minutes * MINUTE, "nobody@example.com", Channel.EMAIL))
    found = await told(ledger, tmp_path, T0 + 95 * MINUTE)
    assert len(found.sent) > 5 * IN_FULL
    shown = page(found)
    sent = section(shown, "WHAT WAS SENT")
    rows = sum(1 for line in shown[: shown.index("WHAT COMES NEXT IF NOBODY DOES ANYTHING")] if ": accepted" in line)
    assert f"… {len(found.sent) - rows} earlier ones are folded; --all shows everything" in sent
    assert "more like it since 10:00:00" in sent
    whole = section(page(found, ExplainReader(whole=True)), "WHAT WAS SENT")
    assert whole.count(": accepted") == len(found.sent)
    assert "folded" not in whole


async def test_what_became_of_it(ledger: SqlLedger, tmp_path: Path) -> None:
    """A refusal, an uncertain try and a second copy are told where they are."""
    await happen(ledger, "card", Seen(T0, CARD, "d"), Refused("no such user\x1b[31m", "550"))
    found = await told(ledger, tmp_path, T0)
    assert "refused (550 no such user)" in section(page(found), "WHAT WAS SENT")
    other = replace(CARD, id="other")
    await happen(ledger, "other", Seen(T0, other, "d"), Uncertain("the line dropped", ""))
    (first, *_) = [each for each in await ledger.records("other") if each.attempts]
    again = await ledger.begin_attempt(
        first.attempts[0].reference, first.attempts[0].via, "x", T0 + MINUTE, "a lost line"
    )
    await ledger.end_attempt(again, Refused("gone", ""), T0 + MINUTE)
    shown = section(
        page(await told(ledger, tmp_path, T0 + MINUTE, id_="other"), ExplainReader(whole=True)), "WHAT WAS SENT"
    )
    assert "uncertain (the line dropped)" in shown
    assert "possible duplicate (a lost line)" in shown


async def bundled(ledger: SqlLedger, others: int, last: Outcome = Accepted("SM1")) -> None:  # noqa: B008 - a value
    """A page of the incident left two minutes late in one SMS with those of `others`, by the second provider, which ended
    as `last`.
    """
    await see(ledger, CARD)
    (first, *_) = [record.notification for record in await ledger.records("card") if record.attempts]
    pages = [replace(first, key="again", at=T0 + 5 * MINUTE, reason=Reason.ESCALATED, via=Channel.SMS)]
    pages += [replace(first, key=f"k{n}", incident=f"2026-11-23-disk-full-on-db-{n}") for n in range(others)]
    for wanted in pages:
        await ledger.record(wanted.incident, (), [Letter(wanted, Content("words"))], ())
    bundle, keys, at = Bundle("b", Content("many")), [wanted.key for wanted in pages], T0 + 7 * MINUTE
    for provider, outcome in (("main", Deferred("no capacity", "503")), ("spare", last)):
        for attempt in await ledger.begin_bundle(bundle, keys, Channel.SMS, "+14155550101", at, {}, provider=provider):
            await ledger.end_attempt(attempt, outcome, at)
    for key in keys:
        await ledger.settle(key, "accepted", at)


@pytest.mark.parametrize("width", [100, 80])
async def test_what_a_page_left_with(ledger: SqlLedger, tmp_path: Path, width: int) -> None:
    """P6: of a bundle it is told when it left, together with what, and by which provider; of many incidents the first,
    or all to who asks for everything. It fits a narrow terminal.
    """
    await bundled(ledger, 7)
    found = await told(ledger, tmp_path, T0 + 8 * MINUTE)
    shown = page(found, ExplainReader(width=width))
    assert max(map(len, shown)) <= width
    sent = section(shown, "WHAT WAS SENT")
    assert "by sms: accepted by spare (main: put off, 503 no capacity)" in sent
    names = [f"2026-11-23-disk-full-on-db-{n}" for n in range(7)]
    left = "one SMS at 10:07:00 carried this and 7 other pages: "
    assert f"{left}{', '.join(names[:4])} and 3 more incidents" in sent
    whole = section(page(found, ExplainReader(whole=True, width=width)), "WHAT WAS SENT")
    assert left + ", ".join(names) in whole
    before = await told(ledger, tmp_path, T0 + 8 * MINUTE, T0 + 6 * MINUTE)
    assert "carried" not in section(page(before), "WHAT WAS SENT")


async def test_a_message_for_several_that_has_not_left(ledger: SqlLedger, tmp_path: Path) -> None:
    """P6: it is not told that a message carried them which no provider took."""
    await bundled(ledger, 1, Deferred("busy"))
    sent = section(page(await told(ledger, tmp_path, T0 + 8 * MINUTE)), "WHAT WAS SENT")
    assert "one SMS for this and 1 other page was tried last at 10:07:00: 2026-11-23-disk-full-on-db-0" in sent
    assert "carried" not in sent


async def test_two_pages_in_one_message(ledger: SqlLedger, tmp_path: Path) -> None:
    """P6: each of them names the other."""
    await bundled(ledger, 1)
    sent = section(page(await told(ledger, tmp_path, T0 + 8 * MINUTE)), "WHAT WAS SENT")
    assert "one SMS at 10:07:00 carried this and 1 other page: 2026-11-23-disk-full-on-db-0" in sent


async def test_a_refusal_that_was_taken_back(ledger: SqlLedger, tmp_path: Path) -> None:
    """Rule 38: what stands there as refused says that the provider was wrong, to whoever reads it afterwards."""
    await happen(ledger, "card", Seen(T0, CARD, "d"), Refused("no such user", "550", Fault.MESSAGE))
    first = next(record for record in await ledger.records("card") if record.attempts)
    attempt = first.attempts[0]
    reader = first.notification.to
    back = RefusalTakenBack(T0 + MINUTE, reader, attempt.via, attempt.address)
    await ledger.record("card", [back], (), ())
    sent = section(page(await told(ledger, tmp_path, T0 + 2 * MINUTE)), "WHAT WAS SENT")
    provider, word = attempt.via.traits.provider, attempt.via.traits.address_word
    assert sent.count(f"taken back at 10:01:00: {provider} was wrong to refuse that {word}; it is good") == 1
    before = section(page(await told(ledger, tmp_path, T0 + 2 * MINUTE, T0 + MINUTE / 2)), "WHAT WAS SENT")
    assert "taken back" not in before


async def test_what_was_held_back(ledger: SqlLedger, tmp_path: Path) -> None:
    """Whoever holds another role gets no stand-down, and that is told with its rule."""
    await see(ledger, CARD)
    await happen(ledger, "card", ChannelRefused(T0 + 5 * MINUTE, "x@example.com", Channel.EMAIL))
    await happen(ledger, "card", Answered(T0 + 7 * MINUTE, "bo", Answer.OK))
    found = await told(ledger, tmp_path, T0 + 7 * MINUTE)
    place = shipped_policy().roles["incident_commander"].place
    said = f"10:07:00 stand-down to Fay Moreau {place} still needed (incident_commander: holds or is asked for another"
    assert said in section(page(found), "WHAT WAS HELD BACK")
    assert section(page(found, ExplainReader(person="fay")), "WHAT WAS HELD BACK").startswith(
        "10:07:00 stand-down to Fay"
    )
    assert section(page(found, ExplainReader(person="dee")), "WHAT WAS HELD BACK") == "nothing yet"


async def test_unreadable(ledger: SqlLedger, tmp_path: Path) -> None:
    """A file that cannot be read: who is paged for it, why, and how it begins."""
    await see(ledger, Incident("card", "card", "sev1", summary="{{{ nonsense", unreadable=True))
    shown = page(await told(ledger, tmp_path, T0))
    assert shown[1].startswith("card, unreadable, ")
    assert "! the file cannot be read; it begins: {{{ nonsense" in shown
    assert "last resort: the incident file cannot be read" in section(shown, "WHAT WAS SENT")
    assert section(shown, "WHO HOLDS").startswith("File unreadable nobody yet: ")
    assert "passed" not in section(shown, "WHO HOLDS")
    await happen(ledger, "card", Answered(T0 + MINUTE, "ana", Answer.PASS))
    held = section(page(await told(ledger, tmp_path, T0 + 2 * MINUTE)), "WHO HOLDS")
    assert "File unreadable nobody yet: " in held
    assert "; passed: Ana Souza" in held
    await happen(ledger, "card", Answered(T0 + 3 * MINUTE, "bo", Answer.OK))
    held = section(page(await told(ledger, tmp_path, T0 + 4 * MINUTE)), "WHO HOLDS")
    assert held == "File unreadable nobody is paged for it any more: correct the file; passed: Ana Souza"


async def test_first_seen_resolved(ledger: SqlLedger, tmp_path: Path) -> None:
    """An incident that was over when first seen sent nothing and sends nothing."""
    await see(ledger, replace(CARD, status=Status.RESOLVED))
    found = await told(ledger, tmp_path, T0 + MINUTE)
    assert (found.sent, found.coming) == ((), ())
    assert page(found)[1].startswith("card, resolved, since 10:00:00")


async def test_tries_as_they_stood_then(ledger: SqlLedger, tmp_path: Path) -> None:
    """`--at` tells of a try only once it began, of its end only once it had ended, and of a state that held then."""
    await see(ledger, CARD)
    (first, *_) = [record for record in await ledger.records("card") if record.attempts]
    done = first.attempts[0]
    again = await ledger.begin_attempt(done.reference, done.via, done.address, T0 + 2 * MINUTE, "a lost line")
    await ledger.end_attempt(again, Refused("gone", "550"), T0 + 4 * MINUTE)

    async def outcomes(minutes: int) -> list[str]:
        found = await told(ledger, tmp_path, T0 + 10 * MINUTE, T0 + minutes * MINUTE)
        (record,) = [
            record
            for group in found.sent
            for record in group.records
            if record.attempts and record.attempts[0].reference == done.reference
        ]
        assert record.state == first.state
        return [type(attempt.outcome).__name__ for attempt in record.attempts]

    assert await outcomes(1) == ["Accepted"]
    assert await outcomes(3) == ["Accepted", "NoneType"]
    assert await outcomes(5) == ["Accepted", "Refused"]


async def test_what_was_not_sent_yet_is_not_told(ledger: SqlLedger, tmp_path: Path) -> None:
    """`--at` an instant before an escalation shows the first page only, and the escalation as what comes."""
    await see(ledger, CARD)
    await pass_time(ledger, "card", T0 + 20 * MINUTE)
    found = await told(ledger, tmp_path, T0 + 20 * MINUTE, T0 + MINUTE)
    assert {group.first.at for group in found.sent} == {T0}
    assert Reason.ESCALATED in {group.first.reason for group in found.coming}


async def test_a_file_that_was_changed_since_is_noted(ledger: SqlLedger, tmp_path: Path) -> None:
    """The daemon goes by what it saw last: a file that says something else now, or is not there, is told; the same is not."""
    text = b"title: Card payments fail\nseverity: sev1\n"
    await see(ledger, CARD)
    await ledger.keep_file("card", "card.yaml", digest(text), text)
    (tmp_path / "card.yaml").write_bytes(text)
    assert (await told(ledger, tmp_path, T0)).notes == ()
    (tmp_path / "card.yaml").write_bytes(text + b"summary: more\n")
    (note,) = (await told(ledger, tmp_path, T0)).notes
    assert "says something else" in note
    (tmp_path / "card.yaml").unlink()
    (note,) = (await told(ledger, tmp_path, T0)).notes
    assert note.startswith("there is no ")
    assert note.endswith("card.yaml; the incident goes on as it last was")
    await see(ledger, replace(CARD, status=Status.RESOLVED))
    (note,) = (await told(ledger, tmp_path, T0)).notes
    assert note.endswith("card.yaml; this is what the ledger has")


async def test_what_was_dropped_is_not_told_as_sent(ledger: SqlLedger, tmp_path: Path) -> None:
    """A letter that was overtaken before any try left stands under what was held back; one that was tried was sent."""
    await see(ledger, CARD)
    await pass_time(ledger, "card", T0 + 6 * MINUTE)
    page = next(each.decided for each in await ledger.records("card") if isinstance(each.decided, Notification))
    for key in ("tried", "never-tried"):
        await ledger.record("card", [], [Letter(replace(page, key=key, to=key), Content("words", "subject"))], [])
    attempt = await ledger.begin_attempt("tried", page.via, "+14155550199", T0 + 5 * MINUTE)
    await ledger.end_attempt(attempt, Deferred("busy", "1"), T0 + 5 * MINUTE)
    for key in ("tried", "never-tried"):
        await ledger.settle(key, "superseded", T0 + 6 * MINUTE)
    found = await told(ledger, tmp_path, T0 + 6 * MINUTE)
    assert "tried" in {message.key for group in found.sent for message in group.messages}
    assert [message.key for group in found.dropped for message in group.messages] == ["never-tried"]


async def test_since_when_the_daemon_has_its_policy() -> None:
    """The config that the daemon has counts since it took it; one that it has not seen yet, from now; without a daemon
    there is no such instant.
    """
    ledger, now = MemoryLedger(), T0 + 10 * MINUTE
    config = load(SHIPPED_CONFIG, T0, {})
    assert (await policy_since(config, None, now)).since is None
    assert (await policy_since(config, ledger, now)).since is None
    await ledger.record_config("r1", config.files, T0)
    assert (await policy_since(config, ledger, now)).since == T0
    await ledger.record_config("r2", {**config.files, "more.yaml": b""}, T0 + MINUTE)
    assert (await policy_since(config, ledger, now)).since == now


async def test_a_config_that_came_later_has_not_come_then(ledger: SqlLedger, tmp_path: Path) -> None:
    """`--at` an instant before the config was in force: that it came is no event of what comes next."""
    await see(ledger, CARD)
    at, files = T0 + MINUTE, IncidentFiles(tmp_path)

    async def coming(since: datetime | None) -> list[tuple[datetime, str, Reason]]:
        policy = replace(shipped_policy(), since=since)
        found = await explain("card", policy, ledger, files, at, T0 + 30 * MINUTE)
        return [(group.first.at, group.first.to, group.first.reason) for group in found.coming]

    assert await coming(T0 + 7 * MINUTE) == await coming(None)


@pytest.mark.parametrize("width", [100, 80])
async def test_until_when_a_page_waits_for_room(ledger: SqlLedger, tmp_path: Path, width: int) -> None:
    """P6: a page that its address has no room for says so, and by when it leaves; one that goes alone does not."""
    await see(ledger, CARD)
    (first, *_) = [record.notification for record in await ledger.records("card") if record.attempts]
    number = shipped_policy().people[first.to].phone
    for name in ("db", "web", "search"):
        wanted = replace(first, key=name, incident=name, via=Channel.SMS)
        await ledger.record(name, [Seen(T0, replace(CARD, id=name), "d")], [Letter(wanted, Content("words"))], ())
        await ledger.begin_attempt(name, Channel.SMS, number, T0 + MINUTE / 2)
    late = replace(first, key="late", at=T0 + MINUTE, reason=Reason.ESCALATED)
    letters = [Letter(replace(late, key=f"late-{via}", via=via), Content("words")) for via in Channel]
    await ledger.record("card", (), letters, ())
    found = await told(ledger, tmp_path, T0 + MINUTE)
    shown = page(found, ExplainReader(width=width))
    assert max(map(len, shown)) <= width
    sent = section(shown, "WHAT WAS SENT")
    assert "by sms, email: sms waits for room, email not sent yet" in sent
    assert "the number has had as many pages as limits.sms lets through at once: the SMS leaves by 10:02:30, as" in sent
    then = section(page(await told(ledger, tmp_path, T0 + 3 * MINUTE, T0 + MINUTE)), "WHAT WAS SENT")
    assert "room" not in then


async def test_a_page_that_waited_until_the_end_did_not_leave(ledger: SqlLedger, tmp_path: Path) -> None:
    """Rules 45 and 47: of a resolved incident's page that was never tried nobody reads that it waits, or leaves by then."""
    page_wanted = Notification("k", "card", 1, Kind.PAGE, Reason.DECLARED, T0, "dee", Channel.SMS)
    letters = [Letter(page_wanted, Content("words"))]
    await ledger.record("card", [Seen(T0, CARD, "d")], letters, ())
    await ledger.record("card", [Seen(T0 + MINUTE, replace(CARD, status=Status.RESOLVED), "e")], [], ())
    found = await told(ledger, tmp_path, T0 + 2 * MINUTE)
    assert found.sent == ()
    assert [group.records[0].state for group in found.dropped] == ["unwanted"]
