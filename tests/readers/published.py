"""A published data folder to read, and what must be found in it."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import analytics_path, manifest_path
from tests.simulated import Traffic
from tests.truth.figures import Figures


@dataclass(frozen=True)
class Published:
    """Results on disk, with the truth about them."""

    settings: Settings
    traffic: Traffic

    @property
    def database(self) -> Path:
        """The published database."""
        return analytics_path(self.settings)

    @cached_property
    def truth(self) -> Figures:
        """What the marts must hold."""
        return self.traffic.figures(self.traffic.sends)

    @cached_property
    def files(self) -> dict[str, list[Path]]:
        """The files of each table that the manifest names."""
        manifest: dict[str, Any] = json.loads(manifest_path(self.settings).read_text("utf-8"))
        found: dict[str, list[Path]] = {}
        for file in manifest["files"]:
            path = manifest_path(self.settings).parent / file["path"]
            found.setdefault(file["table"], []).append(path)
        return found

    @cached_property
    def types(self) -> dict[str, dict[str, str]]:
        """The pinned type of each column of each table that has files."""
        return {
            name: {column: one.type for column, one in model.columns.items()}
            for name, model in models.load_models().items()
            if name in self.files
        }

    @cached_property
    def answers(self) -> dict[str, Any]:
        """What every reader is asked, and what is true."""
        daily = self.truth.tables["marts.delivery_daily"]
        return {
            "messages": len(self.traffic.reports),
            "greatest_sid": max(report.sid for report in self.traffic.reports),
            "delivered": sum(row["delivered"] for row in daily.values()),
            "sent": sum(row["sent"] or 0 for row in daily.values()),
            "last_event": max(report.event_time for report in self.traffic.reports).isoformat(),
            "empty_uids": sum(report.uid == "" for report in self.traffic.reports),
            "null_uids": sum(report.uid is None for report in self.traffic.reports),
        }


QUESTIONS = """
select
    (select count(*) from core.sms_status) as messages,
    (select max(sid) from core.sms_status) as greatest_sid,
    (select sum(delivered)::bigint from marts.delivery_daily) as delivered,
    (select sum(sent)::bigint from marts.delivery_daily) as sent,
    (select strftime(max(event_time_utc), '%Y-%m-%dT%H:%M:%S') from core.sms_status) as last_event,
    (select count(*) from core.sms_status where uid = '') as empty_uids,
    (select count(*) from core.sms_status where uid is null) as null_uids
"""
"""The same in SQL; ``last_event`` comes out without a fraction, for the handset gives none."""
