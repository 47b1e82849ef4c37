"""Several pages as one message (rule 47): how many, how many of each severity, the worst, and how to answer."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification, Reason, ReplyOffer
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.ports.renderer import BundledPage
from tocsin.text.gsm import segments
from tocsin.wording.message.bundle import builtin_bundle, bundle_wording, shorten_bundle
from tocsin.wording.message.samples import bundle_samples

from tests.builders.instants import T0
from tests.builders.policies import paging_policy

SMS, EMAIL = Channel.SMS, Channel.EMAIL
LINK = "https://tocsin.example.com/answer/pay/ana/q1w2e3r4t5z6u7i8o9p0a1"


def graded() -> Policy:
    """Three severities."""
    policy = paging_policy()
    worst = policy.severities["sev1"]
    return replace(policy, severities={name: replace(worst, name=name) for name in ("sev1", "sev2", "sev3")})


def page(
    number: int,
    severity: str,
    via: Channel = SMS,
    code: str = "",
    link: str = "",
    *,
    needs_code: bool = False,
    **words: object,
) -> BundledPage:
    """A page to ana."""
    incident = Incident(f"i{number}", f"Thing {number} breaks", severity)
    incident = replace(incident, **words)  # type: ignore[arg-type]  # a table of fields
    notification = Notification(
        f"k{number}", incident.id, 1, Kind.PAGE, Reason.DECLARED, T0, "ana", via, roles=("technical_lead",)
    )
    offer = ReplyOffer(code, link, "", needs_code)
    return BundledPage(notification, incident, History(incident=incident, episode=1, started_at=T0), offer)


def renderer() -> JinjaRenderer:
    """The shipped templates, none of which may break."""

    def broken(problem: Problem) -> None:
        raise AssertionError(str(problem))

    return JinjaRenderer(shipped_folder(), broken)


def test_by_sms_as_the_contract_says_it() -> None:
    """Rule 47: how many, of each severity, the worst one's title and code, and `ok all`, in one segment."""
    worst = page(0, "sev1", code="K7", title="Card payments fail at checkout")
    severities = ["sev1", *["sev2"] * 7, *["sev3"] * 3]
    pages = [worst, *(page(number, severity, code=f"A{number}") for number, severity in enumerate(severities, 1))]
    assert renderer().render_bundle(pages, graded()).text == (
        "12 pages: 2 SEV1, 7 SEV2, 3 SEV3. Worst: SEV1 Card payments fail at checkout (K7). "
        "Reply ok all, or ok K7 for one"
    )


@pytest.mark.parametrize("worst_code", ["K7", ""])
def test_where_a_code_is_required_all_is_answered_with_one(worst_code: str) -> None:
    """S3: the words say what counts, by SMS and by email, and where the worst has no code another's will do."""
    for via in (SMS, EMAIL):
        first = page(0, "sev1", via, code=worst_code, needs_code=True)
        pages = [first, page(1, "sev3", via, code="B2", needs_code=True)]
        content = renderer().render_bundle(pages, graded())
        assert f"ok all {worst_code or 'B2'}" in content.text
        if via is EMAIL:
            assert f"“ok all {worst_code or 'B2'}”" in content.html
            assert f"“pass all {worst_code or 'B2'}”" in content.text
            assert f"“pass all {worst_code or 'B2'}”" in content.html


@pytest.mark.parametrize(
    ("link", "end"), [(LINK, f"breaks. Accept it: {LINK}"), ("", "breaks. Accept it: tocsin ack i0 --as ana")]
)
def test_where_an_sms_cannot_be_answered_it_names_no_code(link: str, end: str) -> None:
    """Rule 42: a code only where replies are on, else the link, else the command."""
    text = renderer().render_bundle([page(0, "sev1", link=link), page(1, "sev3", link=link)], graded()).text
    assert text == f"2 pages: 1 SEV1, 1 SEV3. Worst: SEV1 Thing 0 {end}"


@given(st.text(max_size=300), st.text("abcXYZ-", min_size=1, max_size=64), st.booleans(), st.booleans(), st.booleans())
def test_it_fits_one_segment_and_never_loses_how_to_answer(
    title: str, severity: str, coded: bool, linked: bool, drill: bool
) -> None:
    """Rule 47: the title is cut first, never how to answer, whatever the letters; a drill says so."""
    policy = graded()
    policy = replace(
        policy, severities={severity: replace(policy.severities["sev1"], name=severity), **policy.severities}
    )
    code, link = "K7" * coded, LINK * linked
    pages = [page(0, severity, code=code, link=link, title=title, drill=drill)]
    pages += [page(number, f"sev{number % 3 + 1}", code=code, drill=drill) for number in range(1, 90)]
    text = renderer().render_bundle(pages, policy).text
    assert segments(text) == 1
    assert "90 pages" in text
    assert text.startswith("DRILL ") is drill
    if coded:
        assert text.endswith(("Reply ok all, or ok K7 for one", " (K7). Reply ok all"))
    else:
        assert LINK in text or "tocsin ack" in text


@pytest.mark.parametrize(
    ("title", "severities", "text"),
    [
        (
            "数据库崩溃了请立即处理 1",
            ["sev3"] * 6,
            "6 pages: 6 SEV3. Worst: SEV3 数据库崩溃了请立即处理 1 (K7). Reply ok all",
        ),
        (
            "数据库崩溃了请立即处理 1",
            ["sev1", *["sev2"] * 7, *["sev3"] * 30],
            "38 pages: 1 SEV1 +37. Worst: SEV1 数据库崩溃了请立即处理 1 (K7). Reply ok all",
        ),
        (
            "数据库崩溃了请立即处理" * 9,
            ["sev3"] * 6,
            "6 pages: 6 SEV3. Worst: SEV3 数据库崩溃了请立即处理数据库崩溃了请立... (K7). Reply ok all",
        ),
        ("支付失败", ["sev3"] * 2, "2 pages: 2 SEV3. Worst: SEV3 支付失败 (K7). Reply ok all, or ok K7 for one"),
    ],
)
def test_a_title_in_wide_letters_keeps_its_sense(title: str, severities: list[str], text: str) -> None:
    """Rules 42, 47: of such letters 70 fit; never what happens to be Latin of it, as if that were the title."""
    pages = [page(number, severity, code="K7", title=title) for number, severity in enumerate(severities)]
    said = renderer().render_bundle(pages, graded()).text
    assert said == text
    assert segments(said) == 1


@pytest.mark.parametrize(
    ("title", "told"),
    [("数据库崩溃了 1", "incident checkout-database-berlin"), ("数据库 Checkout 崩溃了", "Checkout")],
)
def test_where_a_wide_title_cannot_be_told(title: str, told: str) -> None:
    """With a long link to answer by: a word of it in Latin letters, else which incident it is."""
    id_ = "checkout-database-berlin"
    pages = [page(number, "sev3", title=title, id=id_, link=LINK) for number in range(6)]
    text = renderer().render_bundle(pages, graded()).text
    assert text == f"6 pages: 6 SEV3. Worst: SEV3 {told}. Accept it: {LINK}"


def test_more_severities_than_there_is_room_for() -> None:
    """Three are counted, the worst first, and how many more pages there are."""
    policy = graded()
    names = [f"quite-a-long-name-{number}" for number in range(7)]
    severities = {name: replace(policy.severities["sev1"], name=name) for name in names}
    pages = [page(number, name, code="K7", title="x" * 99) for number, name in enumerate(names * 2)]
    pages.sort(key=lambda one: one.incident.severity)
    text = renderer().render_bundle(pages, replace(policy, severities=severities)).text
    counted = "2 QUITE-A-LONG-NA..., 2 QUITE-A-LONG-NA..., 2 QUITE-A-LONG-NA... +8"
    assert text.startswith(f"14 pages: {counted}. Worst: QUITE-A-LONG-... xxx")
    assert segments(text) == 1


def test_by_email_all_are_listed_worst_first() -> None:
    """Rule 47: each with severity, title, role, code, link and command, in both bodies; strangers' text is data."""
    pages = [
        page(0, "sev1", EMAIL, "K7", LINK, title="<b>Checkout</b> fails"),
        page(1, "sev2", EMAIL, "B2", LINK.replace("pay", "db")),
    ]
    content = renderer().render_bundle(pages, graded())
    assert content.subject == "2 pages: <b>Checkout</b> fails, and others"
    for body in (content.text, content.html):
        places = [body.index(word) for word in ("fails", "tocsin ack i0 --as ana", "Thing 1 breaks", "tocsin ack i1")]
        assert places == sorted(places)
        for word in ("SEV1", "SEV2", "technical_lead", "ok K7", "ok B2", LINK, LINK.replace("pay", "db"), "ok all"):
            assert word in body
    assert "<b>Checkout</b>" not in content.html
    assert "\n  You are asked to be technical_lead." in content.text


def test_by_email_where_to_meet_stands_once() -> None:
    """On top where it is the same for all, else with each page; and of each page why it comes."""
    places = ["+1 415 555 0100", "+1 415 555 0100", ""]
    pages = [page(number, "sev1", EMAIL, bridge=place) for number, place in enumerate(places)]
    last_resort = replace(pages[1], notification=replace(pages[1].notification, reason=Reason.LAST_RESORT))
    content = renderer().render_bundle([pages[0], last_resort, pages[2]], graded())
    for body in (content.text, content.html):
        assert body.count("Nobody else answered: you are the last resort. You are asked to be technical_lead.") == 1
        assert body.index("Meet:") < body.index("Thing 0 breaks")
    assert content.text.count("Meet: +1 415 555 0100\n") == 1
    assert content.html.count('href="tel:+14155550100"') == 1
    content = renderer().render_bundle([pages[0], page(7, "sev1", EMAIL, bridge="Room 4")], graded())
    first, second = content.text.split("SEV1 Thing 7 breaks")
    assert "  Meet: +1 415 555 0100\n" in first.partition("SEV1 Thing 0 breaks")[2]
    assert "  Meet: Room 4\n" in second


def test_a_thousand_pages_are_all_listed() -> None:
    """Rule 47: what a template may cost grows with the pages it tells of."""
    pages = [page(number, "sev3", EMAIL, link=LINK, impact="All of it. " * 50) for number in range(1000)]
    content = renderer().render_bundle(pages, graded())
    assert content.text.count("tocsin ack") == content.html.count("tocsin ack") == 1000


def test_a_broken_template_gives_the_built_in_text(tmp_path: object) -> None:
    """P2: the operators hear of it, and the pages leave with how to answer them."""
    from pathlib import Path

    told: list[Problem] = []
    own = JinjaRenderer(shipped_folder(), told.append)
    folder = Path(str(tmp_path))
    for part in ("sms.txt", "email.html"):
        (folder / f"bundle.{part}.j2").write_text("{{ 1 / 0 }}")
    own.load(folder)
    sms = own.render_bundle([page(0, "sev1", code="K7"), page(1, "sev2", code="B2")], graded())
    assert sms.text == "2 pages: 1 SEV1, 1 SEV2. Worst: SEV1 Thing 0 breaks (K7). Reply ok all, or ok K7 for one"
    mail = own.render_bundle([page(0, "sev1", EMAIL), page(1, "sev2", EMAIL, link=LINK)], graded())
    assert mail.subject == "2 pages: SEV1 Thing 0 breaks, and others"
    assert "tocsin ack i0 --as ana" in mail.text
    assert LINK in mail.text
    assert [Path(problem.file).name for problem in told] == ["bundle.sms.txt.j2", "bundle.email.html.j2"]


def test_the_built_in_text_says_drill() -> None:
    """By SMS and by email."""
    *_, drill, _bare = bundle_samples()
    assert builtin_bundle(drill, short=True)[1].startswith("DRILL Acme 12 pages")
    subject, text = builtin_bundle(drill, short=False)
    assert subject.startswith("DRILL 12 pages")
    assert text.startswith("DRILL Acme 12 pages")


def test_what_no_shortening_makes_fit_is_said() -> None:
    """A template that says too much gives no text, so that the built-in one is used."""
    words = bundle_wording([next(iter(bundle_samples())).worst], ["SEV1"] * 2, replies=True)
    assert shorten_bundle(words, lambda _words: "x" * 161) is None
