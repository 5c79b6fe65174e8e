"""What systemd and a container platform see of `dlr up`."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.command import environment
from tests.live import free_port
from tests.service.live_up import processes_on


def test_systemd_hears_when_it_is_ready_that_it_lives_and_that_it_stops(tmp_path: Path) -> None:
    """Without a receiver: no token is asked for, and the pipeline is what is ready."""
    data, address = tmp_path / "data", tmp_path / "notify"
    words = [sys.executable, "-m", "cli.main", "up", "--no-receiver", "--ui-port", str(free_port())]
    variables = environment(data, NOTIFY_SOCKET=str(address))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(60)
        with (tmp_path / "up.log").open("w") as log:
            process = subprocess.Popen(
                words, cwd=tmp_path, env=variables, stdout=log, stderr=log, start_new_session=True
            )
        try:
            heard = [systemd.recv(100).decode()]
            while "READY=1" not in heard or heard.count("WATCHDOG=1") < 3:
                heard.append(systemd.recv(100).decode())
            assert not [line for line in processes_on(data) if "ingest" in line]
            os.kill(process.pid, signal.SIGTERM)
            while heard[-1] != "STOPPING=1":
                heard.append(systemd.recv(100).decode())
            assert process.wait(40) == 0, (tmp_path / "up.log").read_text()
        finally:
            process.kill()
            process.wait()
    assert set(heard) == {"READY=1", "WATCHDOG=1", "STOPPING=1"}
    assert processes_on(data) == []
