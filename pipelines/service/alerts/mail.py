"""Alerts by e-mail, over SMTP with TLS."""

import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from ipaddress import ip_address
from urllib.parse import parse_qs, unquote, urlsplit

from pipelines.service.alerts.message import Message
from pipelines.service.alerts.target import TIMEOUT_S, DeliveryError

_HOST = socket.gethostname()
"""Without a domain: to ask DNS for one may take long."""
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Mail:
    """An address, and the server that takes mail for it."""

    address: str
    url: str
    """``smtp://`` begins in clear and changes to TLS, ``smtps://`` is TLS from the start."""

    @property
    def name(self) -> str:
        """The address and the server."""
        return f"e-mail to {self.address} by {urlsplit(self.url).hostname}"

    @property
    def secret(self) -> str:
        """Address and server."""
        return f"{self.address} {self.url}"

    def send(self, message: Message) -> str:
        """Hand the message to the server; raises DeliveryError."""
        url = urlsplit(self.url)
        try:
            with self._connect() as server:
                if url.username and url.password:
                    server.login(unquote(url.username), unquote(url.password))
                server.send_message(self._mail(message))
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error
            said = said.decode(errors="replace") if isinstance(said, bytes) else said
            raise DeliveryError(f"the server answered {error.smtp_code} {said}") from None
        except smtplib.SMTPRecipientsRefused:
            raise DeliveryError("the server does not take mail for this address") from None
        except ssl.SSLCertVerificationError as error:
            raise DeliveryError(f"its certificate is not trusted: {error.verify_message}") from None
        except TimeoutError:
            raise DeliveryError(f"nothing within {TIMEOUT_S:g} s") from None
        except (OSError, ValueError) as error:
            cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise DeliveryError(f"no connection: {cause}") from None
        return "accepted by the server"

    def _connect(self) -> smtplib.SMTP:
        url = urlsplit(self.url)
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        if url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, _HOST, timeout=TIMEOUT_S, context=_trust())
        server = smtplib.SMTP(host, port, _HOST, timeout=TIMEOUT_S)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=_trust())
        elif url.password and not _is_loopback(host):
            server.close()
            raise DeliveryError("the server offers no TLS, so the password was not sent")
        return server

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._sender()
        mail["To"] = self.address
        mail["Subject"] = message.subject
        mail["Date"] = formatdate(usegmt=True)
        mail["Message-ID"] = make_msgid(domain="dlr.invalid")
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail

    def _sender(self) -> str:
        """``?from=`` of the URL, the user if that is an address, or one of this host."""
        url = urlsplit(self.url)
        user = unquote(url.username or "")
        sender = parse_qs(url.query).get("from", [user if "@" in user else ""])[0]
        return sender or f"dlr@{_HOST}"


def _trust() -> ssl.SSLContext:
    """The machine's certificates; they take a while to read."""
    return ssl.create_default_context()


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
