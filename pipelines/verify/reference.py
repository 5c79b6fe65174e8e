"""The reference data of ``warehouse/reference``, as it lies there."""

import csv
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[2] / "warehouse" / "reference"


def reference_version() -> str:
    """Return a digest over the reference data, as the ledger notes it."""
    digest = sha256()
    for path in sorted(REFERENCE.glob("*.csv")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def reference_rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of one of its files."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
