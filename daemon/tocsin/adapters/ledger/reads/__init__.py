"""The questions that the ledger is asked, by what they are about. Each runs in one transaction, so that it sees one
moment. Rows are read one by one: one that cannot be read takes only its own incident out of an answer (rule 63).
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Question = Callable[[Connection], T]
