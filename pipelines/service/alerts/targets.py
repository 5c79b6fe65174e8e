"""Whom alerts go to: webhooks and e-mail, from the settings."""

import hashlib
from typing import Protocol

from contract.errors import UserError
from contract.settings import Settings
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


def targets_of(settings: Settings) -> list[Target]:
    """Every target that is set."""
    from pipelines.service.alerts.mail import Mail
    from pipelines.service.alerts.webhook import Webhook

    webhooks = [Webhook.from_setting(url.get_secret_value()) for url in settings.alert_webhook]
    if settings.smtp_url is None:
        return [*webhooks]
    url = settings.smtp_url.get_secret_value()
    return [*webhooks, *(Mail(address, url) for address in settings.alert_email)]


def id_of(target: Target) -> str:
    """Names a target on disk, without telling its secret."""
    return hashlib.sha256(target.secret.encode()).hexdigest()[:12]
