"""The SQL functions of ``warehouse/functions``, for a connection and for readers."""

import unicodedata
from hashlib import sha256

import duckdb
from duckdb.sqltypes import VARCHAR

from pipelines.models.headers import WAREHOUSE


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _text_sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def define_functions(con: duckdb.DuckDBPyConnection) -> None:
    """Define the SQL functions of ``warehouse/functions`` for this connection.

    Two come from Python: nfkc(), which DuckDB lacks, and text_sha256(), because DuckDB's own does
    not use the processor's instructions for it and takes three times as long.
    """
    con.create_function("nfkc", _nfkc, [VARCHAR], VARCHAR)
    con.create_function("text_sha256", _text_sha256, [VARCHAR], VARCHAR)
    for path in sorted(WAREHOUSE.glob("functions/*.sql")):
        con.execute(path.read_text(encoding="utf-8"))


def publish_functions(con: duckdb.DuckDBPyConnection) -> None:
    """Create the functions that readers may use, too, where the connection's tables are."""
    for path in sorted(WAREHOUSE.glob("functions/*.sql")):
        text = path.read_text(encoding="utf-8")
        if "\npublished:" in text:
            con.execute(text.replace("create or replace temp macro", "create macro"))
