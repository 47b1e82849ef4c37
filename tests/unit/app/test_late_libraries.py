"""Libraries that take long to load, and that not every installation needs, are loaded by those that do."""

import subprocess
import sys

from aiohttp import web
from tocsin.app.wiring.heartbeat import LateHeartbeat


def test_a_daemon_without_twilio_and_heartbeat_loads_nothing_for_them() -> None:
    """What the daemon is made of brings neither in."""
    ask = "import sys, tocsin.app.wiring.build; print(sorted({'aiohttp', 'twilio.rest'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_daemon_does_without_what_paints_tracebacks() -> None:
    """Its log library does not load the library of terminals; who prints something can do so all the same."""
    ask = """
import sys
from tocsin.cli.run import load_log_library
load_log_library()
import tocsin.app.wiring.build
print(sorted(name for name in sys.modules if name.partition(".")[0] in {"rich", "pygments", "greenlet"}))
import rich.console
load_log_library()
print(rich.console is sys.modules["rich.console"])
"""
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\nTrue\n"


def test_the_daemon_loads_nothing_that_only_judging_needs() -> None:
    """What reads a config is loaded by the process that judges it, beside the daemon's own libraries; what reads an
    entry of the inbox is built once there is one.
    """
    ask = """
import sys
from tocsin.cli.run import load_log_library
load_log_library()
import tocsin.app.wiring.build
from tocsin.app.alerts.payload import AlertGroup
from tocsin.formats.inbox import entries
print(sorted({"phonenumbers", "email_validator", "icalendar", "pydantic_settings", "alembic"} & sys.modules.keys()))
print({model.__pydantic_complete__ for model in (*entries._MODELS, AlertGroup)}, entries._ENTRIES.pydantic_complete)
print(entries.read_entry(b'{"kind": "resubscribe", "ref": "r", "address": "ana@example.com"}'))
print(entries._ENTRIES.pydantic_complete)
"""
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n{False} False\nit is no entry: ref: a value that is none\nTrue\n"


def test_the_process_that_judges_becomes_ready_by_itself() -> None:
    """It has all that a config may need, and a garbage collector that works, which does not look through that."""
    ask = """
import gc, sys
from tocsin.cli import run
gc.disable()
run._become_judge()
print({"phonenumbers", "email_validator", "icalendar", "pydantic_settings"} <= sys.modules.keys())
print(gc.isenabled(), gc.get_freeze_count() > 10_000)
"""
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert found.stdout == "True\nTrue True\n"


async def test_a_heartbeat_that_is_loaded_late_pings_all_the_same() -> None:
    """The watcher hears its first ping, and why another failed is told."""
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.Response(status=200 if request.path == "/ok" else 410)

    app = web.Application()
    app.router.add_get("/{path}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        assert await LateHeartbeat().ping(f"{url}/ok") == ""
        assert await LateHeartbeat().ping(f"{url}/gone") == "it answered 410"
    finally:
        await runner.cleanup()
    assert heard == ["/ok", "/gone"]


def test_who_has_many_configs_judged_prepares_it_once() -> None:
    """Nothing is left to be loaded or built in each process that is forked for one."""
    ask = """
import sys
from tocsin.app.configuration.judge import prepare_judging
from tocsin.formats.config.entries import SECTIONS
from tocsin.formats.settings.settings import Settings
prepare_judging()
assert {"phonenumbers", "email_validator", "pydantic_settings", "icalendar", "recurring_ical_events"} <= sys.modules.keys()
print({model.__pydantic_complete__ for model in (*SECTIONS.values(), Settings)})
"""
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert found.stdout == "{True}\n"


def test_who_has_one_config_judged_prepares_what_nearly_all_need() -> None:
    """What reads any config is built while the command still imports its own; what few need is loaded by those few, and
    what is sent by none.
    """
    ask = """
import sys
from tocsin.app.configuration.judge import prepare_judging
from tocsin.formats.config.entries import SECTIONS
from tocsin.formats.settings.settings import Settings
prepare_judging(for_many=False)
print({model.__pydantic_complete__ for model in (*SECTIONS.values(), Settings)})
print({"phonenumbers", "email_validator"} <= sys.modules.keys())
print(sorted({"pydantic_settings", "icalendar", "tocsin.domain.delivery", "tocsin.domain.facts"} & sys.modules.keys()))
"""
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert found.stdout == "{True}\nTrue\n[]\n"
