"""The pushes that are sent: the simulated provider's, the same in every run."""

from itertools import islice
from pathlib import Path

from simulator.encodings import Encoding
from simulator.simulate import SimulationOptions, iter_bodies

BODIES = 512
"""Different bodies of each size, sent in rotation: 16 MB of 100 records each."""
SEED = 20261123


def make_bodies(records: int) -> list[bytes]:
    """Return ``BODIES`` different form-encoded pushes of ``records`` records each.

    Clean traffic, once encoded: what every peer understands.
    """
    options = SimulationOptions(
        messages=(BODIES + 1) * records,
        batch_size=records,
        seed=SEED,
        duplicates=0,
        conflicts=0,
        unreported=0,
        bad=0,
        damaged=0,
        encodings={Encoding.ONCE: 1},
    )
    return list(islice(iter_bodies(options), BODIES))


def write_bodies(bodies: list[bytes], file: Path) -> Path:
    """Write a body a line, as the load generator reads them; form-encoding has no newline."""
    file.write_bytes(b"".join(body + b"\n" for body in bodies))
    return file
