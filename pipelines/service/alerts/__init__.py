"""Alerts: who is told what, once at the beginning of a problem and once at its end."""

from pipelines.service.alerts.episodes import AT_ONCE, Patience
from pipelines.service.alerts.service import Alerts, Pace

__all__ = ["AT_ONCE", "Alerts", "Pace", "Patience"]
