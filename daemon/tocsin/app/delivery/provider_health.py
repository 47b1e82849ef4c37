"""Whether a provider works, told from how its tries end, and when the operators hear that it does not (rules 38, 39).
It must not know whose messages they were.
"""

from tocsin.app.state.notices import Notices
from tocsin.domain.delivery import Accepted, Deferred, Fault, Outcome, Refused
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel

PATIENCE = 3
"""Failures in a row that time may cure, before operators hear of them."""


class ProviderHealth:
    """The failures in a row of one channel's provider."""

    def __init__(self, via: Channel, notices: Notices) -> None:
        self._via = via
        self._notices = notices
        self.failures = 0

    def on_outcome(self, outcome: Outcome) -> None:
        """Take note of how a try ended. A refused address is no failure: the provider answered for it."""
        if isinstance(outcome, (Accepted, Refused)):
            self.failures = 0
            text = f"{self._via.traits.provider} takes messages again"
            self._notices.cured(Trouble.PROVIDER_REFUSES, self._via.traits.word, text)
            return
        self.failures += 1
        only_config = isinstance(outcome, Deferred) and outcome.fault is Fault.PROVIDER
        if only_config or self.failures == PATIENCE:
            code = f" ({outcome.code})" if outcome.code else ""
            advice = "check its settings and credentials" if only_config else "pages go by other channels meanwhile"
            sentence = f"{self._via.traits.provider} does not take messages: {outcome.detail}{code}; {advice}"
            self._notices.tell(OperatorNotice(Trouble.PROVIDER_REFUSES, sentence, about=self._via.traits.word))
