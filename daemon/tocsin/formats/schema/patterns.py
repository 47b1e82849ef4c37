"""The words of the files as JSON Schema, for editors: as near to `text/scalars` as a pattern can come.

Decides what an editor underlines in one scalar. It sees shapes, not meaning: whether a zone is known, a date exists or
a number is possible stays with the reader. Every pattern means the same in Python and in ECMAScript. Must not know in
which field the text stands.
"""

from tocsin.domain.people import Channel
from tocsin.formats.schema.json_schema import JsonSchema, list_of, one_or_list, text, text_matching


def any_case(word: str) -> str:
    """A pattern for a word in any case."""
    return "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in word)


def one_of(words: tuple[str, ...]) -> str:
    """A pattern for any of these words, in any case."""
    return f"(?:{'|'.join(any_case(word) for word in words)})"


_DAY = one_of(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_TIME = "(?:[01]?[0-9]|2[0-3]):[0-5][0-9]"
_DATE = "(?:20|21)[0-9]{2}(?:-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12][0-9]|3[01])|-?W[0-5][0-9](?:-?[1-7])?)"
_CLOCK = "(?:[01][0-9]|2[0-3])(?::?[0-5][0-9](?::?[0-5][0-9](?:[.,][0-9]+)?)?)?"
_OFFSET = "(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)"
_SHORT = " ?".join(rf"(?:[0-9]{{1,12}} ?{any_case(unit)})?" for unit in "dhms")
_ISO = (
    "[Pp](?=[0-9Tt])"
    + "".join(("(?:[Tt](?=[0-9])" if unit == "h" else "") + f"(?:[0-9]{{1,9}}{any_case(unit)})?" for unit in "wdhms")
    + ")?"
)
_SPAN = f" *(?:(?=[0-9]){_SHORT}|{_ISO}) *"
_WORD = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_DIALLED = r"\+(?:[ ().\/-]*[0-9]){5,15}[ ().\/-]*"
_MAILBOX = r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+"
_NUMBERED: JsonSchema = {"minimum": 0}

NAME = text_matching(
    _WORD, 'a name is letters, digits, "-" and "_" (at most 64, a letter or digit first)', digits=_NUMBERED
)
FALLBACK_NAME = text_matching(
    rf"(?!{any_case('main')}$){_WORD}", '"main" is the first provider; any other name will do', digits=_NUMBERED
)
WHO = text_matching(
    rf"{_WORD}(?:\.(?:on_call|next|everyone))?",
    "write a person's id, ROTATION.on_call, ROTATION.next or ROTATION.everyone",
    digits=_NUMBERED,
)
DELAY = text_matching(_SPAN, "write a duration such as 30s, 5m, 1h30m or 2d", "3m", "1h")
DURATION = text_matching(f"(?=.*[1-9]){_SPAN}", "write a duration such as 30s, 5m, 1h30m or 2d", "5m", "1h30m")
MOMENTS = text_matching(
    rf"{_SPAN}(?:\.\.(?:{_SPAN})?)?",
    "write a moment such as 5m, a window such as 5m..6m, or 30m.. for everything from then on",
    "5m",
    "5m..6m",
    digits={"minimum": 0, "maximum": 0},
)
INSTANT = text_matching(
    rf"\s*{_DATE}[Tt ]{_CLOCK} ?{_OFFSET}\s*",
    "write an instant with its offset, such as 2026-11-23T10:04:00Z or +01:00",
    "2026-11-23T10:04:00Z",
)
LOCAL_TIME = text_matching(
    rf"\s*{_DATE}(?:[Tt ]{_CLOCK})?\s*",
    "write a local time without offset, such as 2026-01-05T09:00",
    "2026-01-05T09:00",
)
WINDOW = text_matching(
    rf"\s*(?:{_DAY}(?: ?- ?{_DAY})?(?: ?, ?{_DAY}(?: ?- ?{_DAY})?)*\s+)?{_TIME}\s*-\s*(?:{_TIME}|24:00)\s*",
    "write a window such as mon-fri 09:00-17:00 or 22:00-24:00",
    "mon-fri 09:00-17:00",
)
CRON = text_matching(
    r"\s*(?:[0-9*,\/?-]+\s+){2}(?![RHrh]\s)[0-9A-Za-z*,\/?#-]+(?:\s+[0-9A-Za-z*,\/?#-]+){2}\s*",
    "write five fields: minute hour day month weekday, such as 0 9 * * mon",
    "0 9 * * mon",
)
ZONE = text_matching(
    r"(?!(?:localtime|posixrules|Factory)$)[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+)*",
    "write an IANA zone such as Europe/Berlin or UTC",
    "UTC",
    "Europe/Berlin",
)
EMAIL = text_matching(rf"\s*{_MAILBOX}\s*", "write an address such as ana@example.com")
REPLY_TO = text_matching(rf"\s*(?=[!-?A-~]+@){_MAILBOX}\s*", "write an address such as desk@example.com")
LANGUAGE_CODE = "[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"
LANGUAGE = text_matching(LANGUAGE_CODE, "write the code of a language, such as de or pt-BR", "de", "pt-BR")
PHONE = text_matching(
    rf"\s*{_DIALLED}\s*",
    "write the number with + and its country code, such as +14155550101",
    digits={"minimum": 10**4, "maximum": 10**15 - 1},
)
MAIL_SENDER = text_matching(
    rf"(?!.*[\x00-\x1f\x7f])(?:\s*{_MAILBOX}\s*|.*<\s*{_MAILBOX}\s*>\s*)",
    "write an address, with a name if you like: Incidents <incidents@example.com>",
)
SMS_SENDER = text_matching(
    rf"\s*(?:{_DIALLED}|[0-9]{{3,8}}|(?=.*[A-Za-z])[A-Za-z0-9 ]{{1,11}})\s*",
    "write a number such as +14155550101, a short code, or a name of up to eleven letters and digits",
    digits={"minimum": 100, "maximum": 10**15 - 1},
)
NUMBER_PREFIX = text_matching(
    r"\s*\+[ ().\/-]*[1-9](?:[ ().\/-]*[0-9]){0,14}[ ().\/-]*",
    "write how the numbers begin, with + and the country code, such as +49",
    "+49",
)
URL = text_matching(
    r"[Hh][Tt][Tt][Pp][Ss]?:\/\/(?:[^\s\/?#@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^\s\/?#:@\[\]]+)(?::[0-9]*)?(?:[\/?#]\S*)?",
    "write a web address such as https://tocsin.example.com",
)
LINK = text_matching(
    r"\s*(?:[Hh][Tt][Tt][Pp][Ss]?:\/\/\S+|[Tt][Ee][Ll]:\+?[0-9][0-9().,;=*#-]{2,60})\s*",
    "write an address such as https://wiki.example.com, or a number to call: tel:+14155550101",
)
LINE_LIMIT = 200
"""The longest text that stands on one line of a message, in characters."""
_SEEN = r"[^\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]*"
LINE: JsonSchema = {
    **text(LINE_LIMIT),
    "pattern": f"^{_SEEN}$",
    "patternErrorMessage": "it holds characters that cannot be seen, or turn the text around",
}
LINKS_MOST = 20
"""The most links of one incident or service."""
LINKS: JsonSchema = {"type": "object", "maxProperties": LINKS_MOST, "additionalProperties": LINK}
NETWORK = text_matching(
    r" *[0-9A-Fa-f:.]+(?:\/(?:[0-9]{1,3}|[0-9.]+))? *",
    "write an address or a network, such as 192.0.2.1 or 192.0.2.0/24",
)
LISTEN = text_matching(
    r".+:(?:[0-9]{1,4}|[0-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])",
    "write host:port, such as 127.0.0.1:8765",
)
LEDGER = text_matching(
    r"sqlite:\/\/\/(?!:memory:$)[^?#]+|"
    r"postgres(?:ql)?:\/\/(?:[^:@\/?\s]*@)?[^@\/?\s]*(?:\/[^\/?\s]+(?:\?\S*)?|\/?\?\S*(?:service|dbname)=\S+)",
    "write a SQLite file such as sqlite:///../var/tocsin.db, or a database such as "
    "postgresql://tocsin@db.example.com/tocsin, without a password",
)
CHAIN: JsonSchema = {"anyOf": [WHO, list_of(one_or_list(WHO))]}
CHANNEL: JsonSchema = {"type": "string", "enum": [str(channel) for channel in Channel]}
TRUTH: JsonSchema = {"type": "boolean"}


def reserved(name: str) -> JsonSchema:
    """Keys are names, but for this one, which means something of its own."""
    return {"propertyNames": text_matching(f"(?!{name}$).*", f'"{name}" is reserved')}


def sid(prefix: str) -> JsonSchema:
    """A provider's id."""
    return text_matching(f"{prefix}[0-9A-Za-z]+", f"such an id begins with {prefix}")
