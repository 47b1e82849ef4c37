"""Which names the templates of each kind of message have.

A name that stands here for a kind may have something to say there; in all others it is empty. `docs/templates.md` says
what each is, in a table of the same heading. A test holds the two to each other and to the classes of words.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.domain.notification import OUTSIDE_PLAN, Kind
from tocsin.wording.answer.answer_wording import KIND as ANSWER
from tocsin.wording.answer.sign_in_wording import KIND as SIGN_IN
from tocsin.wording.message.bundle import KIND as BUNDLE
from tocsin.wording.operator.notice import KIND as OPERATOR
from tocsin.wording.operator.send_test import KIND as TEST


@dataclass(frozen=True, slots=True)
class Section:
    """Names of some kinds of messages, under a heading of the manual."""

    heading: str
    kinds: frozenset[str]
    names: frozenset[str]


def _section(heading: str, kinds: Iterable[str], names: str) -> Section:
    return Section(heading, frozenset(map(str, kinds)), frozenset(names.split()))


DRILL = "drill"
PLANNED = frozenset(str(kind) for kind in Kind if kind not in OUTSIDE_PLAN)
ONE_READER = PLANNED - {Kind.UPDATE, Kind.CLOSING}

SECTIONS = (
    _section(
        "Of every message",
        PLANNED,
        """
        kind reason language direction drill external unreadable title status impact eta eta_short status_text
        eta_passed since since_short ended ended_short duration resolution id file summary services tag severity_title
        severity_meaning holders standing reopened page_url organisation reply_to subject_title
        """,
    ),
    _section(
        "For one person",
        ONE_READER,
        """
        person name roles your_role your_role_short duties acknowledge acknowledge_line code answer_url accepted_by
        contacts review_file review_due review_due_short review_overdue
        """,
    ),
    _section(
        "In pages",
        [Kind.PAGE],
        """
        asked why why_short news answer_by answer_by_short then others bridge runbook links still_asked held guesses
        """,
    ),
    _section("In stand-downs", [Kind.STAND_DOWN], "still_asked held"),
    _section("In reminders", [Kind.REMINDER], "groups due due_short unheard blocked otherwise"),
    _section(
        "In updates",
        [Kind.UPDATE],
        """
        first last_word taken_back lead changes severity_means news last_news impact_new impact_was expected next
        next_short told_as unsubscribe_url
        """,
    ),
    _section("In closings", [Kind.CLOSING], "paged nothing_to_do"),
    _section(
        "In a bundle",
        [BUNDLE],
        """
        count tally worst pages replies answer_all bridge brief person name drill kind organisation reply_to language
        direction
        """,
    ),
    _section(
        "In a notice to operators",
        [OPERATOR],
        """
        host headline headlines over lasts since section troubles tallies sentence more left_out others unnamed page
        revision drill kind organisation reply_to language direction
        """,
    ),
    _section(
        "In an answer to an SMS",
        [ANSWER],
        """
        answer title tag code roles holder phone holders unlisted bridge at status next word everything needs_code open
        codes count
        tally drills held others nobody waiting lost id after drill kind organisation language direction
        """,
    ),
    _section(
        "In a test",
        [TEST],
        "person name sender sent begins answers drill kind organisation reply_to language direction",
    ),
    _section(
        "In a code to sign in",
        [SIGN_IN],
        "code host asked person name drill kind organisation reply_to language direction",
    ),
    _section("In the mark of a drill", [DRILL], ""),
)
"""Every name, in the order of the manual."""
KINDS = frozenset(kind for section in SECTIONS for kind in section.kinds)
"""What the names of messages' templates begin with."""


def names_of(kinds: Iterable[str]) -> frozenset[str]:
    """The names that templates of any of these kinds have."""
    wanted = frozenset(kinds)
    return frozenset(name for section in SECTIONS if section.kinds & wanted for name in section.names)


def kinds_with(name: str) -> tuple[str, ...]:
    """The kinds of messages that have a name."""
    return tuple(sorted({kind for section in SECTIONS if name in section.names for kind in section.kinds}))
