"""Samples of words: one of each sort, to try templates with: all there is to say, as little as there can be, for
outsiders, and what is particular to a kind. Must not know templates.
"""

from collections.abc import Iterator
from dataclasses import replace

from tocsin.domain.notification import OUTSIDE_PLAN, UNSUBSCRIBE_LINK, Kind, Reason
from tocsin.wording.message.bundle import BundleWording, bundle_wording
from tocsin.wording.message.changes import News
from tocsin.wording.message.wording import Wording

KINDS = tuple(kind for kind in Kind if kind not in OUTSIDE_PLAN)
REASONS = {
    Kind.STAND_DOWN: (Reason.ACCEPTED, Reason.SEVERITY_LOWERED, Reason.HANDOVER),
    Kind.UPDATE: (Reason.DECLARED, Reason.CHANGED, Reason.DUE),
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
        summary="Since the release of 10:00 the payment service answers every third request with an error.",
        impact="About a third of card payments fail.",
        impact_new=True,
        eta="Mon 23 Nov, 13:30 CET (12:30 UTC)",
        eta_short="13:30 CET",
        services=("Checkout", "Public API"),
        since="Mon 23 Nov, 11:00 CET (10:00 UTC)",
        unreadable=False,
        person="bo",
        name="Bo Lindqvist",
        roles=("Incident Commander", "Technical Lead"),
        your_role="Incident Commander and Technical Lead",
        duties=(("Incident Commander", "Coordinates the response."), ("Technical Lead", "Directs the fix.")),
        why="Nobody has accepted yet.",
        acknowledge="tocsin ack 2026-11-23-card-payments-fail --as bo",
        acknowledge_line="acknowledged: [bo]",
        code="K7",
        answer_url="https://tocsin.example.com/answer/2026-11-23-card-payments-fail/bo/q1w2e3r4t5z6u7i8o9p0a1",
        page_url="https://tocsin.example.com/incidents/2026-11-23-card-payments-fail",
        holders=(("Communications", "Dee Okafor"), ("Scribe", "")),
        accepted_by="Ana Souza",
        changes=("Severity raised from SEV2 to SEV1.", "ETA: was 12:00, now 13:30 CET."),
        news=(News("The failover is under way.", "Chen Wei", "11:20 CET"), News("Payments recover.")),
        standing="We know the cause and are still working on it.",
        next="Mon 23 Nov, 11:30 CET (10:30 UTC)",
        next_short="11:30 CET",
        due="Mon 23 Nov, 11:30 CET (10:30 UTC)",
        due_short="11:30 CET",
        groups="Executives and Support",
        resolution="The release was taken back.",
        duration="2 hours 5 minutes",
        review_file="reviews/2026-11-23-card-payments-fail.md",
        review_due="Sat 28 Nov 2026, 11:00 CET",
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
        eta="",
        eta_short="",
        services=(),
        why="",
        duties=(),
        holders=(),
        accepted_by="",
        changes=(),
        news=(),
        next="",
        next_short="",
        groups="",
        resolution="",
        review_overdue=True,
    )


def _outside(words: Wording) -> Wording:
    """As somebody outside reads it."""
    return replace(
        words,
        external=True,
        id="",
        file="",
        tag="",
        severity_title="",
        severity_meaning="",
        summary="",
        services=(),
        since="",
        person="",
        name="",
        holders=(),
        changes=words.changes[1:],
        news=tuple(News(entry.text) for entry in words.news),
        resolution="",
        review_file="",
    )
