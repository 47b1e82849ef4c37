"""Trouble: a sentence for the operators, and what counts as the same trouble. It decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperatorNotice:
    """What is wrong, in words for people, with its place as file:line:col where it has one. Troubles of one `cause`
    are told once an hour. A `minor` one (a dropped optional field) goes by email only (rule 39).
    """

    cause: str
    text: str
    minor: bool = False


Notify = Callable[[OperatorNotice], None]
