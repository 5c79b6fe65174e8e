"""Second line of defence behind masking: a file with a visible phone number is never published.

New files are read back, every text column of them, whatever its header says, so that a new table or
column cannot let a number through. Headers say how a column is masked (``models/headers.py``);
``warehouse/functions/privacy.sql`` says what looks like a phone number.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import duckdb

from contract.errors import UserError
from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import exports_folder
from pipelines.publish.data_files import DataFile


class PrivacyError(UserError):
    """Phone numbers are visible in the new files; publishing was refused."""


def refuse_phones(
    con: duckdb.DuckDBPyConnection, settings: Settings, written: Iterable[DataFile]
) -> None:
    """Search new files before they are shown.

    Raises PrivacyError where a text looks like a phone number. Nothing is searched where mobiles
    are exported ``plain``.
    """
    if settings.export_mobile == "plain":
        return
    root = exports_folder(settings)
    paths: dict[str, list[Path]] = defaultdict(list)
    for file in written:
        paths[file.table_name].append(root / file.path)
    counts = {table: _phones(con, table, files) for table, files in paths.items()}
    if any(counts.values()):
        raise PrivacyError(_sentence(counts))


def _phones(con: duckdb.DuckDBPyConnection, table: str, files: list[Path]) -> dict[str, int]:
    """Number of distinct values that look like a phone number, by column."""
    columns = models.load_models()[table].columns
    texts = [name for name, column in columns.items() if column.type == "varchar"]
    if not texts:
        return {}
    source = f"read_parquet([{', '.join(models.literal(str(path)) for path in files)}])"
    # most columns have few distinct values, so this is faster than searching each row
    values = " union all ".join(
        f"select {models.literal(name)} as name, value "
        f'from (select distinct "{name}" as value from {source})'
        for name in texts
    )
    query = f"select name, count(*) from ({values}) where looks_like_phone(value) group by all"
    return dict(con.execute(query).fetchall())


def _sentence(counts: dict[str, dict[str, int]]) -> str:
    places = ", ".join(
        f"{table}.{column} ({count:,} distinct values)"
        for table, columns in sorted(counts.items())
        for column, count in sorted(columns.items())
    )
    return (
        f"Phone numbers are visible in {places}. Nothing was published. List the column under "
        "free_text in the header of its file in warehouse/, or set DLR_EXPORT_MOBILE=plain if they "
        "are meant to be visible."
    )
