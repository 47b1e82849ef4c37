"""Phone numbers in E.164 and email addresses, checked and normalised.

Raises ValueError with a sentence that says what to write instead. Must not know whose address it is; asks no network.
"""

import re
from collections.abc import Mapping

_DIALLED = re.compile(r"\+[0-9 ().\-/]{5,30}", re.ASCII)
_SIGNS = re.compile(r"[ ().\-/]")


def phone(text: str) -> str:
    """A number in E.164 (`+` and the country code); blanks and dashes between digits are taken out."""
    import phonenumbers  # noqa: PLC0415 - dear, and only who reads addresses needs it

    written = text.strip()
    if not written.startswith("+"):
        raise ValueError(f'"{text}" has no country code; write the number such as "+14155550101"')
    if not _DIALLED.fullmatch(written):
        raise ValueError(f'"{text}" is no phone number; write + and digits only, such as "+14155550101"')
    try:
        number = phonenumbers.parse(_SIGNS.sub("", written))
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValueError(f'"{text}" cannot be a phone number; check its country code and length')
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def prefix(text: str) -> str:
    """How numbers in E.164 begin (`+49`, `+49151`); blanks and dashes between digits are taken out."""
    written = _SIGNS.sub("", text.strip())
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", written):
        raise ValueError(f'"{text}" is no beginning of a phone number; write + and digits, such as "+49"')
    return written


def by_prefix(number: str, table: Mapping[str, str]) -> str:
    """The entry whose prefix fits the number, the longest of several; empty when none does."""
    fitting = [known for known in table if number.startswith(known)]
    return table[max(fitting, key=len)] if fitting else ""


def in_use(number: str) -> bool:
    """Whether the numbering plan, as far as it is known here, gives out numbers like this E.164 one."""
    import phonenumbers  # noqa: PLC0415 - dear, and only who reads addresses needs it

    return phonenumbers.is_valid_number(phonenumbers.parse(number))


def email(text: str) -> str:
    """An address such as `ana@example.com`; an internationalised domain becomes its ASCII form."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - dear, and only who reads addresses needs it

    if re.search(r"[\r\n]", text):
        raise ValueError("an email address cannot hold a line break")
    try:
        checked = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as fault:
        reason = str(fault).splitlines()[0].rstrip(".") if str(fault) else "it is malformed"
        raise ValueError(f'"{text}" is no email address: {reason}') from None
    return checked.ascii_email or f"{checked.local_part}@{checked.ascii_domain}"


def country_of(number: str) -> str:
    """The country that an E.164 number belongs to, in two letters, or else the main one of its code; empty where that
    is no country's.
    """
    import phonenumbers  # noqa: PLC0415 - dear, and only who reads addresses needs it

    parsed = phonenumbers.parse(number)
    code = parsed.country_code or 0
    region = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(code) or ""
    return region if region.isalpha() and region != "ZZ" else ""
