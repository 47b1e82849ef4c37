"""What operators are told when the daemon itself is in trouble, and what counts as the same trouble."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperatorNotice:
    """What is wrong, as a sentence for people, with its place as file:line:col where it has one. Operators hear of one
    `cause` once an hour; of a `minor` one (a dropped optional field) by email alone, where they have that (rule 39).
    """

    cause: str
    text: str
    minor: bool = False


Notify = Callable[[OperatorNotice], None]
