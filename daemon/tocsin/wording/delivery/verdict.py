"""What an answer of a provider means: whose fault it is, what is wrong in a few words, and what somebody can do.

The rows stand in `smtp_verdicts` and `sms_verdicts`, and nowhere else: those who send, who tell operators and
docs/providers.md all have them from there. It must not know whose message it was, nor what follows from it.
"""

from dataclasses import dataclass

from tocsin.domain.delivery import Fault


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose fault an answer says it is, what is wrong, and what helps: the record to publish, the registration to make,
    the setting to change; empty where only time does.
    """

    fault: Fault
    meaning: str
    cure: str = ""
