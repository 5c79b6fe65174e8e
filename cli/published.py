"""The published database, as readers open it."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from cli.common import CommandError
from contract.settings import Settings
from pipelines.folder.lock import complete_publication
from pipelines.folder.show import analytics_path


@contextmanager
def open_published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open it read-only, in UTC; a publication whose process was killed is completed first.

    Raises CommandError where nothing is published yet.
    """
    complete_publication(settings)
    path = analytics_path(settings)
    if not path.exists():
        raise CommandError(f"Nothing is published yet: {path} does not exist. Run `dlr run`.")
    with duckdb.connect(path, read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        yield con
