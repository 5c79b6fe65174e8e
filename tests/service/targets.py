"""Real targets of alerts for tests: a web server and a mail server that can refuse and be away."""

import asyncio
import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.live import free_port

SECRET = "s3cr3t-of-the-webhook-0123456789"
USER, PASSWORD = "alerts@example.com", "a:pass/word-for-tests"


@dataclass
class Hook:
    """A web server that keeps what was posted."""

    port: int
    posts: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"ok"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/{SECRET}"

    @property
    def alerts(self) -> list[tuple[str, str]]:
        """State and name of every alert, in the order they came."""
        return [(one["state"], one["name"]) for post in self.posts for one in post["alerts"]]


@contextlib.contextmanager
def running_hook(port: int | None = None) -> Iterator[Hook]:
    """Run a web server; on the port of an earlier one it is the same target, back again."""
    hook = Hook(port or free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if hook.status == 200:
                hook.posts.append(content)
            self.send_response(hook.status)
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.send_header("content-length", str(len(hook.answer)))
            self.end_headers()
            self.wfile.write(hook.answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", hook.port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Mailbox:
    """A mail server that keeps what it took."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    """Users that logged in, each after TLS had begun."""
    refused: str = ""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refused:
            return self.refused
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    def authenticate(
        self, server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        if is_right:
            assert server.transport.get_extra_info("ssl_object"), "the password came without TLS"
            self.logins.append(data.login.decode())
        return AuthResult(success=is_right, handled=False)


@contextlib.contextmanager
def running_mailbox(
    certificate: Path | None = None, *, from_the_start: bool = False
) -> Iterator[Mailbox]:
    """Run a mail server: with a certificate it asks for a login, over STARTTLS or TLS."""
    mailbox = Mailbox(free_port())
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)

    def session() -> SMTP:
        return SMTP(
            mailbox,
            hostname="mail.test",
            tls_context=None if from_the_start else context,
            authenticator=mailbox.authenticate if context else None,
            auth_required=context is not None,
            auth_require_tls=not from_the_start,
            loop=loop,
        )

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(
            session, "127.0.0.1", mailbox.port, ssl=context if from_the_start else None
        )
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield mailbox
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        with contextlib.suppress(RuntimeError):
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def make_certificate(folder: Path) -> Path:
    """A key and its certificate for 127.0.0.1, in one file."""
    file = folder / "certificate.pem"
    key = folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=mail.test", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(file)],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + key.read_bytes())
    return file
