"""What stands in the config files on disk as they are, broken or not: numbers, mailboxes and words.

It decides what "the disk has it too" means. A part of a longer word does not stand there: `mail.example` is not in
`mail.example.com`, nor a number in a longer one.
"""

import re
from collections.abc import Iterable

from tocsin.text import contacts

_NUMBER = re.compile(r"\+[0-9 ().\-/]{5,30}", re.ASCII)
_MAILBOX = re.compile(r"[^\s\"'<>,;:\[\]{}()]+@[^\s\"'<>,;:\[\]{}()#]+")
_BEFORE, _AFTER = r"(?:^|(?<=[\s\"'\[{,<:]))", r"(?=$|[\s\"'\]},>#])"
"""What may stand before a word and after it."""


class DiskWords:
    """The words of some texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._text = "\n".join(texts)
        self._numbers = frozenset(_numbers(self._text))
        self._mailboxes = frozenset(_mailboxes(self._text))

    def has_number(self, number: str) -> bool:
        """Whether a number in E.164 stands there, however it is written."""
        return number in self._numbers

    def has_mailbox(self, mailbox: str) -> bool:
        """Whether an address for mail stands there, in any case."""
        return mailbox.casefold() in self._mailboxes

    def has_word(self, word: str) -> bool:
        """Whether just this word, or these, stand there between blanks, quotes or brackets."""
        return re.search(f"{_BEFORE}{re.escape(word)}{_AFTER}", self._text, re.MULTILINE) is not None


def _numbers(text: str) -> Iterable[str]:
    """Numbers in E.164. What follows a number after a blank may or may not belong to it."""
    for written in _NUMBER.findall(text):
        for number in (written, written.split()[0]):
            try:
                yield contacts.phone(number)
            except ValueError:
                continue


def _mailboxes(text: str) -> Iterable[str]:
    for written in _MAILBOX.findall(text):
        yield written.casefold()
        try:
            yield contacts.email(written).casefold()
        except ValueError:
            continue
