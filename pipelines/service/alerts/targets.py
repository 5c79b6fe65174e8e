"""Every target of the settings."""

from contract.settings import Settings
from pipelines.service.alerts.mail import Mail
from pipelines.service.alerts.target import Target
from pipelines.service.alerts.webhook import Webhook


def targets_of(settings: Settings) -> list[Target]:
    """Webhooks, then addresses."""
    webhooks = [Webhook.from_setting(url.get_secret_value()) for url in settings.alert_webhook]
    if settings.smtp_url is None:
        return [*webhooks]
    url = settings.smtp_url.get_secret_value()
    return [*webhooks, *(Mail(address, url) for address in settings.alert_email)]
