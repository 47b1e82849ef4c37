"""Invitation: the ways in which the reader of one message may answer. It decides nothing."""

from dataclasses import dataclass
from datetime import timedelta

ANSWERED_FOR = timedelta(days=1)
"""How long after the resolution an `answer_url` still leads to something."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """How the reader of one message may answer it or read on, beside file and command; what is empty is not offered.

    `code` goes with an SMS that answers, `answer_url` leads to a page with buttons, `page_url` to the incident's page.
    """

    code: str = ""
    answer_url: str = ""
    page_url: str = ""


NO_INVITATION = Invitation()
