"""What those who decide and deliver share: the config in force, the incidents, where to report, and how a message may
be answered.
"""

from dataclasses import dataclass

from tocsin.app.reply_options.options import ReplyOptions
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """One of each for the whole daemon."""

    config: ActiveConfig
    incidents: Incidents
    notices: Notices
    reply_options: ReplyOptions
