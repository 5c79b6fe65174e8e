"""What a receiver needs before it serves: a token, and a port of its own."""

import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from contract.errors import UserError
from contract.settings import Settings, SettingsError
from ingest.logs import configure_logging, log_event

BACKLOG = 2048
UNREADY_FIRST_S = 0.5
"""How long `/readyz` answers 503 before connections are refused."""
_MIN_TOKEN_CHARS = 16
"""A shorter token can be guessed."""


class StartError(UserError):
    """The receiver cannot start; the message is one sentence with what to do."""


def run_logged(serve: Callable[[], int]) -> int:
    """Return the exit code of ``serve``, its log on standard error.

    What keeps it from starting is one sentence on standard error, and exit code 1.
    """
    configure_logging()
    try:
        return serve()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def require_token(settings: Settings) -> None:
    """Raise SettingsError if there is no token; warn if one is short enough to guess."""
    if not settings.push_tokens:
        raise SettingsError(
            "DLR_PUSH_TOKENS is empty; set it to a secret, "
            "such as the output of `openssl rand -hex 16`."
        )
    if any(len(token.get_secret_value()) < _MIN_TOKEN_CHARS for token in settings.push_tokens):
        log_event(
            "token_too_short",
            level=logging.WARNING,
            advice=f"A token in DLR_PUSH_TOKENS has fewer than {_MIN_TOKEN_CHARS} characters and "
            "can be guessed; replace it with the output of `openssl rand -hex 16`.",
        )


def listen(settings: Settings) -> socket.socket:
    """Bind the port; raises StartError."""
    try:
        addresses = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, _, _, _, address = addresses[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise StartError(
            f"Cannot listen on {settings.bind}: {cause}. Free the port, or set DLR_BIND."
        ) from error


def landing_root(settings: Settings) -> Path:
    """Return the folder that pushes of the one provider land in."""
    return settings.landing / "yunpian"


def announce(listener: socket.socket, settings: Settings) -> None:
    """Print the push URL, its token masked, and the landing folder."""
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    sys.stdout.write(
        f"Receiving at http://{host}:{port}/yunpian/status/<token>, "
        f"landing in {landing_root(settings)}\n"
    )
    sys.stdout.flush()
