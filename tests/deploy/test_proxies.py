"""nginx and Caddy as `deploy/` configures them: a push over TLS, and a secret that no log holds."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import ROOT
from tests.live import TOKEN, free_port, landed, running_receiver

HOST = "reports.example.com"
BODY = b"sms_status=[]"


@dataclass(frozen=True)
class Proxy:
    """One that runs, and where it logs."""

    port: int
    certificate: Path
    logs: Path

    def connect(self) -> ssl.SSLSocket:
        """Open a connection that trusts its certificate."""
        trust = ssl.create_default_context(cafile=str(self.certificate))
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=15)
        return trust.wrap_socket(raw, server_hostname=HOST)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Make a request as a client elsewhere would, who claims to be forwarding for another."""
        connection = http.client.HTTPConnection(HOST)
        connection.sock = self.connect()
        claim = {"X-Forwarded-For": "203.0.113.7"}
        connection.request(method, path, body, claim | dict(headers or {}))
        answer = connection.getresponse()
        content = answer.status, answer.read()
        connection.close()
        return content

    def logged(self) -> str:
        """Everything it logged."""
        return "\n".join(file.read_text() for file in self.logs.iterdir())


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate of the host name, and its key."""
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    words += [
        "-nodes",
        "-days",
        "1",
        "-subj",
        f"/CN={HOST}",
        "-addext",
        f"subjectAltName=DNS:{HOST}",
    ]
    words += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(words, check=True, capture_output=True)
    return certificate, key


def nginx(folder: Path, port: int, receiver: int) -> list[str]:
    """Write the configuration with this test's ports and paths; returns the command."""
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    for text, other in {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "    listen [::]:443 ssl;\n": "",
        f"/etc/letsencrypt/live/{HOST}": str(folder),
        "/var/log/nginx": str(folder / "logs"),
        "127.0.0.1:8080": f"127.0.0.1:{receiver}",
    }.items():
        assert text in site
        site = site.replace(text, other)
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # as root, workers would become a user who may not enter the folder of a test
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/logs/main.log;\n"
        f"events {{}}\nhttp {{\n{places}{site}}}\n"
    )
    return ["nginx", "-c", str(config), "-p", str(folder), "-e", f"{folder}/logs/start.log"]


def caddy(folder: Path, port: int, receiver: int) -> list[str]:
    """Write the configuration with this test's ports and paths; returns the command."""
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    site = (ROOT / "deploy" / "Caddyfile").read_text()
    for text, other in {
        f"{HOST} {{\n": f"https://{HOST}:{port} {{\n\ttls {certificate} {key}\n",
        "{\n\t# The push": "{\n\tadmin off\n\tauto_https disable_redirects\n\t# The push",
        "127.0.0.1:8080": f"127.0.0.1:{receiver}",
    }.items():
        assert text in site
        site = site.replace(text, other)
    config = folder / "Caddyfile"
    config.write_text(site)
    return ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]


@contextmanager
def running(
    write: Callable[[Path, int, int], list[str]], folder: Path, receiver: int
) -> Iterator[Proxy]:
    """A proxy in front of a receiver's port."""
    (folder / "logs").mkdir()
    certificate, _ = self_signed(folder)
    port = free_port()
    command = write(folder, port, receiver)
    with (folder / "logs" / "stderr.log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={"PATH": "/usr/sbin:/usr/bin", "HOME": str(folder)}
        )
    try:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield Proxy(port, certificate, folder / "logs")
    finally:
        process.terminate()
        process.wait(15)


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def write(request: pytest.FixtureRequest) -> Callable[[Path, int, int], list[str]]:
    name = request.param.__name__
    if not shutil.which(name, path="/usr/sbin:/usr/bin") or not shutil.which("openssl"):
        pytest.skip(f"needs {name} and openssl")
    return request.param  # type: ignore[no-any-return]


def test_a_push_over_tls_lands_and_no_log_holds_its_token(
    tmp_path: Path, write: Callable[[Path, int, int], list[str]]
) -> None:
    data, folder = tmp_path / "data", tmp_path / "proxy"
    folder.mkdir()
    with running_receiver(data, DLR_TRUSTED_PROXIES="127.0.0.1") as live:
        receiver = int(live.base_url.rpartition(":")[2])
        with running(write, folder, receiver) as proxy:
            push = live.push_path
            assert proxy.request("POST", push, BODY) == (200, b"SUCCESS")
            assert proxy.request("POST", "/yunpian/status/no-such-token", BODY)[0] == 404
            assert proxy.request("POST", push, b"sms_status=" + b"x" * 4_500_000)[0] == 413
            for inside in ("/readyz", "/metrics", "/", "/graphql"):
                assert proxy.request("GET", inside)[0] == 404
            live.process.terminate()
            live.process.wait(20)
            assert proxy.request("POST", push, BODY)[0] == 502
        assert TOKEN not in proxy.logged()
        assert " 200 " in proxy.logged() or '"status":200' in proxy.logged()
    (envelope,) = landed(data)
    assert envelope.body == BODY
    assert envelope.remote_addr == "127.0.0.1", "the client's own claim counts for nothing"


def test_a_large_push_within_the_limit_goes_through(
    tmp_path: Path, write: Callable[[Path, int, int], list[str]]
) -> None:
    data, folder = tmp_path / "data", tmp_path / "proxy"
    folder.mkdir()
    body = b"sms_status=[" + b" " * 4_000_000 + b"]"
    with running_receiver(data, DLR_TRUSTED_PROXIES="127.0.0.1") as live:
        receiver = int(live.base_url.rpartition(":")[2])
        with running(write, folder, receiver) as proxy:
            assert proxy.request("POST", live.push_path, body) == (200, b"SUCCESS")
    (envelope,) = landed(data)
    assert envelope.body == body
