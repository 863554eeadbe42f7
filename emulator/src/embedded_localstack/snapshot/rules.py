"""Restore the objects for buses, rules, targets and archives of EventBridge, which are not part of the store."""
# mypy: disable-error-code="import-not-found"

from typing import Any


def load() -> None:
    """Create the objects after the store is restored."""
    from localstack.services.events.models import events_stores  # noqa: PLC0415 - only a running server has it
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415

    provider = SERVICE_PLUGINS.get_service("events")._provider
    for account, region, store in events_stores.iter_stores():
        for bus in store.event_buses.values():
            _load_bus(provider, account, region, bus)
        for archive in store.archives.values():
            _load_archive(provider, archive)


def _load_bus(provider: Any, account: str, region: str, bus: Any) -> None:
    from localstack.services.events.event_bus import EventBusService  # noqa: PLC0415
    from localstack.services.events.rule import RuleService  # noqa: PLC0415

    provider._event_bus_services_store[bus.arn] = EventBusService(bus)
    for rule in bus.rules.values():
        service = provider._rule_services_store[rule.arn] = RuleService(rule)
        for target in rule.targets.values():
            provider.create_target_sender(target, rule.arn, rule.name, region, account)
        if service.schedule_cron and rule.targets:
            service.create_schedule_job(provider._get_scheduled_rule_job_function(account, region, rule))


def _load_archive(provider: Any, archive: Any) -> None:
    from localstack.services.events.archive import ArchiveService  # noqa: PLC0415

    provider._archive_service_store[archive.arn] = ArchiveService(archive)
