"""What brings alerts to their incidents, put together."""

from functools import partial

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.app.alerts.apply import AlertIncidents
from tocsin.app.arrivals.alert_feed import AlertFeed
from tocsin.app.arrivals.in_memory.alerts import AlertsInMemory
from tocsin.app.intake.own_writes.catching_up import catch_up
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.ports.clock import Clock


def alert_parts(
    clock: Clock, ledger: SqlLedger, config: ActiveConfig, incidents: Incidents, notices: Notices
) -> tuple[AlertFeed, AlertsInMemory]:
    """Who judges them by the ledger, and who while it takes nothing."""
    files, threads = IncidentFiles(config.settings.incidents), DiskThreads("alerts")
    catching_up = partial(catch_up, files=files, ledger=ledger, threads=threads)
    alerts = AlertIncidents(files, threads, None if config.settings.database else catching_up)
    in_memory = AlertsInMemory(clock, config, incidents, alerts.alone())
    return AlertFeed(clock, ledger, config, notices, alerts, in_memory), in_memory
