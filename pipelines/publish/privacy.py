"""The second line behind the masking: no file is published in which a phone number can be seen.

The files themselves are read again, every column of text, whatever its header says: what a new
table or a new column lets through is found here. Which columns are masked how, their headers say
(``headers.py``); what counts as a phone number, ``warehouse/functions/privacy.sql`` does.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import duckdb

from contract.errors import UserError
from contract.settings import Settings
from pipelines import models
from pipelines.folder.show import exports_folder
from pipelines.publish.data_file import Part


class PrivacyError(UserError):
    """Phone numbers could be seen in what was to be published; publishing was refused."""


def refuse_phones(
    con: duckdb.DuckDBPyConnection, settings: Settings, written: Iterable[Part]
) -> None:
    """Look through new files before anybody is shown them.

    Raises PrivacyError where a text looks like a phone number. Where mobiles are exported
    ``plain`` there is nothing to look for.
    """
    if settings.export_mobile == "plain":
        return
    root = exports_folder(settings)
    paths: dict[str, list[Path]] = defaultdict(list)
    for part in written:
        paths[part.table_name].append(root / part.path)
    found = {table: _phones(con, table, files) for table, files in paths.items()}
    if any(found.values()):
        raise PrivacyError(_sentence(found))


def _phones(con: duckdb.DuckDBPyConnection, table: str, files: list[Path]) -> dict[str, int]:
    """How many different values of each column look like a phone number."""
    texts = [
        name for name, one in models.load_models()[table].columns.items() if one.type == "varchar"
    ]
    if not texts:
        return {}
    source = f"read_parquet([{', '.join(models.literal(str(path)) for path in files)}])"
    # most columns have few different values, and to find them is faster than to search each row
    values = " union all ".join(
        f"select {models.literal(name)} as name, value "
        f'from (select distinct "{name}" as value from {source})'
        for name in texts
    )
    query = f"select name, count(*) from ({values}) where looks_like_phone(value) group by all"
    return dict(con.execute(query).fetchall())


def _sentence(found: dict[str, dict[str, int]]) -> str:
    places = ", ".join(
        f"{table}.{column} ({count:,} different values)"
        for table, columns in sorted(found.items())
        for column, count in sorted(columns.items())
    )
    return (
        f"Phone numbers could be seen in {places}. Nothing was published. List the column under "
        "free_text in the header of its file in warehouse/, or set DLR_EXPORT_MOBILE=plain if they "
        "are meant to be seen."
    )
