"""What an alert says: one message for everything that began or ended since the last one."""

import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from contract.problems import KINDS
from contract.settings import Settings
from pipelines.service.alerts.episodes import Alert

_NUMBER = re.compile(r"\+\d[\d -]{5,}\d|\d{7,}")
"""What may be a phone number."""
_LONG = 16
"""Characters; a part of a URL as long as this is taken for a secret."""
RUNBOOK = "docs/operations/alerts.md"


@dataclass(frozen=True, slots=True)
class Message:
    """What one target is told at once."""

    subject: str
    text: str
    """A line for each alert, after the subject."""
    alerts: tuple[Alert, ...] = ()
    left_out: int = 0
    """Older alerts of which it only says how many there were."""

    def to_json(self) -> dict[str, object]:
        """The generic form, for programs."""
        return {
            "source": "dlr",
            "host": socket.gethostname(),
            "text": self.text,
            "alerts": [
                {
                    "state": alert.state,
                    "name": alert.name,
                    "critical": KINDS[alert.name].critical,
                    "meaning": KINDS[alert.name].meaning,
                    "sentence": alert.sentence,
                    "since": _time(alert.since),
                    "at": _time(alert.at),
                }
                for alert in self.alerts
            ],
        }


def message_of(alerts: Sequence[Alert], left_out: int = 0) -> Message:
    """One message for these alerts; of ``left_out`` older ones there is only the number."""
    begun = [alert.name for alert in alerts if alert.state == "begin"]
    over = [alert.name for alert in alerts if alert.state == "end"]
    parts = ([", ".join(begun) + " began"] if begun else []) + (
        [", ".join(over) + " over"] if over else []
    )
    subject = f"dlr on {socket.gethostname()}: {'; '.join(parts)}"
    lines = [_line(alert) for alert in alerts]
    if left_out:
        lines.insert(0, f"{left_out} older alerts were left out.")
    text = "\n".join([subject, *lines, f"Runbook: {RUNBOOK}"])
    return Message(subject, text, tuple(alerts), left_out)


def trial_message() -> Message:
    """What `dlr alerts test` sends."""
    subject = f"dlr on {socket.gethostname()}: test alert"
    return Message(subject, f"{subject}\nAlerts arrive here. Nothing is wrong.")


def secrets_of(settings: Settings) -> list[str]:
    """Every secret of the settings, the longest first; of URLs also what is secret in them."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    flat = [each for value in values for each in (value if isinstance(value, tuple) else [value])]
    secrets = {each.get_secret_value() for each in flat if isinstance(each, SecretStr)}
    for url in [urlsplit(secret) for secret in secrets if "://" in secret]:
        long = re.findall(rf"[^/?&=]{{{_LONG},}}", f"{url.path}?{url.query}")
        secrets |= {*long, url.password or "", unquote(url.password or "")}
    return sorted(secrets - {""}, key=len, reverse=True)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret, and whatever may be a phone number, struck out."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return _NUMBER.sub("[number]", text)


def _line(alert: Alert) -> str:
    if alert.state == "begin":
        return f"BEGAN {_time(alert.since)} {alert.name}: {alert.sentence}"
    return f"OVER {_time(alert.at)} {alert.name}, began {_time(alert.since)}: {alert.sentence}"


def _time(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")
