"""Keeps Dagster's databases open, so that a reader who comes and goes writes nothing.

Whoever is last to close a SQLite database in WAL mode writes the log back and removes it; the next
one makes it again. Dagster opens and closes for every query: 145 kB/s written by an idle service,
7 kB/s while somebody holds the databases open. No transaction is left open, so writers are free to
write the log back whenever it is long enough.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path

_DATABASES = ("history/*.db", "history/runs/index.db", "schedules/*.db")


class OpenHistory:
    """The databases of one home; where history lies in PostgreSQL, none. Belongs to one thread."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._open: dict[Path, sqlite3.Connection] = {}

    def hold(self) -> None:
        """Open what has been made since the last call."""
        for pattern in _DATABASES:
            for file in self._home.glob(pattern):
                if file not in self._open:
                    with suppress(sqlite3.Error):
                        self._open[file] = _opened(file)

    def close(self) -> None:
        """Leave the databases as whoever is last leaves them."""
        for connection in self._open.values():
            with suppress(sqlite3.Error):
                connection.close()
        self._open.clear()


def _opened(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, isolation_level=None)
    connection.execute("select count(*) from sqlite_master").fetchall()  # opens the log as well
    return connection
