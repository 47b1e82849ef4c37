"""Acting from a phone: every form shows what it will do before it does it, whatever goes wrong gives the text back, and a
link alone does only what it may.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote

import pytest
from tocsin.domain.arrival import AnswerEntry, DeclareEntry, EditEntry, Judgement
from tocsin.domain.facts import Answer
from tocsin.domain.incident import ALERTMANAGER, Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.people import session_digest
from tocsin.ports.inbox import InboxError
from tocsin.web.acting.acts import Act
from tocsin.web.http import judged

from tests.builders.instants import MINUTE, T0
from tests.builders.stories import pass_time, see
from tests.unit.web.acting import NEW, Acting, acting, hidden

WORDS = {"text": "Failover is under way.", "public": "We found the cause and are fixing it."}


@pytest.fixture
async def bo() -> AsyncIterator[Acting]:
    async with acting() as somebody:
        yield somebody


async def going(actor: Acting, *accepted: str) -> None:
    """Ten minutes later, with those who have accepted."""
    for person in accepted or ("fay",):
        await actor.site.heard(person)
    actor.site.clock.go(10 * MINUTE)
    await pass_time(actor.site.ledger, "card", actor.site.now)


def of(actor: Acting) -> EditEntry:
    """The only edit that was left."""
    (entry,) = actor.acts
    assert isinstance(entry, EditEntry)
    return entry


async def test_an_update_is_shown_as_outsiders_read_it_before_it_leaves(bo: Acting) -> None:
    """The first press leaves nothing: it shows who hears and the mail word for word; the second sends just that."""
    await going(bo)
    path = "/incidents/card/act/update"
    _, page = await bo.get(path)
    assert bo.site.inbox.left == []
    status, _, page = await bo.post(path, hidden(page) | WORDS | {"step": "look"})
    assert status == 200
    assert bo.acts == []
    assert "Tells 3 groups: Executives, Support and Customers (outside)." in page
    assert "Customers will read this, by email:" in page
    outside = page.partition("Customers will read this")[2].partition("</figure>")[0]
    assert WORDS["public"] in outside
    assert WORDS["text"] not in outside
    assert '<button class="button news main" name="step" value="do">Send to 3 groups</button>' in page
    status, where, _ = await bo.post(path, hidden(page) | WORDS | {"step": "do"})
    assert (status, where) == (303, f"/incidents/card?done={of(bo).ref}")
    entry = of(bo)
    assert entry.edit.entry == UpdateEntry(WORDS["text"], WORDS["public"])
    assert (entry.person, entry.episode, entry.signature, entry.version) == ("bo", 0, "", "d")
    assert entry.session.startswith("~")  # sealed: the id itself stays with the browser


async def test_what_was_changed_after_the_look_is_looked_at_again(bo: Acting) -> None:
    """Nothing leaves that was not shown as it leaves, also by a form that never looked."""
    await going(bo)
    path = "/incidents/card/act/update"
    _, page = await bo.get(path)
    status, _, page = await bo.post(path, hidden(page) | WORDS | {"step": "do"})
    assert (status, bo.acts) == (200, [])
    status, _, page = await bo.post(path, hidden(page) | WORDS | {"public": "Something else", "step": "do"})
    assert (status, bo.acts) == (200, [])
    assert "You have changed the form since you looked" in page
    assert "Something else" in page.partition("Customers will read this")[2].partition("</figure>")[0]


async def test_posted_twice_it_counts_once(bo: Acting) -> None:
    """The second is led to the same outcome."""
    await going(bo)
    path = "/incidents/card/act/note"
    _, page = await bo.get(path)
    form = hidden(page) | {"note": "Restarted db-7.", "step": "do"}
    first = await bo.post(path, form)
    assert first[0] == 303
    assert await bo.post(path, form) == first
    assert len(bo.acts) == 1


async def test_the_same_form_with_other_words_is_another_act(bo: Acting) -> None:
    """A browser that brings a page back from its memory sends the old reference: nothing typed is lost."""
    await going(bo)
    path = "/incidents/card/act/note"
    _, page = await bo.get(path)
    form = hidden(page) | {"note": "Restarted db-7.", "step": "do"}
    first = await bo.post(path, form)
    second = await bo.post(path, form | {"note": "Restarted db-8."})
    assert (first[0], second[0]) == (303, 303)
    assert first[1] != second[1]
    notes = [entry.edit.note.text for entry in bo.acts if isinstance(entry, EditEntry) and entry.edit.note]
    assert notes == ["Restarted db-7.", "Restarted db-8."]


async def test_what_outsiders_would_read_otherwise_by_now_is_shown_anew(bo: Acting) -> None:
    """Nothing leaves that was not shown as it leaves, also where somebody else changed the incident meanwhile."""
    await going(bo)
    path = "/incidents/card/act/update"
    _, page = await bo.get(path)
    _, _, page = await bo.post(path, hidden(page) | WORDS | {"step": "look"})
    looked = hidden(page) | WORDS | {"step": "do"}
    bo.site.clock.go(MINUTE)
    await bo.act("title", public_title="Some payments fail")
    bo.acts.clear()
    status, _, page = await bo.post(path, looked)
    assert (status, bo.acts) == (200, [])
    assert "The incident was changed since you looked" in page
    assert "title for outsiders was empty, is Some payments fail now" in page
    assert "Some payments fail" in page.partition("Customers will read this")[2].partition("</figure>")[0]
    status, _, _ = await bo.post(path, hidden(page) | WORDS | {"step": "do"})
    assert (status, of(bo).edit.entry) == (303, UpdateEntry(WORDS["text"], WORDS["public"]))


async def test_a_form_with_a_fault_can_be_sent_again(bo: Acting) -> None:
    """Also one whose button stands with what it does, which is not known of what is wrong."""
    await going(bo, "fay", "bo")
    await bo.act("resolve", text="Rolled back.", public="It works again.")
    for act, fields in (("reviewed", {"link": "javascript:alert(1)"}), ("unhealthy", {"note": "x" * 4312})):
        path = f"/incidents/card/act/{act}"
        _, page = await bo.get(path)
        status, _, page = await bo.post(path, hidden(page) | fields | {"step": "do"})
        assert status == 422
        assert '<button class="button main" name="step" value="do">' in page


@pytest.mark.parametrize(
    ("act", "fields", "field", "value"),
    [
        ("status", {"status": "identified"}, "status", Status.IDENTIFIED),
        ("eta", {"eta": "1h"}, "eta", T0 + 70 * MINUTE),
        ("eta", {"eta": "none"}, "no_eta", True),
        ("eta", {"eta": "at", "eta_at": "13:15"}, "eta", T0 + 135 * MINUTE),
        ("eta", {"eta": "at", "eta_at": "10:00"}, "eta", T0 + timedelta(hours=23)),
        ("impact", {"impact": "All of them fail."}, "impact", "All of them fail."),
        ("severity", {"severity": "sev3"}, "severity", "sev3"),
        ("assign", {"role": "scribe", "person": "gus"}, "role", ("scribe", "gus")),
        ("title", {"public_title": "Payments"}, "public_title", "Payments"),
        ("resolve", {"text": "Rolled back.", "public": "Please try again."}, "status", Status.RESOLVED),
    ],
)
async def test_every_act_is_an_edit(bo: Acting, act: str, fields: dict[str, str], field: str, value: object) -> None:
    """What is chosen is what is left for the daemon; times are the person's."""
    await going(bo)
    status, where, page = await bo.act(act, **fields)
    assert status == 303, page
    assert where.startswith("/incidents/card?done=")
    assert getattr(of(bo).edit, field) == value


async def test_after_the_act_the_page_says_what_is_true(bo: Acting) -> None:
    """On the page behind the link, at the top; of an act that is not known nothing."""
    await going(bo)
    bo.judged = Judgement("acted", "Severity is SEV3 now, was SEV1.")
    _, where, _ = await bo.act("severity", severity="sev3")
    ref = where.partition("=")[2]
    _, page = await bo.get(bo.site.short("bo") + f"?done={ref}")
    assert '<p class="notice good done" role="status">Severity is SEV3 now, was SEV1.</p>' in page
    _, page = await bo.get(bo.site.short("bo") + "?done=ffffffffffffffffffff")
    assert 'role="status"' not in page


async def test_the_page_after_the_act_is_not_that_from_before(bo: Acting) -> None:
    """Pages are kept for a moment; the one that says what was done shows the incident as it is since."""
    await going(bo)
    _, page = await bo.get("/incidents/card")
    assert "investigating" in page
    bo.judged = Judgement("acted", "Status is identified now, was investigating.")
    _, where, _ = await bo.act("status", status="identified")
    _, page = await bo.get(where)
    shown = page.partition("<h1")[0].rpartition('role="status"')[2] + page.partition("<h1")[2]
    assert "Status is identified now" in page
    assert "identified" in shown.replace("Status is identified now, was investigating.", "")


async def test_who_accepts_or_passes_reads_at_once_that_it_is_so(bo: Acting) -> None:
    """Section 8: the incident's page says it, and shows nothing of before."""
    _, page = await bo.get("/incidents/card")
    assert "Nobody has accepted Incident Commander" in page
    _, where, _ = await bo.act("ok")
    _, page = await bo.get(where)
    assert "Nobody has accepted Incident Commander" not in page
    assert '<p class="notice good" role="status">You are Incident Commander' in page
    _, where, _ = await bo.act("pass")
    _, page = await bo.get(where)
    assert "Nobody has accepted Incident Commander" in page
    assert '<p class="notice good" role="status">You have passed on Incident Commander' in page


async def test_every_severity_says_what_it_would_do(bo: Acting) -> None:
    """Before any press: whom it pages, whom it stands down; the one that stands is no choice."""
    await going(bo)
    _, page = await bo.get("/incidents/card/act/severity")
    assert "SEV1: Critical (now)" in page
    sev3 = page.partition("SEV3: Minor")[2].partition("</section>")[0]
    assert "Stands down" in sev3
    assert ">Make it SEV3: page nobody</button>" in sev3
    assert 'value="sev1"' not in page


async def test_a_role_that_is_given_pages_now(bo: Acting) -> None:
    """And the holder stays until it is taken."""
    await going(bo, "eli")
    path = "/incidents/card/act/assign"
    _, page = await bo.get(path)
    assert "Scribe (Eli Brandt has it)" in page
    form = hidden(page) | {"role": "scribe", "person": "gus"}
    _, _, page = await bo.post(path, form | {"step": "look"})
    assert "Pages Gus Keller (Scribe) now." in page
    assert "Eli Brandt stays Scribe until Gus Keller accepts." in page
    assert "Make Gus Keller Scribe: page now</button>" in page


async def test_who_gives_a_role_that_pages_nobody_reads_whom_to_call(bo: Acting) -> None:
    """SEV4 wakes nobody: whoever was given a role hears of it from who gave it, and the form says that it is given."""
    await see(bo.site.ledger, Incident("quiet", "The wiki is slow", "sev4"), bo.site.now, "digest-of-quiet")
    path, fields = "/incidents/quiet/act/assign", {"role": "incident_commander", "person": "fay"}
    _, page = await bo.get(path)
    status, _, page = await bo.post(path, hidden(page) | fields | {"step": "look"})
    assert status == 200
    assert "Nobody tells Fay Moreau of it: call them, +14155550106." in page
    _, _, page = await bo.post(path, hidden(page) | fields | {"person": "bo", "step": "look"})
    assert "Nobody tells" not in page
    await see(
        bo.site.ledger,
        Incident("quiet", "The wiki is slow", "sev4", roles=(("incident_commander", "fay"),)),
        bo.site.now,
        "b",
    )
    _, page = await bo.get(path)
    assert "Incident Commander (given to Fay Moreau, not accepted)" in page


async def test_who_is_asked_for_nothing_is_offered_no_answer(bo: Acting) -> None:
    """Neither accepting nor passing would mean anything: a sentence, and no button."""
    bo.person, bo.id = "gus", "of-gus"
    await bo.begin()
    for act in (Act.OK, Act.PASS):
        status, page = await bo.get(f"/incidents/card/act/{act}")
        assert status == 409
        assert "asked for n" in page
        assert "<button" not in page.partition("<main")[2]


async def test_the_end_asks_for_a_word_for_outsiders_who_heard_of_it(bo: Acting) -> None:
    """Rule 58: who heard the start reads more than that it ended; or somebody says that they get no word."""
    await going(bo)
    path = "/incidents/card/act/resolve"
    _, page = await bo.get(path)
    status, _, page = await bo.post(path, hidden(page) | {"text": "Rolled back.", "step": "look"})
    assert status == 422
    assert "Customers heard of it and would read nothing about how it ended." in page
    assert ">\nRolled back.".replace("\n", " ") in page
    form = hidden(page) | {"text": "Rolled back.", "without_public": "yes"}
    status, _, page = await bo.post(path, form | {"step": "look"})
    assert status == 200
    assert "We have not published what the cause was." in page
    assert ">Resolve it: tell" in page


async def test_the_first_word_that_an_acceptance_lets_out_can_be_read_before(bo: Acting) -> None:
    """Accepting by link is one press; what customers read because of it stands there word for word."""
    _, page = await bo.get(bo.site.short("bo"))
    told = page.partition("If you accept: ")[2].partition("</form>")[0]
    assert "Customers (outside)" in told
    assert "Customers will read this, by email:" in told
    assert "We are investigating." in told


async def test_answers_of_who_is_signed_in_are_answers(bo: Acting) -> None:
    """Accept and pass say what they do, and are left as answers with the session."""
    _, page = await bo.get("/incidents/card/act/ok")
    assert ">Accept: I am Incident Commander</button>" in page
    status, _, _ = await bo.post("/incidents/card/act/ok", hidden(page) | {"step": "do"})
    assert status == 303
    (entry,) = bo.site.inbox.left
    assert isinstance(entry, AnswerEntry)
    assert (entry.person, entry.answer, entry.signature, entry.episode) == ("bo", Answer.OK, "", 0)
    _, page = await bo.get("/incidents/card/act/pass")
    assert ">Pass: page" in page


async def test_not_healthy_shows_whom_it_wakes_and_opens_it_again(bo: Acting) -> None:
    """One press, after what it does was read."""
    await going(bo, "fay", "bo")
    await bo.act("resolve", text="Rolled back.", public="It works again.")
    bo.acts.clear()
    _, page = await bo.get("/incidents/card/act/unhealthy")
    assert "now." in page.partition("What this does")[2].partition("</section>")[0]
    assert ">Not healthy: page " in page
    status, _, _ = await bo.post("/incidents/card/act/unhealthy", hidden(page) | {"step": "do", "note": "Still 500s."})
    assert status == 303
    entry = of(bo)
    assert entry.not_healthy
    assert entry.edit.note is not None
    _, page = await bo.get(bo.site.short("fay") + f"?done={entry.ref}")  # a link of the time before
    assert '<p class="lead" role="status">It is true now.</p>' in page
    assert "This link is from an earlier time that this incident was open." in page


async def test_health_is_an_answer_of_who_was_asked_and_else_an_edit(bo: Acting) -> None:
    """Whoever has signed in may say so; a link of somebody who was not asked leads to the sign-in."""
    await going(bo, "fay", "bo")
    await bo.site.seen(status=Status.RESOLVED)
    bo.site.clock.go(31 * MINUTE)
    await pass_time(bo.site.ledger, "card", bo.site.now)
    _, page = await bo.get("/incidents/card/act/healthy")
    status, _, _ = await bo.post("/incidents/card/act/healthy", hidden(page) | {"step": "do"})
    assert (status, of(bo).edit.verified_by) == (303, "bo")
    bo.id = ""
    async with bo.site.client.get(f"{bo.site.short('dee')}/act/unhealthy", allow_redirects=False) as told:
        assert told.headers["Location"].startswith("/sign-in")
    link = bo.site.short("fay")
    _, page = await bo.get(f"{link}/act/unhealthy")
    assert ">Not healthy: page " in page


async def test_looking_does_nothing(bo: Acting) -> None:
    """P8: GET never acts, of no act, by link or signed in, with what a form of it would say in the address or not; nor
    does the look at what an act would do.
    """
    await going(bo)
    for base in ("/incidents/card", bo.site.short("dee")):
        for act in Act:
            _, page = await bo.get(f"{base}/act/{act}?step=do&answer=ok&text=x&note=x&severity=sev1&status=identified")
            await bo.post(f"{base}/act/{act}", hidden(page) | {"step": "look", "note": "x", "text": "x", "link": ""})
    await bo.get("/declare?step=do&title=x&severity=sev1")
    assert (bo.acts, bo.site.inbox.left) == ([], [])


async def test_a_link_alone_does_what_it_may(bo: Acting) -> None:
    """P8: a note and an internal update by its signature; all else asks who it is, and the text is there again."""
    await going(bo)
    bo.id = ""
    link = bo.site.short("dee")
    _, page = await bo.get(f"{link}/act/update")
    assert "Sign in as Dee Okafor" in page
    assert 'name="public"' not in page
    _, page = await bo.get(link)
    assert "<nav" not in page  # it leads nowhere else
    form = hidden(page) | {"text": "Failover is under way."}
    status, where, _ = await bo.post(f"{link}/act/update", form | {"step": "sign_in"})
    assert (status, where.partition("?")[0]) == (303, "/sign-in")
    _, kept = await bo.get(unquote(where.partition("to=")[2]))
    assert ">\nFailover is under way.".replace("\n", " ") in kept  # nothing is lost by signing in
    _, _, page = await bo.post(f"{link}/act/update", form | {"step": "look"})
    assert "Customers (outside) hear nothing of it: there is no public text." in page
    status, where, _ = await bo.post(f"{link}/act/update", hidden(page) | form | hidden(page) | {"step": "do"})
    assert (status, where) == (303, f"{link}?done={of(bo).ref}")
    assert (of(bo).person, of(bo).session, of(bo).episode) == ("dee", "", 1)
    assert of(bo).signature == link.rpartition("/")[2]


@pytest.mark.parametrize("act", [act for act in Act if not act.traits.by_link and act is not Act.REVIEWED])
async def test_what_needs_to_know_who_acts_leads_to_the_sign_in(bo: Acting, act: Act) -> None:
    """One tap from the link: the sign-in knows whose link it was."""
    bo.id = ""
    link = bo.site.short("dee")
    async with bo.site.client.get(f"{link}/act/{act}", allow_redirects=False) as told:
        assert (told.status, told.headers["Location"]) == (303, f"/sign-in?to={link}/act/{act}")


async def test_the_text_waits_while_one_signs_in(bo: Acting) -> None:
    """A public text by a link alone, and any text once the session is over: the form has it again, for its person only."""
    await going(bo)
    session, bo.id = bo.id, ""
    link = bo.site.short("bo")
    _, page = await bo.get(f"{link}/act/update")
    status, where, _ = await bo.post(f"{link}/act/update", hidden(page) | WORDS | {"step": "look"})
    assert status == 303
    assert where.startswith(f"/sign-in?to={link}/act/update%3Fdraft%3D")
    draft = where.partition("draft%3D")[2]
    bo.id = session
    _, page = await bo.get(f"{link}/act/update?draft={draft}")
    assert WORDS["text"] in page
    assert WORDS["public"] in page
    _, page = await bo.get(f"{bo.site.short('dee')}/act/update?draft={draft}")
    assert WORDS["text"] not in page
    assert "What you had typed is not here any more." in page
    bo.end()
    status, where, _ = await bo.post("/incidents/card/act/update", WORDS)
    assert status == 303
    assert where.startswith("/sign-in?to=/incidents/card/act/update%3Fdraft%3D")


@pytest.mark.parametrize("path", ["/incidents/card/act/update", "/declare"])
async def test_the_text_of_who_is_signed_out_while_they_type_waits(bo: Acting, path: str) -> None:
    """`tocsin sign-out` leaves no session to know them by: whoever opened the form in it is who the text is kept for. One
    that opened none here reads it again.
    """
    _, page = await bo.get(path)
    await bo.site.ledger.end_sessions([session_digest(bo.id)])
    status, where, _ = await bo.post(path, hidden(page) | WORDS | {"title": WORDS["text"], "step": "look"})
    assert status == 303
    assert where.startswith(f"/sign-in?to={path}%3Fdraft%3D")
    async with bo.site.client.get(where) as told:
        asked = await told.text()
    assert "You are not signed in any more" in asked
    assert "What you typed is kept for an hour" in asked
    there = where.removeprefix("/sign-in?to=").removesuffix("&ended").replace("%3F", "?").replace("%3D", "=")
    bo.person, bo.id = "dee", "of-dee"
    await bo.begin()
    _, page = await bo.get(there)
    assert WORDS["text"] not in page
    bo.person, bo.id = "bo", "of-bo-again"
    await bo.begin()
    _, page = await bo.get(there)
    assert WORDS["text"] in page
    bo.id = "of-nobody"
    status, _, page = await bo.post(path, WORDS)
    assert status == 403
    assert WORDS["text"] in page


async def test_two_people_at_once_lose_nothing(bo: Acting) -> None:
    """The second reads who changed what, and when, what it was and is; refused, the form has the text and counts from
    what now stands.
    """
    await going(bo)
    _, page = await bo.get("/incidents/card/act/impact")
    mine = hidden(page) | {"impact": "All of them."}
    bo.site.clock.go(MINUTE)
    await bo.act("severity", severity="sev2")
    bo.acts.clear()
    status, _, page = await bo.post("/incidents/card/act/impact", mine | {"step": "look"})
    assert status == 200
    assert "Changed since you opened this form:" in page
    assert "11:11 CET: severity was SEV1, is SEV2 now." in page
    bo.judged = Judgement("refused", "Chen Wei changed the impact to “None.” at 22:10.")
    form = hidden(page) | {"impact": "All of them."}
    status, _, again = await bo.post("/incidents/card/act/impact", form | {"step": "do"})
    assert status == 409
    assert "Not done: Chen Wei changed the impact to “None.” at 22:10." in again
    assert "All of them." in again
    assert hidden(again)["ref"] != form["ref"]
    assert await bo.post("/incidents/card/act/impact", hidden(again) | {"impact": "All of them.", "step": "do"})


BAD = [
    ("update", {}, "An update needs words: write what is known now."),
    ("update", {"text": "x" * 4312}, "This is 312 characters too long: 4,000 at most. Shorten it."),
    ("update", {"text": "é" * 3900, "public": "é" * 3900}, "bytes too long"),
    ("severity", {"severity": "sev9"}, "There is no severity “sev9”. Choose one: SEV1, SEV2, SEV3, SEV4."),
    ("assign", {"role": "cook", "person": "bo"}, "There is no role “cook”. Choose one."),
    ("assign", {"role": "scribe", "person": "zed"}, "There is nobody called “zed”. Choose one."),
    ("status", {"status": "burning"}, "There is no status “burning”. Choose one."),
    ("eta", {}, "Choose one."),
    ("eta", {"eta": "at", "eta_at": "10:00", "eta_day": "2026-11-23"}, "10:00 CET is past: it is 11:10 CET."),
    ("eta", {"eta": "at", "eta_at": "late"}, "Write a time such as 23:30."),
    ("note", {"note": " "}, "A note needs words."),
    ("title", {}, "Write what outsiders are to read as the title."),
]


@pytest.mark.parametrize(
    ("act", "fields", "sentence"), BAD, ids=[f"{act}-{number}" for number, (act, _, _) in enumerate(BAD)]
)
async def test_bad_input_is_one_sentence_and_the_text_again(
    bo: Acting, act: str, fields: dict[str, str], sentence: str
) -> None:
    """Nothing is left; the sentence leads to its field, which says it too."""
    await going(bo)
    path = f"/incidents/card/act/{act}"
    _, page = await bo.get(path)
    for step in ("look", "do"):
        status, _, page = await bo.post(path, hidden(page) | fields | {"step": step})
        assert status == 422
        assert sentence in page
        (name,) = set(re.findall(r'<li><a href="#(\w+)">', page))
        assert f'id="{name}"' in page
        assert f'id="{name}-fault"' in page
        assert all(text in page for text in fields.values() if len(text) > 20)
    assert bo.acts == []


async def test_another_sites_form_does_nothing_and_gives_the_text_back(bo: Acting) -> None:
    """One sentence, and what was typed."""
    await going(bo)
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example"}):
        status, _, page = await bo.post("/incidents/card/act/update", WORDS | {"step": "do"}, **headers)
        assert status == 403
        assert "This comes from another site" in page
        assert WORDS["text"] in page
    assert bo.acts == []


async def test_a_megabyte_is_given_back(bo: Acting) -> None:
    """It says by how much it is too long; of whoever shows nothing no such form is read."""
    await going(bo)
    big = "x" * 1_000_000
    status, _, page = await bo.post("/incidents/card/act/update", {"text": big, "step": "do"})
    assert status == 422
    assert "This is 996,000 characters too long" in page
    assert big in page
    bo.id = "nobody's"
    status, _, page = await bo.post("/incidents/card/act/update", {"text": big, "step": "do"})
    assert status == 413
    assert bo.acts == []


async def test_resolved_or_gone_meanwhile_gives_the_text_back(bo: Acting) -> None:
    """One sentence each."""
    await going(bo)
    _, page = await bo.get("/incidents/card/act/update")
    await bo.site.seen(status=Status.RESOLVED, timeline=(TimelineNote("It is resolved.", T0 + 10 * MINUTE, "fay"),))
    status, _, page = await bo.post("/incidents/card/act/update", hidden(page) | WORDS | {"step": "do"})
    assert status == 409
    assert (
        "This incident was resolved at 11:10 CET by Fay Moreau. Nothing was changed. You can still note something"
        in page
    )
    assert WORDS["public"] in page
    status, _, page = await bo.post("/incidents/gone/act/update", WORDS | {"step": "do"})
    assert status == 404
    assert "This incident is not known here." in page
    assert WORDS["public"] in page
    assert bo.acts == []


async def test_what_nobody_confirms_is_said_plainly(bo: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with the text; it looks again, and leads on once it counts."""
    await going(bo)
    monkeypatch.setattr(judged, "WAITS", 0.2)
    bo.site.inbox.away = True
    status, _, page = await bo.act("impact", impact="All of them fail.")
    assert status == 503
    assert "NOT yet confirmed: nobody has done it yet." in page
    assert "Card payments fail at checkout</a>: What is the impact?" in page
    assert "call Fay Moreau (Technical Lead), <a" in page
    assert "All of them fail." in page
    again = re.search(r'content="5;url=([^"]+)"', page)
    assert again
    status, page = await bo.get(again[1])
    assert (status, "All of them fail." in page) == (503, True)
    await bo.judge(of(bo))
    async with bo.site.client.get(again[1], headers=bo.cookie, allow_redirects=False) as told:
        assert (told.status, told.headers["Location"]) == (303, f"/incidents/card?done={of(bo).ref}")


async def test_what_cannot_be_kept_or_seen_gives_the_text_back(bo: Acting) -> None:
    """The inbox full, the ledger away."""
    await going(bo)
    bo.site.inbox.trouble = InboxError("full")
    status, _, page = await bo.act("impact", impact="All of them fail.")
    assert status == 503
    assert "This could not be kept now, and counts for nothing." in page
    assert "All of them fail." in page
    bo.site.ledger.trouble = "away"
    status, _, page = await bo.post("/incidents/card/act/impact", {"impact": "All of them fail.", "step": "do"})
    assert status == 503
    assert "nothing was changed" in page
    assert "All of them fail." in page


async def test_a_declaration_shows_whom_it_wakes(bo: Acting) -> None:
    """Nothing is left by the first press; the second leads to the new incident."""
    _, page = await bo.get("/declare")
    fields = {"title": "Search is down", "severity": "sev1", "services": "api", "impact": "No results."}
    status, _, page = await bo.post("/declare", hidden(page) | fields | {"step": "look"})
    assert (status, bo.acts) == (200, [])
    assert "Pages Bo Lindqvist (Incident Commander)" in page
    assert ">Declare SEV1: page 4 people now</button>" in page
    assert "Customers (outside) have heard nothing yet" in page
    status, where, _ = await bo.post("/declare", hidden(page) | fields | {"step": "do"})
    (entry,) = bo.acts
    assert isinstance(entry, DeclareEntry)
    assert (entry.title, entry.severity, entry.services) == ("Search is down", "sev1", ("api",))
    assert (status, where) == (303, f"/incidents/{NEW}?done={entry.ref}")
    assert await bo.post("/declare", hidden(page) | fields | {"step": "do"}) == (303, where, "")
    assert len(bo.acts) == 1


async def test_a_declaration_that_nobody_confirms_says_whom_to_call(
    bo: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is paged yet, so whoever declares must reach somebody: the last resort, by number."""
    monkeypatch.setattr(judged, "WAITS", 0.2)
    bo.site.inbox.away = True
    fields = {"title": "Search is down", "severity": "sev1"}
    _, page = await bo.get("/declare")
    _, _, page = await bo.post("/declare", hidden(page) | fields | {"step": "look"})
    status, _, page = await bo.post("/declare", hidden(page) | fields | {"step": "do"})
    assert status == 503
    assert 'call Ana Souza (Last resort), <a href="tel:+14155550101">' in page


async def test_a_drill_is_declared_as_one(bo: Acting) -> None:
    """Section 8: pages can do what the commands can, so that one can try them without telling customers."""
    _, page = await bo.get("/declare")
    fields = {"title": "Search is down", "severity": "sev1", "drill": "yes"}
    _, _, page = await bo.post("/declare", hidden(page) | fields | {"step": "look"})
    assert "Customers (outside) hear nothing: it is a drill." in page
    assert ">Declare a drill, SEV1: page " in page
    await bo.post("/declare", hidden(page) | fields | {"step": "do"})
    (entry,) = bo.acts
    assert isinstance(entry, DeclareEntry)
    assert entry.drill


async def test_who_declares_reads_what_is_open_already(bo: Acting) -> None:
    """Two people who see one outage: the second reads it before they page everybody again, on the form and on the look,
    and can declare all the same.
    """
    incident = Incident("lost", "Login is <down>", "sev2", declared_by="dee")
    await see(bo.site.ledger, incident, bo.site.now, "digest-of-lost")
    await see(
        bo.site.ledger, replace(incident, id="exercise", title="Only a drill", drill=True), bo.site.now, "another"
    )
    told = r"<a href=\"/incidents/lost\">SEV2 Login is &lt;down&gt;</a>.{10,90}, since .{10,80}</time>, declared by Dee Okafor"
    _, page = await bo.get("/declare")
    assert re.search(told, " ".join(page.split()))
    assert "Only a drill" not in page
    fields = {"title": "Nobody can log in", "severity": "sev1"}
    status, _, page = await bo.post("/declare", hidden(page) | fields | {"step": "look"})
    assert status == 200
    assert re.search(told, page)
    assert page.index("Login is") < page.index(">Declare SEV1: page 4 people now</button>")
    assert (await bo.post("/declare", hidden(page) | fields | {"step": "do"}))[0] == 303


async def test_a_storm_of_alerts_hides_nothing_from_who_declares(bo: Acting) -> None:
    """What people have declared comes first, and it is said how much more is open: what is not named is not denied."""
    ledger, now = bo.site.ledger, bo.site.now
    await see(ledger, Incident("lost", "Login is down", "sev2", declared_by="dee"), now, "digest-of-lost")
    for number in range(8):
        storm = Incident(f"storm-{number}", f"Storm {number}", "sev3", declared_by=ALERTMANAGER)
        await see(ledger, storm, now + timedelta(seconds=number + 1), f"digest-{number}")
    _, page = await bo.get("/declare")
    assert page.index("Login is down") < page.index("Storm 7")
    assert "Storm 0" not in page
    assert '<a href="/incidents?show=open">and 5 more that are open</a>' in page


async def test_a_declaration_that_says_too_little_is_none(bo: Acting) -> None:
    """Each field its sentence; without a session one signs in first, and nothing typed is lost."""
    status, _, page = await bo.post("/declare", {"impact": "No results.", "severity": "sev9", "step": "do"})
    assert status == 422
    assert "Say in a few words what is wrong" in page
    assert "There is no severity “sev9”." in page
    assert "No results." in page
    bo.id = ""
    async with bo.site.client.get("/declare", allow_redirects=False) as told:
        assert (told.status, told.headers["Location"]) == (303, "/sign-in?to=/declare")
    status, _, page = await bo.post("/declare", {"impact": "No results.", "step": "do"})
    assert status == 403
    assert "No results." in page


async def test_what_one_can_do_is_theirs_first(bo: Acting) -> None:
    """Communications writes, the Technical Lead says how it stands, the Commander decides how bad it is."""
    await going(bo, "bo", "fay", "dee")
    for person, first in (("dee", Act.UPDATE), ("fay", Act.STATUS), ("bo", Act.SEVERITY)):
        _, page = await bo.get(f"{bo.site.short(person)}/act")
        offers = re.findall(r'href="[^"]*/act/(\w+)"', page.partition("<main")[2])
        assert next(offer for offer in offers if offer not in ("ok", "pass")) == first


async def test_strange_addresses_lead_nowhere(bo: Acting) -> None:
    """An act that there is not, an incident that there is not."""
    assert (await bo.get("/incidents/card/act/delete"))[0] == 404
    assert (await bo.get("/incidents/none/act/note"))[0] == 404
    assert (await bo.get("/incidents/card/act/healthy"))[0] == 409
