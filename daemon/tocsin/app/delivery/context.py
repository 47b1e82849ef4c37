"""What those who decide and deliver share: the config in force, the incidents, where to report, how a message may be
answered, the codes that are put in as they leave, whether anything may leave, and what this machine is called.
"""

from dataclasses import dataclass, field

from tocsin.app.reply_options.options import ReplyOptions
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.app.state.sign_in_codes import SignInCodes
from tocsin.ports.fence import NO_FENCE, Fence


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """One of each for the whole daemon. `machine`: empty where there are no others. `unseen`: they do without the
    ledger that machines share, and their pages name no code.
    """

    config: ActiveConfig
    incidents: Incidents
    notices: Notices
    reply_options: ReplyOptions
    sign_in_codes: SignInCodes = field(default_factory=SignInCodes)
    fence: Fence = NO_FENCE
    machine: str = ""
    unseen: bool = False
