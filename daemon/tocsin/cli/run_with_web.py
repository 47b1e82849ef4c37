"""`make run`: the daemon and the web side at once, for somebody who looks at tocsin for the first time.

Run as `python -m tocsin.cli.run_with_web`; it is no command of `tocsin`. It decides that both end when one does. It
must not know what they do.
"""

import asyncio
import ctypes
import signal
import socket
import sys
from contextlib import suppress

from tocsin.cli import forget_output
from tocsin.cli import main as tocsin
from tocsin.cli.options import fail, folder_of, utc_now
from tocsin.cli.web import cannot_listen
from tocsin.cli.whole_ledger import open_ledger
from tocsin.cli.workspace import open_workspace
from tocsin.formats.settings.settings import Settings

DIES_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2): which signal a process gets when the one that started it is gone."""


def main() -> int:
    """Print where the messages can be seen, then run both in the foreground. The exit status of what ended first."""
    settings = asyncio.run(_settings())
    try:
        with socket.create_server((settings.web.host, settings.web.port), family=_family(settings.web.host)):
            pass
    except OSError as fault:
        fail([cannot_listen(settings.web.listen, fault)])
    site = _site(settings)
    inbox = f"{site}/inbox" if settings.keeps_outbox else ""
    try:
        print(_where(settings, site, inbox), flush=True)
    except OSError:  # nobody reads it; both go on
        forget_output()
    return asyncio.run(_both(inbox))


async def _settings() -> Settings:
    async with open_workspace(open_ledger, folder_of(None), utc_now()) as workspace:
        return workspace.settings


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _site(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.web.host, settings.web.listen.rpartition(":")[0])  # noqa: S104
    return f"http://{host}:{settings.web.port}"


def _where(settings: Settings, site: str, inbox: str) -> str:
    if not inbox:
        return f"Web: {site}/healthz"
    return f"Inbox: {inbox}\nDrop a file into {settings.incidents} and watch the pages arrive there."


def run_one(*command: str) -> None:
    """One of both, as a process that asks to be ended when the one that started it is gone."""
    with suppress(AttributeError):  # where there is no prctl, a killed starter leaves it running
        ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGTERM)
    tocsin(command)


async def _both(inbox: str) -> int:
    """Each in a session of its own: Ctrl-C reaches this process alone, which asks each of them once to end."""
    this = (sys.executable, "-m", "tocsin.cli.run_with_web")
    commands = (["run", *(["--inbox", inbox] if inbox else ())], ["web"])
    running = [await asyncio.create_subprocess_exec(*this, *command, start_new_session=True) for command in commands]
    ended = asyncio.Event()

    def end() -> None:
        ended.set()
        for process in running:
            if process.returncode is None:
                process.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end)
    ends = [asyncio.create_task(process.wait()) for process in running]
    first, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    counting = set(ends) if ended.is_set() else first
    if not ended.is_set():
        end()
    await asyncio.wait(ends)
    status = next((end.result() for end in counting if end.result()), 0)
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    if sys.argv[1:]:
        run_one(*sys.argv[1:])
    sys.exit(main())
