"""Who watches over the daemon: the service manager that started it, and a dead man's switch elsewhere."""

from typing import Protocol


class ServiceManager(Protocol):
    """Who started us and wants to know how we are (systemd's notify protocol, or nobody)."""

    def ready(self, status: str) -> None:
        """Start-up is over."""
        ...

    def reloading(self) -> None:
        """A reload begins; `ready` ends it."""
        ...

    def stopping(self) -> None:
        """We are on the way out."""
        ...

    def healthy(self) -> None:
        """A full pass went well: feeds the watchdog."""
        ...


class Heartbeat(Protocol):
    """A dead man's switch outside this machine: it raises the alarm when the pings stop."""

    async def ping(self, url: str) -> str:
        """Tell it that we live. Empty when it heard us, else why not. Never raises."""
        ...
