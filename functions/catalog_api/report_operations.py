"""The operations that compute a report and show a stored report."""

import secrets
from datetime import UTC, datetime

from catalog_api import reports
from catalog_api.catalog import Catalog
from catalog_api.image_operations import HexId
from catalog_api.models import Report, ReportRequest, ReportRow
from catalog_api.problems import not_found
from catalog_api.report_store import ReportStore
from catalog_api.settings import Settings
from shared.deadline import Deadline
from shared.text import utc_text

# The time for reading one page of the index and sending the response
_ANSWER_S = 3


class Reports:
    """The operations on reports. Their methods are called by the routes."""

    def __init__(self, settings: Settings, catalog: Catalog, report_store: ReportStore) -> None:
        """Nothing is called before the first request."""
        self._settings = settings
        self._catalog = catalog
        self._store = report_store

    def create_report(self, request: ReportRequest, deadline: Deadline) -> Report:
        """Count images and bytes by status and format, as far as time allows, and keep the result."""
        days = reports.days_from(request.first_day, request.days)
        images = {status: self._catalog.uploaded_between(status, *days.bounds) for status in reports.STATUSES}
        rows, complete = reports.count(images, self._settings.max_report_images, lambda: deadline.allows(_ANSWER_S))
        report = Report(
            report_id=secrets.token_hex(16),
            first_day=days.first,
            last_day=days.last,
            created_at=utc_text(datetime.now(UTC)),
            complete=complete,
            rows=[ReportRow(**row) for row in rows],
        )
        self._store.save(report.report_id, report.model_dump(mode="json"))
        return report

    def get_report(self, report_id: HexId) -> Report:
        """Returns a stored report. A report does not change."""
        report = self._store.load(report_id)
        if report is None:
            raise not_found("report")
        return Report(**report)
