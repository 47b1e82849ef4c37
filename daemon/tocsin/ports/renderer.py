"""Words for a notification, and the templates they come from."""

from pathlib import Path
from typing import Protocol

from tocsin.domain.delivery import Content
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import NO_REPLY_OFFER, Notification, ReplyOffer
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem


class Renderer(Protocol):
    """Words for a notification. Never raises and never waits long: a broken template gives the built-in text."""

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: ReplyOffer = NO_REPLY_OFFER,
    ) -> Content:
        """The words this reader gets. `history` is from before the decision."""
        ...


class Templates(Protocol):
    """The templates of a folder, over the shipped ones."""

    def load(self, folder: Path) -> tuple[Problem, ...]:
        """Use this folder's templates from now on, as far as they can be used. Gives what is wrong. Never raises."""
        ...
