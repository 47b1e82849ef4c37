"""Moved to tests/builders."""

from tests.builders.instants import MINUTE
from tests.builders.stories import CARD, DRILL, FIRST, MAIL, SEARCH, SECOND, THIRD, card_payments
from tests.builders.stories import know_config as config_known
from tests.builders.stories import many_incidents as lived
from tests.builders.stories import quieter_incidents as others
from tests.unit.web.lives import BEARER, KEY, TOKEN, WEB

__all__ = [
    "BEARER", "CARD", "DRILL", "FIRST", "KEY", "MAIL", "MINUTE", "SEARCH", "SECOND", "THIRD", "TOKEN", "WEB",
    "card_payments", "config_known", "lived", "others",
]  # fmt: skip
