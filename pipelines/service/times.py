"""How long supervision waits for what, in one place, so that tests can scale it down."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """Durations in seconds."""

    look_s: float = 15.0
    """From one look to the next."""
    probe_s: float = 2.0
    """From one probe of a part to the next, and what the receiver may take to answer one."""
    misses: int = 3
    """Probes without an answer, in a row, after which a part hangs."""
    start_s: float = 60.0
    """What a part may take from its start to its first answer."""
    longest_delay_s: float = 30.0
    """Before a part that keeps ending is started again; the delays are 0, 1, 2, 4 … until then."""
    stable_s: float = 60.0
    """A part that lived so long is started again at once."""
    pulse_s: float = 180.0
    """Without a tick of the sensor, or a heartbeat of the daemon, these hang."""
    run_s: float = 3600.0
    """Longest run."""
    recovery_s: float = 30.0
    """From a recovery that failed to the next."""
    stop_s: float = 20.0
    """What parts may take to stop before they are killed."""
    minute_s: float = 60.0
    """From one line about pushes and runs to the next."""
    begin_s: float = 30.0
    """Age of a problem at which its alert is sent."""
    end_s: float = 60.0
    """How long it must be away to be over."""
