"""analytics.duckdb through SQLAlchemy and duckdb-engine, the way Superset reaches it."""

import json
import subprocess
from pathlib import Path

from tests.readers.published import QUESTIONS, Published

SQL_TYPES = {
    "bigint": "BIGINT",
    "ubigint": "INTEGER",
    "varchar": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "double": "FLOAT",
    "boolean": "BOOLEAN",
}
"""What SQLAlchemy calls them; it has no unsigned type of its own."""
LOOK = """
import json, sys, warnings
import sqlalchemy as sa
warnings.simplefilter("ignore")
engine = sa.create_engine(sys.argv[1])
look = sa.inspect(engine)
names = [name.partition(".") for name in look.get_schema_names()]
schemas = [schema for database, _, schema in names if database == "analytics"]
tables = {}
for schema in schemas:
    for view in look.get_view_names(schema):
        columns = look.get_columns(view, schema)
        found = {one["name"]: [str(one["type"]), one["comment"]] for one in columns}
        tables[f"{schema}.{view}"] = found
with engine.connect() as con:
    row = con.execute(sa.text(sys.argv[2])).mappings().one()
daily = sa.Table("delivery_daily", sa.MetaData(), schema="marts", autoload_with=engine)
grain = sa.literal_column("date_trunc('day', day_utc)").label("day")  # as Superset's time grain
with engine.connect() as con:
    chart = con.execute(
        sa.select(grain, sa.func.sum(daily.c.reports)).group_by(grain).order_by(grain)
    ).all()
try:
    with engine.connect() as con:
        con.execute(sa.text("create table marts.mine (a int)"))
    wrote = True
except sa.exc.DBAPIError:
    wrote = False
answer = {"tables": tables, "row": dict(row), "chart": [list(one) for one in chart], "wrote": wrote}
print(json.dumps(answer, default=str))
"""


def test_superset_finds_tables_types_and_comments_and_asks(
    published: Published, older_python: Path
) -> None:
    url = f"duckdb:///{published.database}?access_mode=read_only"
    done = subprocess.run(
        [older_python, "-c", LOOK, url, QUESTIONS],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert not done.returncode, done.stderr
    answer = json.loads(done.stdout)
    assert answer["row"] == published.answers
    assert answer["wrote"] is False
    for table, types in published.types.items():
        found = answer["tables"][table]
        assert {name: kind for name, (kind, _) in found.items()} == {
            name: SQL_TYPES[kind] for name, kind in types.items()
        }, table
        assert all(comment for _, comment in found.values())
    by_day: dict[str, int] = {}
    for key, row in published.truth.tables["marts.delivery_daily"].items():
        by_day[str(key[0])] = by_day.get(str(key[0]), 0) + row["reports"]
    assert {day[:10]: reports for day, reports in answer["chart"]} == by_day
