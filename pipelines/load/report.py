"""What a load took in, for the run's log and for Dagster."""

from dataclasses import dataclass, field
from datetime import date

from pipelines.landing.inventory import Listing
from pipelines.load.changes import Change


@dataclass(slots=True)
class LoadReport:
    """What a load took in; figures of all its batches together."""

    files: int = 0
    pushes: int = 0
    days: set[date] = field(default_factory=set)
    """Landing days of the files."""
    quarantined: dict[str, str] = field(default_factory=dict)
    """Files in which something is wrong, with the problem."""
    changes: list[Change] = field(default_factory=list)
    """What moved, where landing days were ingested again."""
    send_files: int = 0
    """Files of the send log."""
    listing: Listing | None = None
    """What lay in the landing folder when pending files were looked for."""
    recomputed: list[str] = field(default_factory=list)
    """Tables computed again as a whole, because what they are computed by has changed."""

    @property
    def took_anything(self) -> bool:
        """Whether any file was taken, or any table computed again."""
        return bool(self.files or self.send_files or self.recomputed)
