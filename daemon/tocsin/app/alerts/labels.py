"""What the labels of alerts mean in this config: a severity, services; and what counts when a label names neither."""

from collections.abc import Iterable

from tocsin.domain.arrival import FiringAlerts
from tocsin.domain.policy import Policy
from tocsin.formats.settings.settings import AlertmanagerSettings


class Meaning:
    """The labels of alerts, under a policy."""

    def __init__(self, settings: AlertmanagerSettings, policy: Policy) -> None:
        self._settings = settings
        self._services = policy.services
        self._titles = {service.title.casefold(): id_ for id_, service in reversed(policy.services.items())}
        self._ids = {id_.casefold(): id_ for id_ in reversed(policy.services)}
        self._policy = policy
        self._names = {name.casefold(): name for name in policy.severities}
        self._mapped = {label.casefold(): severity for label, severity in settings.severities.items()}
        self._default = self._named(settings.default_severity) or self._named(policy.unreadable_severity)

    def severity(self, alerts: Iterable[FiringAlerts]) -> str:
        """The worst of theirs; the default where labels say nothing."""
        return min((self._severity(some.severity) for some in alerts), key=self._policy.severity_rank)

    def worse(self, severity: str, than: str) -> bool:
        """Whether a severity is worse than another; one that the config lacks is worse than none."""
        known = than in self._policy.severities
        return not known or self._policy.severity_rank(severity) < self._policy.severity_rank(than)

    def services(self, alerts: Iterable[FiringAlerts]) -> tuple[str, ...]:
        """The services that they name by id or title, each once."""
        services = (self._service(name) for name in self._names_of_services(alerts))
        return tuple(dict.fromkeys(service for service in services if service))

    def unknown(self, alerts: Iterable[FiringAlerts]) -> tuple[str, ...]:
        """What they call a service and the config does not have."""
        return tuple(name for name in self._names_of_services(alerts) if self._service(name) is None)

    def rank(self, value: str) -> int:
        """How bad the value of a severity's label is, the worst first."""
        return self._policy.severity_rank(self._severity(value))

    def _severity(self, value: str) -> str:
        """The severity that the label's value stands for, else the one of that name, else the default."""
        value = value.strip()
        mapped = self._settings.severities.get(value) or self._mapped.get(value.casefold())
        severity = self._named(mapped) or self._named(value) or self._default
        assert severity is not None
        return severity

    def _names_of_services(self, alerts: Iterable[FiringAlerts]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(some.service for some in alerts if some.service))

    def _service(self, name: str) -> str | None:
        if name in self._services:
            return name
        return self._ids.get(name.casefold()) or self._titles.get(name.casefold())

    def _named(self, name: str | None) -> str | None:
        """A severity as the config writes it."""
        return self._names.get(name.casefold()) if name else None
