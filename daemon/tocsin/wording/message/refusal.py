"""An address that is refused for good, in words: what is wrong with it, and what helps (rule 37).

Decides from the code alone, where that tells more than the provider's own words. Must not know whose address it is.
"""

from tocsin.domain.delivery import Refused
from tocsin.domain.people import Channel

_NO_NUMBER = "the provider takes it for no valid number", "correct it in the config"
_NO_PHONE = "the provider knows no phone behind the number", "correct it in the config"
_LANDLINE = "the number takes no text messages (a landline?)", "give a mobile number"

DEAD_NUMBER_CODES = {
    "21211": _NO_NUMBER,
    "21214": _NO_PHONE,
    "21217": _NO_NUMBER,
    "21265": _NO_NUMBER,
    "21610": ("the number is opted out", "a text START from that phone to our sender opts it in again"),
    "21612": ("the sender cannot reach the number", "give another number, or a sender for that country"),
    "21614": _LANDLINE,
    "21635": _LANDLINE,
    "30004": ("the number or its carrier blocks our messages", "ask its owner to unblock the sender, or give another"),
    "30005": _NO_PHONE,
    "30006": _LANDLINE,
}
"""Twilio's codes about a number, each with what is wrong and what helps. A code that stands here refuses the number for
good (rule 37), wherever it comes from: this is the only list of them.
"""


def meaning(code: str) -> str:
    """What a code says is wrong; empty when it is not known here."""
    return DEAD_NUMBER_CODES[code][0] if code in DEAD_NUMBER_CODES else ""


def cause(refused: Refused) -> str:
    """What is wrong, with the code: "the number is opted out (21610)"."""
    words = meaning(refused.code) or refused.detail or "the provider gave no reason"
    return words if not refused.code or refused.code in words else f"{words} ({refused.code})"


def cure(via: Channel, refused: Refused) -> str:
    """What helps; without a code known here, to look at the number or the address again."""
    return (
        DEAD_NUMBER_CODES[refused.code][1]
        if refused.code in DEAD_NUMBER_CODES
        else f"check the {via.traits.address_word}"
    )
