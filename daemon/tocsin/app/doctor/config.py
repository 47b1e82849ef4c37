"""The config: is it good, and if not, by which one does the daemon go on?"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tocsin.adapters.files.config_snapshot import UNREADABLE_SECRETS
from tocsin.app.configuration.kept.judging import judge_kept
from tocsin.app.configuration.kept.reading import in_part
from tocsin.app.configuration.load import Configuration, label_of
from tocsin.app.doctor.check import WITH_SECRETS, Check
from tocsin.domain.problem import ProblemLevel
from tocsin.ports.bounded_work import BoundedWork
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import LedgerError

CONFIG, SECRETS = "config", "secrets"
MEND = "mend it; tocsin check names every place"
READ = "see to its rights or its disk"


async def in_force(
    loaded: Configuration,
    ledger: Ledger | None,
    folder: Path,
    now: datetime,
    environ: Mapping[str, str],
    work: BoundedWork,
) -> tuple[Configuration | None, str]:
    """The config to look at: the one on disk, else the last good one that the ledger keeps (rule 43); None without.
    And why no daemon would go on by it, or only by a part of it.
    """
    if loaded.policy is not None and loaded.settings is not None:
        return loaded, ""
    try:
        stored = await ledger.last_good_config() if ledger else None
    except LedgerError:
        stored = None
    if stored is None:
        return None, ""
    kept = judge_kept(work, stored, loaded, folder, now, environ)
    good = kept.configuration
    if good.policy is not None and good.settings is not None:
        return good, in_part(kept.left_out) if kept.left_out else ""
    return kept.remnant, f"no daemon would start by it: {kept.why}" if kept.why else ""


def examine_config(loaded: Configuration, good: Configuration | None, limits: str, folder: Path) -> list[Check]:
    """How the config on disk is, what there is instead and its limits, and whether its secrets are within reach."""
    label = label_of(folder)
    hidden = [problem for problem in loaded.problems if problem.code == UNREADABLE_SECRETS]
    secrets = [Check(SECRETS, fault.file, None, f"not tried: {fault.message}", WITH_SECRETS) for fault in hidden]
    return [_config(loaded, good, limits, label), *secrets]


def _config(loaded: Configuration, good: Configuration | None, limits: str, label: str) -> Check:
    errors = loaded.errors
    if good is not loaded:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        instead = f"; what follows is of the last good one, {good.revision}" if good else "; nothing else can be told"
        instead += f"; {limits}" if limits else ""
        if loaded.unread:
            return Check(CONFIG, label, False, f"{loaded.unread[0].message}{instead}", READ)
        return Check(CONFIG, label, False, f"it is refused: {errors[0]}{more}{instead}", MEND)
    warnings = sum(problem.level is ProblemLevel.WARNING for problem in loaded.problems)
    if errors:
        return Check(CONFIG, label, True, f"it is good, but {errors[0]}", MEND)
    if warnings:
        counted = f"{warnings} warning{'s' * (warnings > 1)}"
        return Check(CONFIG, label, True, f"{loaded.revision}, with {counted}", "read them: tocsin check")
    return Check(CONFIG, label, True, f"{loaded.revision} is good")
