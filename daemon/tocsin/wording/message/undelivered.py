"""Why the SMS provider did not deliver a message that it had taken, in words: what is wrong, and what helps (rule 39).

Decides from the code alone, which is Twilio's. Must not know whose message it was. Codes about the number itself stand
in `refusal`.
"""

_REGISTER = "register it in the provider's console, or use another sender"

PROVIDER_CODES = {
    "30002": ("the account is suspended", "open the provider's console: pay, or lift the suspension"),
    "30007": (
        "a carrier filtered the message as unwanted",
        "look at the sender's registration in the provider's console, and write to its support",
    ),
    "30032": ("the toll-free sender is not verified, so carriers drop what it sends", _REGISTER),
    "30034": ("the sender is not registered for A2P 10DLC, so carriers drop what it sends", _REGISTER),
}
"""Codes that say that the account or the sender may not send: every number is concerned, and only somebody's action
helps.
"""

_OTHER_CODES = {
    "30001": "the provider's queue is full",
    "30003": "the phones are off or out of reach",
    "30008": "the carrier gave no reason",
}


def cause(code: str) -> str:
    """What is wrong, with the code."""
    words = PROVIDER_CODES[code][0] if code in PROVIDER_CODES else _OTHER_CODES.get(code, "no reason was given")
    return f"{words} ({code})" if code else words


def cure(code: str) -> str:
    """What helps."""
    if code in PROVIDER_CODES:
        return PROVIDER_CODES[code][1]
    return "look into the provider's console and its status page"
