"""The config in force in the daemon: the policy and the settings, always both of one config (P8)."""

from tocsin.app.state.opt_outs import OptOuts
from tocsin.domain.policy import Policy
from tocsin.formats.settings.reply_routes import ReplyRoutes
from tocsin.formats.settings.settings import Settings, reply_routes


class ActiveConfig:
    """What everybody reads at the moment they need it, so that a reload counts at once. `digest` is that of its files,
    of those that count (`counted`).
    """

    def __init__(self, policy: Policy, settings: Settings, opt_outs: OptOuts | None = None, digest: str = "") -> None:
        self.digest = digest
        self.opt_outs = opt_outs or OptOuts()
        self._configured, self._settings, self._reply_routes = policy, settings, reply_routes(settings)
        self._heed()

    @property
    def policy(self) -> Policy:
        """Who is told what, and since when; nobody at an address that wants nothing more."""
        if self._heeded != self.opt_outs.changes:
            self._heed()
        return self._policy

    @property
    def configured(self) -> Policy:
        """The policy as the config has it, whoever wants nothing more."""
        return self._configured

    @property
    def settings(self) -> Settings:
        """The daemon's own settings."""
        return self._settings

    @property
    def reply_routes(self) -> ReplyRoutes:
        """Where answers come in."""
        return self._reply_routes

    def replace(self, policy: Policy, settings: Settings) -> None:
        """Another config is in force from now on."""
        self._configured, self._settings, self._reply_routes = policy, settings, reply_routes(settings)
        self._heed()

    def _heed(self) -> None:
        self._policy = self.opt_outs.heeded_by(self._configured, self._reply_routes)
        self._heeded = self.opt_outs.changes
