"""What must hold before a receiver serves: a token, a port of its own."""

import logging
import socket
import sys
from pathlib import Path

from contract.errors import UserError
from contract.settings import Settings, SettingsError
from ingest.logs import log_event

BACKLOG = 2048
UNREADY_FIRST_S = 0.5
"""How long readiness says no before connections are refused."""
_SHORTEST_TOKEN = 16
"""Characters; a shorter token can be guessed."""


class StartError(UserError):
    """The receiver cannot start; the message is one sentence with what to do."""


def require_token(settings: Settings) -> None:
    """Raise SettingsError where nobody could push; warn where anybody could guess how."""
    if not settings.push_tokens:
        raise SettingsError(
            "DLR_PUSH_TOKENS is empty: set it to a secret of your own, "
            "such as the output of `openssl rand -hex 16`."
        )
    if any(len(token.get_secret_value()) < _SHORTEST_TOKEN for token in settings.push_tokens):
        log_event(
            "token_too_short",
            level=logging.WARNING,
            advice=f"A token in DLR_PUSH_TOKENS has fewer than {_SHORTEST_TOKEN} characters and "
            "can be guessed; replace it with the output of `openssl rand -hex 16`.",
        )


def listen(settings: Settings) -> socket.socket:
    """Bind the port; raises StartError."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
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
    """Print where pushes go, the token masked, and where they land."""
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    sys.stdout.write(
        f"Receiving at http://{host}:{port}/yunpian/status/<token>, "
        f"landing in {landing_root(settings)}\n"
    )
    sys.stdout.flush()
