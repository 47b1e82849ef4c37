"""Samples of words: one of each sort, to try templates with: all there is to say, as little as there can be, for
outsiders, and what is particular to a kind. Must not know templates.
"""

from collections.abc import Iterator
from dataclasses import replace

from tocsin.domain.notification import OUTSIDE_PLAN, UNSUBSCRIBE_LINK, Kind, Reason
from tocsin.wording.message.bundle import BundleWording, bundle_wording
from tocsin.wording.message.update_words import News
from tocsin.wording.message.wording import Wording

KINDS = tuple(kind for kind in Kind if kind not in OUTSIDE_PLAN)
REASONS = {
    Kind.STAND_DOWN: (Reason.ACCEPTED, Reason.SEVERITY_LOWERED, Reason.HANDOVER),
    Kind.UPDATE: (Reason.DECLARED, Reason.CHANGED, Reason.DUE),
    Kind.REMINDER: (Reason.UPDATE_DUE, Reason.ETA_PASSED),
}


def samples() -> Iterator[Wording]:
    """Every sample."""
    for kind in KINDS:
        for reason in REASONS.get(kind, (Reason.DECLARED,)):
            full = replace(_in_a_mail(_full()), kind=kind.value, reason=reason.value)
            yield full
            yield _bare(full)
            yield replace(full, drill=True, first=True, reopened=True)
        if kind in (Kind.UPDATE, Kind.CLOSING):
            yield _outside(full)
            yield _outside(_bare(full))
            yield replace(full, last_word=True, next="", next_short="")
            yield replace(full, taken_back=True, next="", next_short="")
            outdated = full.last_news and replace(full.last_news, outdated=True)
            yield replace(full, lead="", news=(), changes=(), eta_passed=True, last_news=outdated)
        if kind is Kind.CLOSING:
            yield replace(full, told_as="", paged=True, nothing_to_do=True)
        if kind is Kind.REMINDER:
            yield replace(full, groups="", due="", due_short="", otherwise="")
        if kind is Kind.PAGE:
            yield replace(full, unreadable=True, roles=(), your_role="", duties=(), why="")


def bundle_samples() -> Iterator[BundleWording]:
    """Samples of several pages in one message: with all there is to say, with as little as there can be, a drill."""
    full = replace(_in_a_mail(_full()), kind=Kind.PAGE.value, reason=Reason.DECLARED.value)
    mild = replace(_bare(full), id="slow-search", title="Slow search", tag="SEV3", code="B4", answer_url="")
    unread = replace(mild, unreadable=True, roles=(), your_role="", code="")
    bundle = bundle_wording((full, mild, unread), [*["SEV1"] * 2, *["SEV2"] * 7, *["SEV3"] * 3], replies=True)
    yield bundle
    yield replace(bundle, drill=True)
    yield replace(bundle, worst=replace(full, code="", answer_url=""), pages=(mild, unread), replies=False)


def _full() -> Wording:
    """All that can be said to anybody of an incident about which everything is known."""
    return replace(
        _asked(_incident()),
        impact_new=True,
        impact_was="All card payments fail.",
        expected="Expected to be fixed by 13:30 CET.",
        lead="Severity raised from SEV2 to SEV1.",
        changes=(
            "Severity raised from SEV2 to SEV1.",
            "Expected to be fixed by 13:30 CET (we had said 12:00).",
            "From now on you hear at the latest 30 minutes after the last update.",
        ),
        severity_means="SEV1 means: Major outage affecting most users.",
        news=(News("The failover is under way.", "Chen Wei", "11:20 CET"), News("Payments recover.")),
        last_news=News("Somebody looks at it.", "Chen Wei", "11:10 CET"),
        standing="We know the cause and are still working on it.",
        next="Mon 23 Nov, 11:30 CET (10:30 UTC)",
        next_short="11:30 CET",
        groups="Executives and Support",
        unheard="Customers",
        blocked="Customers hear nothing until the file's title can be read.",
        otherwise="We know the cause and are still working on it.",
    )


def _incident() -> Wording:
    """An incident about which everything is known."""
    return Wording(
        kind="",
        reason="",
        drill=False,
        external=False,
        id="2026-11-23-card-payments-fail",
        file="2026-11-23-card-payments-fail.yaml",
        title="Card payments fail at checkout",
        tag="SEV1",
        severity_title="Critical",
        severity_meaning="Major outage affecting most users.",
        status="identified",
        status_text="cause found",
        summary="Since the release of 10:00 the payment service answers every third request with an error.",
        impact="About a third of card payments fail.",
        eta="Mon 23 Nov, 13:30 CET (12:30 UTC)",
        eta_short="13:30 CET",
        services=("Checkout", "Public API"),
        since="Mon 23 Nov, 11:00 CET (10:00 UTC)",
        since_short="11:00 CET",
        unreadable=False,
        person="bo",
        name="Bo Lindqvist",
        roles=("Incident Commander", "Technical Lead"),
        your_role="Incident Commander and Technical Lead",
        your_role_short="Incident Commander +1 role",
        duties=(("Incident Commander", "Coordinates the response."), ("Technical Lead", "Directs the fix.")),
        acknowledge="tocsin ack 2026-11-23-card-payments-fail --as bo",
        acknowledge_line="acknowledged: [bo]",
        code="K7",
        answer_url="https://tocsin.example.com/a/q1w2E3r4T5z6U7i8",
        page_url="https://tocsin.example.com/incidents/2026-11-23-card-payments-fail",
        holders=(("Communications", "Dee Okafor"), ("Scribe", "")),
        accepted_by="Ana Souza",
        due="Mon 23 Nov, 11:30 CET (10:30 UTC)",
        due_short="11:30 CET",
        resolution="The release was taken back.",
        duration="2 hours 5 minutes",
        ended="Mon 23 Nov, 13:05 CET (12:05 UTC)",
        ended_short="13:05 CET",
        review_file="reviews/2026-11-23-card-payments-fail.md",
        review_due="Sat 28 Nov 2026, 11:00 CET",
        review_due_short="Sat 28 Nov, 11:00 CET",
    )


def _asked(words: Wording) -> Wording:
    """With all that a page says besides."""
    return replace(
        words,
        asked=True,
        why="Nobody has accepted yet.",
        why_short="Escalated.",
        answer_by="Mon 23 Nov, 11:05 CET (10:05 UTC)",
        answer_by_short="11:05 CET",
        then="Chen Wei and you",
        others=(("Dee Okafor", "Communications"), ("Fay Moreau", "")),
        contacts=(("Scribe", "Eli Brandt", "+14155550105"), ("Communications", "Gus Keller", "")),
        bridge="+1 415 555 0199",
        runbook="https://runbooks.example.com/checkout",
        links=(("Dashboard", "https://graphs.example.com/checkout"),),
        still_asked=("Scribe",),
        held=("Communications",),
        guesses=("The severity could not be read: it is treated as SEV1.",),
    )


def _in_a_mail(words: Wording) -> Wording:
    """With everything that stands around the text of a mail."""
    return replace(
        words,
        subject_title=words.title,
        organisation="Acme",
        reply_to="incidents@example.com",
        told_as="Executives",
        unsubscribe_url=UNSUBSCRIBE_LINK,
    )


def _bare(words: Wording) -> Wording:
    """With everything empty that may be."""
    return replace(
        words,
        organisation="",
        reply_to="",
        told_as="",
        unsubscribe_url="",
        severity_meaning="",
        summary="",
        impact="",
        impact_new=False,
        impact_was="",
        eta="",
        eta_short="",
        expected="",
        services=(),
        asked=False,
        why="",
        why_short="",
        answer_by="",
        answer_by_short="",
        then="",
        others=(),
        contacts=(),
        bridge="",
        runbook="",
        links=(),
        still_asked=(),
        held=(),
        guesses=(),
        duties=(),
        holders=(),
        accepted_by="",
        lead="We know the cause and are still working on it.",
        changes=(),
        severity_means="",
        news=(),
        last_news=None,
        next="",
        next_short="",
        groups="",
        unheard="",
        blocked="",
        otherwise="",
        resolution="",
        review_overdue=True,
    )


def _outside(words: Wording) -> Wording:
    """As somebody outside reads it."""
    return replace(
        words,
        external=True,
        told_as="",
        id="",
        file="",
        tag="",
        severity_title="",
        severity_meaning="",
        summary="",
        services=(),
        your_role_short="",
        asked=False,
        why_short="",
        answer_by="",
        answer_by_short="",
        then="",
        others=(),
        contacts=(),
        bridge="",
        runbook="",
        links=(),
        still_asked=(),
        held=(),
        guesses=(),
        person="",
        name="",
        holders=(),
        lead=words.changes[1] if words.changes else words.standing,
        changes=words.changes[1:2],
        severity_means="",
        last_news=None,
        news=tuple(News(entry.text) for entry in words.news),
        resolution="",
        review_file="",
    )
