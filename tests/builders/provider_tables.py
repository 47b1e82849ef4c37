"""The tables of providers' answers as docs/providers.md has them. `python -m tests.builders.provider_tables` prints them."""

import sys

from tocsin.domain.delivery import Fault
from tocsin.wording.delivery.sms_verdicts import SMS_VERDICTS
from tocsin.wording.delivery.smtp_verdicts import ANYWHERE, FROM_MAIL, FROM_RCPT, NO_CODE, SMTP_VERDICTS

WHOSE = {
    Fault.ADDRESS: "the address",
    Fault.MESSAGE: "this message",
    Fault.PROVIDER: "the provider",
    Fault.PASSING: "time",
}
WHERE = {ANYWHERE: "anywhere", FROM_MAIL: "from MAIL on", FROM_RCPT: "from RCPT on"}


def smtp_table() -> str:
    """A mail server's replies."""
    lines = ["| where | reply | whose fault | what is wrong | what to do |", "|---|---|---|---|---|"]
    for row in SMTP_VERDICTS:
        codes = ", ".join(row.codes.split())
        enhanced = "without an enhanced code" if row.enhanced == NO_CODE else ", ".join(row.enhanced.split())
        words = f"with one of the words: {row.words}" if row.words else ""
        reply = " ".join(part for part in (codes, enhanced, words) if part)
        where = WHERE.get(row.places) or " ".join(place.value for place in row.places)
        verdict = row.verdict
        lines.append(f"| {where} | {reply} | {WHOSE[verdict.fault]} | {verdict.meaning} | {verdict.cure} |")
    return "\n".join(lines)


def sms_table() -> str:
    """Twilio's codes."""
    lines = ["| code | whose fault | what is wrong | what to do |", "|---|---|---|---|"]
    for code, verdict in SMS_VERDICTS.items():
        lines.append(f"| {code} | {WHOSE[verdict.fault]} | {verdict.meaning} | {verdict.cure} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{smtp_table()}\n\n{sms_table()}\n")
