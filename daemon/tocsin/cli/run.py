"""`tocsin run`: the daemon, in the foreground, until SIGTERM or Ctrl-C."""

import asyncio
import gc
import importlib
import os
import sys
from pathlib import Path

import click

from tocsin.adapters.memory import share_heaps
from tocsin.cli.judging import ready_child
from tocsin.cli.options import config_option, fail, folder_of


@click.command("run")
@click.option("--log", "form", type=click.Choice(["text", "json"]), help="Default: text on a terminal, else json.")
@click.option("--inbox", default="", hidden=True)
@config_option
def command(form: str | None, inbox: str, config: Path | None) -> None:
    r"""Watch the incident folder, page people, tell stakeholders.

    \b
    SIGHUP reloads the config; SIGTERM and Ctrl-C let sends under way end
    (up to 30 s), a second one stops at once.
    Logs go to stderr: words on a terminal, else JSON.
    """
    gc.disable()  # all that is loaded stays: nobody need look through it while it grows, nor later
    share_heaps()
    load_log_library()
    importlib.import_module("tocsin.app.configuration.config_judge")
    work = ready_child(_become_judge)  # with what both need; what only one of them needs each loads beside the other
    from tocsin.app.lifecycle.startup import StartError
    from tocsin.app.wiring.build import run
    from tocsin.cli.output.log_output import open_log

    _keep_all_loaded()
    log, watched = open_log(form, inbox)
    try:
        asyncio.run(run(folder_of(config), os.environ, log, work, watched=watched))
    except StartError as trouble:
        fail(trouble.reasons)


def _become_judge() -> None:
    """What the process does first in which configs are judged (whatever is forked for one begins there)."""
    from tocsin.app.configuration.judge import prepare_judging

    prepare_judging()
    _keep_all_loaded()


def _keep_all_loaded() -> None:
    """The garbage collector works from now on, and never looks through what is loaded so far."""
    gc.freeze()
    gc.enable()


def load_log_library() -> None:
    """Load structlog without rich and greenlet. Where it finds rich, it loads all of it for tracebacks in colours,
    which no line of ours has: 80 modules, and 4 MB for as long as the daemon runs; greenlet is 1 MB more.
    """
    out = {"rich", "greenlet"} - sys.modules.keys()
    sys.modules.update(dict.fromkeys(out))  # type: ignore[arg-type] # so they are not to be had
    importlib.import_module("structlog")
    for name in out:
        del sys.modules[name]
