"""A copy of a server as it was at one moment: what is promoted when the first one dies and its standby lagged behind."""

from tests.fakes.postgres import OWNER, Server


class LaggingCopy(Server):
    """It runs from construction on, at a port of its own, and knows nothing of what was committed since."""

    def __init__(self, of: Server) -> None:
        self._of = of
        super().__init__(of.programs)

    def _initialise(self) -> None:
        self.folder.chmod(0o777)
        given = ("--host", str(self._of.folder), "--port", str(self._of.port), "--username", OWNER, "--no-password")
        how = ("--checkpoint", "fast", "--wal-method", "stream", "--no-sync")
        made = self._run("pg_basebackup", "--pgdata", str(self.data), *given, *how)
        assert not made.returncode, made.stderr
