"""House rules 1 to 3 and 8: imports point down, the core is pure, each library has its door."""

import ast
import sys

import pytest

from tests.house.code import FLOORS, Module, modules

IMPURE = {
    "asyncio", "concurrent", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil",
    "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip

DOORS = {
    "aiohttp": {"adapters/twilio.py", "adapters/heartbeat.py", "web/"},
    "aiosmtplib": {"adapters/smtp.py"},
    "alembic": {"adapters/ledger/"},
    "click": {"cli/"},
    "croniter": {"planning/handoffs.py"},
    "email_validator": {"documents/contacts.py"},
    "icalendar": {"documents/calendar.py", "documents/calendar_feed.py"},
    "jinja2": {"adapters/jinja/"},
    "prometheus_client": {"web/metrics.py"},
    "phonenumbers": {"documents/contacts.py"},
    "pydantic": {"documents/", "app/settings", "app/layers.py", "adapters/ledger/codec.py"},
    "pydantic_core": {"documents/problems.py"},
    "pydantic_settings": {"app/settings.py", "app/layers.py"},
    "recurring_ical_events": {"documents/calendar.py"},
    "ruamel": {"documents/edit.py"},
    "sqlalchemy": {"adapters/ledger/"},
    "structlog": {"app/", "web/"},
    "twilio": {"adapters/twilio.py", "adapters/twilio_signature.py"},
    "watchfiles": {"adapters/folder.py"},
    "yaml": {"documents/yaml.py", "documents/syntax.py"},
}

CLOCK = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
         ("time", "time"), ("time", "time_ns"), ("time", "monotonic"), ("time", "clock_gettime"),
         ("func", "now"), ("func", "current_timestamp")}  # fmt: skip


def names(found: list[Module]) -> list[str]:
    return [module.name for module in found]


@pytest.mark.parametrize("module", modules(), ids=names(modules()))
def test_imports_point_down(module: Module) -> None:
    """Rule 1: a module imports only from floors below its own or from its own room; siblings don't know each other."""
    if module.room == "__init__":
        return
    floor = FLOORS[module.room]
    for name, _ in module.imports():
        parts = name.split(".")
        if parts[0] != "daemon" or len(parts) < 2 or parts[1] == "__version__":
            continue
        room = parts[1]
        if room == module.room:
            if room == "adapters":
                assert module.name.startswith(f"adapters/{parts[2]}"), f"{module.name} knows the adapter {name}"
        else:
            assert FLOORS[room] < floor, f"{module.name} (floor {floor}) imports {name} (floor {FLOORS[room]})"


def test_every_room_has_a_floor() -> None:
    """Rule 1: a new folder cannot dodge the rule."""
    assert {module.room for module in modules()} - {"__init__", "__main__"} <= set(FLOORS)


def test_no_cycles() -> None:
    """Rule 1: no module imports, through others, itself."""
    known = {"daemon." + module.name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): module
             for module in modules()}  # fmt: skip
    arrows = {}
    for name, module in known.items():
        targets = {".".join(found.split(".")[:end]) for found, _ in module.imports() for end in (2, 3, 4)}
        arrows[name] = {target for target in targets if target in known and target != name}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"cycle: {' -> '.join((*trail, name))}"
        if name not in done:
            for target in sorted(arrows[name]):
                if not (name.startswith(target + ".") or target.startswith(name + ".")):
                    visit(target, (*trail, name))
            done.add(name)

    for name in known:
        visit(name, ())


@pytest.mark.parametrize("module", modules(), ids=names(modules()))
def test_no_dodges(module: Module) -> None:
    """Rule 1: no TYPE_CHECKING blocks; imports inside functions only in cli/, for start-up time."""
    assert "TYPE_CHECKING" not in module.text
    if module.room == "cli":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [child for child in ast.walk(node) if isinstance(child, ast.Import | ast.ImportFrom)]
            assert not inner, f"{module.name}:{inner[0].lineno}: import inside {node.name}" if inner else ""


@pytest.mark.parametrize("module", modules("domain", "planning"), ids=names(modules("domain", "planning")))
def test_the_core_is_pure(module: Module) -> None:
    """Rule 2: domain/ and planning/ have no I/O, no randomness, no logging and no async; domain/ only the stdlib."""
    assert not module.libraries() & IMPURE
    assert not [node for node in ast.walk(module.tree) if isinstance(node, ast.AsyncFunctionDef | ast.Await)]
    outside = {name for name in module.libraries() if name not in sys.stdlib_module_names} - {"daemon"}
    allowed = {"croniter"} if module.room == "planning" else set()
    assert outside <= allowed


@pytest.mark.parametrize("module", modules(), ids=names(modules()))
def test_one_file_asks_the_clock(module: Module) -> None:
    """Rule 2: only adapters/clock.py asks what time it is; everybody else is told."""
    if module.name == "adapters/clock.py":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            said = (owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", ""), node.func.attr)
            assert said not in CLOCK, f"{module.name}:{node.lineno} asks the clock"


@pytest.mark.parametrize("module", modules(), ids=names(modules()))
def test_each_library_has_its_door(module: Module) -> None:
    """Rules 3 and 8: a third-party library is imported where the house says, and nowhere else."""
    for library in module.libraries() - set(sys.stdlib_module_names) - {"daemon"}:
        doors = DOORS.get(library, set())
        assert any(module.name.startswith(door) for door in doors), f"{module.name} imports {library}"


def test_one_broad_except() -> None:
    """Rule 9: the one broad except stands in one place: around one incident's reconcile, and around one arrival's judgement."""
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else ""
                if caught in ("", "Exception", "BaseException"):
                    found.append(f"{module.name}:{node.lineno}")
    assert [place.split(":")[0] for place in found] == ["app/guarded.py"], found


def test_wiring_alone_constructs_adapters() -> None:
    """Rule 8: in the app, only wiring/ calls an adapter's class."""
    for module in modules("app"):
        if module.name.startswith("app/wiring/"):
            continue
        classes = {name.split(".")[-1] for name, _ in module.imports() if name.startswith("daemon.adapters.")}
        classes = {name for name in classes if name[:1].isupper()}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in classes, f"{module.name}:{node.lineno} constructs {node.func.id}"
