"""What systemd is told, where it has started us (``Type=notify``, see ``sd_notify(3)``)."""

import os
import socket
from contextlib import suppress

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


def notify(state: str) -> None:
    """Send a state to the socket in ``NOTIFY_SOCKET``; without one, or with nobody there, nothing.

    A name that begins with ``@`` lies in the abstract name space of Linux.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd:
        to_systemd.setblocking(False)
        to_systemd.sendto(state.encode(), address.replace("@", "\0", 1))
