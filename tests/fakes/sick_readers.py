"""What reads calendars and renders templates, made sick as a fault of a library would be: whatever cure we know for a
hostile file is no use against the next one.

A calendar that says `X-SICK:HANG`, and a template that says HANG, is worked on for ever; EAT takes memory without end,
RAISE raises what nobody expects, CRASH ends the process, SLOW takes eight seconds. Judging has a second instead of ten,
or SICK_SECONDS.
"""

from pathlib import Path

SICKNESSES = ("HANG", "EAT", "RAISE", "CRASH")

_PATCH = """
import ctypes, os, time
from jinja2 import Template
from tocsin.adapters.jinja import sandbox
from tocsin.app.configuration import config_judge, judge
from tocsin.app.configuration.kept import judging
from tocsin.formats.calendar import read

for module in (config_judge, judge, judging):
    module.JUDGED_WITHIN = float(os.environ.get("SICK_SECONDS", "1"))

def fall_sick(text):
    while "HANG" in text or ("SLOW" in text and time.process_time() < 8):
        pass
    kept = []
    while "EAT" in text:
        kept.append(bytearray(1 << 20))
    if "RAISE" in text:
        raise KeyError("nobody expects this")
    if "CRASH" in text:
        ctypes.string_at(0)

well_read, well_rendered = read.read_calendar, sandbox.Sandbox.text

def read_calendar(data, *args):
    fall_sick(data.decode().partition("X-SICK:")[2])
    return well_read(data, *args)

def text(self, template, *args):
    fall_sick(self._sources.get(template.name, "") if template.name else "")
    return well_rendered(self, template, *args)

read.read_calendar, sandbox.Sandbox.text = read_calendar, text
"""


def sick_readers(folder: Path) -> dict[str, str]:
    """The variables of a process whose readers are sick; `folder` is for what makes them so."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_PATCH)
    return {"PYTHONPATH": str(folder)}
