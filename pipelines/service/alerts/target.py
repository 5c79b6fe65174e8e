"""What takes alerts, whatever its kind."""

import hashlib
from typing import Protocol

from contract.errors import UserError
from pipelines.service.alerts.message import Message

TIMEOUT_S = 10.0


class DeliveryError(UserError):
    """A target did not take a message; says what happened, without the secret."""


class Target(Protocol):
    """One place that takes messages."""

    @property
    def name(self) -> str:
        """What people call it; without a secret."""

    @property
    def secret(self) -> str:
        """What tells it from others; kept on disk only as a digest."""

    def send(self, message: Message) -> str:
        """Deliver; returns what happened in a few words. Raises DeliveryError."""


def id_of(target: Target) -> str:
    """Names a target on disk, without telling its secret."""
    return hashlib.sha256(target.secret.encode()).hexdigest()[:12]
