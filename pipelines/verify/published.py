"""What readers are given: the manifest and everything it names, and the published database."""

import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import file_digest
from pathlib import Path
from typing import Any

import duckdb

from contract.settings import Settings
from pipelines.verify import report
from pipelines.verify.compare import type_findings
from pipelines.verify.findings import Findings
from pipelines.verify.functions import compare_functions
from pipelines.verify.headers import Table
from pipelines.verify.masking import struck
from pipelines.verify.pinned import Pinned
from pipelines.verify.scratch import Row

MANIFEST, DATABASE = "exports/manifest.json", "analytics.duckdb"
_OTHERS = ("manifest.json", "report.html", "dictionary.md", "dictionary.html")
_FIELDS = {
    "schema_version": str, "fingerprint": str, "as_of_utc": str | None, "published_at_utc": str,
    "mobile": str, "database": dict, "report": dict | None, "dictionary": list, "files": list,
    "retired": list,
}  # fmt: skip
_FILE_FIELDS = {"table": str, "path": str, "rows": int, "bytes": int, "sha256": str}
_FIGURES = re.compile(r'<script type="application/json" id="figures">(.*?)</script>', re.DOTALL)
_GRACE = timedelta(hours=2, minutes=10)
"""How long replaced files stay, with the time that a publication takes."""


@dataclass(frozen=True)
class Books:
    """What the warehouse says of the newest publication."""

    publication: dict[str, Any]
    """The newest row of ``ops.publications``."""
    twice: int
    """How many moments of publication stand there more than once."""
    parts: Counter[Row]
    """Table, path, rows, bytes and digest of each data file."""
    stretches: dict[str, Row]
    """Day, first and last minute of what lies in it, by its path."""


def read_books(con: duckdb.DuckDBPyConnection) -> Books | None:
    """Return what was published last; None where nothing was."""
    cursor = con.execute("from ops.publications order by published_at_utc desc limit 1")
    names = [column[0] for column in cursor.description or ()]
    rows = cursor.fetchall()
    if not rows:
        return None
    parts = con.execute("select table_name, path, rows, bytes, sha256 from ops.export_parts")
    found = Counter(parts.fetchall())
    stretches = con.execute(
        "select path, part_day, from_minute_utc, until_minute_utc from ops.export_parts"
    ).fetchall()
    repeated = con.execute(
        "select published_at_utc from ops.publications group by all having count(*) > 1"
    ).fetchall()
    publication = dict(zip(names, rows[0], strict=True))
    return Books(publication, len(repeated), found, {row[0]: row[1:] for row in stretches})


def read_manifest(pinned: Pinned, findings: Findings) -> dict[str, Any] | None:
    """Return the manifest if it has everything that it must have."""
    manifest = pinned.manifest
    faults = ["it is no JSON object"]
    if isinstance(manifest, dict):
        faults = list(_field_faults(manifest, _FIELDS))
        for one in manifest["files"] if not faults else ():
            faults += _field_faults(one, _FILE_FIELDS)
    if faults:
        findings.add(MANIFEST, f"the manifest cannot be read ({faults[0]}); `dlr run` replaces it.")
        return None
    return manifest


def _field_faults(value: Any, fields: dict[str, Any]) -> Iterator[str]:  # noqa: ANN401  any JSON
    for name, kind in fields.items():
        if not isinstance(value, dict) or name not in value:
            yield f"{name} is missing"
        elif not isinstance(value[name], kind):
            yield f"{name} is {json.dumps(value[name])[:40]}"


def compare_manifest(
    manifest: dict[str, Any],
    pinned: Pinned,
    settings: Settings,
    books: Books,
    findings: Findings,
) -> None:
    """Compare the manifest with the books, with the files it names, and with what else is there."""
    _compare_fields(manifest, settings, books, findings)
    _compare_parts(manifest, books, findings)
    _compare_seal("../" + DATABASE, pinned.database, manifest["database"], findings)
    for name in ("report", "dictionary"):
        for one in _entries(manifest[name]):
            base = Path(str(one.get("path"))).name
            _compare_seal(base, pinned.copies.get(base), one, findings)
    for one in manifest["files"]:
        _compare_seal(one["path"], pinned.exports / one["path"], one, findings)
    dictionary = pinned.copies.get("dictionary.md")
    if dictionary and f"schema version {manifest['schema_version']}." not in dictionary.read_text():
        sentence = f"the schema_version is {manifest['schema_version']}, in the dictionary another."
        findings.add(MANIFEST, sentence, "schema")
    _compare_listing(manifest, pinned, findings)
    _compare_links(manifest, pinned, findings)


def _entries(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401  any JSON
    return value if isinstance(value, list) else [value] if value else []


def _compare_fields(
    manifest: dict[str, Any], settings: Settings, books: Books, findings: Findings
) -> None:
    said = manifest | {"path of the database": manifest["database"].get("path")}
    expected: dict[str, object] = {"path of the database": "../" + DATABASE}
    for name in ("fingerprint", "schema_version", "as_of_utc", "published_at_utc", "mobile"):
        value = books.publication[name]
        expected[name] = value.isoformat() if isinstance(value, datetime) else value
    if isinstance(manifest["report"], dict):
        said["problem of the report"] = manifest["report"].get("problem")
        expected["problem of the report"] = books.publication["report_problem"]
    for name, value in expected.items():
        if said[name] != value:
            sentence = f"the {name} is {said[name]}, but the publication was made with {value}."
            findings.add(MANIFEST, sentence, "fields")
    if books.twice:
        findings.add("ops.publications", f"{books.twice:,} publications stand there twice.")
    if books.publication["mobile"] != settings.export_mobile:
        said_now = (
            f"{books.publication['mobile']}, but DLR_EXPORT_MOBILE is {settings.export_mobile}"
        )
        sentence = f"mobiles were published {said_now}; `dlr run` publishes them anew."
        findings.add("ops.publications", sentence)
    listed = sorted(str(one.get("path")) for one in _entries(manifest["dictionary"]))
    if listed != ["dictionary.html", "dictionary.md"]:
        findings.add(MANIFEST, f"the dictionary is said to be {', '.join(listed) or 'nowhere'}.")
    for one in manifest["retired"]:
        if not _is_retired(one, manifest):
            sentence = f"{json.dumps(one)[:120]} is no file that was current until lately."
            findings.add(MANIFEST, sentence, "retired")


def _is_retired(one: Any, manifest: dict[str, Any]) -> bool:  # noqa: ANN401  any JSON
    try:
        until = datetime.fromisoformat(one["until_utc"]).replace(tzinfo=None)
        latest = datetime.fromisoformat(manifest["published_at_utc"]) + _GRACE
        current = {file["path"] for file in manifest["files"]}
        return (
            until <= latest and str(one["path"]).endswith(".parquet") and one["path"] not in current
        )
    except (KeyError, TypeError, ValueError):
        return False


def _compare_parts(manifest: dict[str, Any], books: Books, findings: Findings) -> None:
    listed = Counter(tuple(one[name] for name in _FILE_FIELDS) for one in manifest["files"])
    for one, other, has, lacks in (
        (listed, books.parts, "the manifest", "ops.export_parts"),
        (books.parts, listed, "ops.export_parts", "the manifest"),
    ):
        for part in sorted(one - other, key=repr):
            sentence = f"{has} has {part[1]} in a way {lacks} has not."
            findings.add(MANIFEST, sentence, "parts")


def _compare_seal(name: str, path: Path | None, entry: dict[str, Any], findings: Findings) -> None:
    where = DATABASE if name.endswith(DATABASE) else f"exports/{name}"
    try:
        if path is None:
            raise FileNotFoundError(2, "No such file or directory")
        with path.open("rb") as file:
            size, digest = path.stat().st_size, file_digest(file, "sha256").hexdigest()
    except OSError as error:
        findings.add(where, f"the published file cannot be read ({error.strerror}).", "files")
        return
    if (size, digest) != (entry.get("bytes"), entry.get("sha256")):
        findings.add(
            where,
            f"the published file has {size:,} bytes and the sha256 {digest[:12]}…, in the manifest "
            f"{entry.get('bytes'):,} bytes and {str(entry.get('sha256'))[:12]}….",
            "files",
        )


def _compare_listing(manifest: dict[str, Any], pinned: Pinned, findings: Findings) -> None:
    named = {str(one.get("path")) for one in (*manifest["files"], *manifest["retired"])}
    named |= {"current", *(name for name in _OTHERS if name == "manifest.json")}
    named |= {str(one.get("path")) for one in _entries(manifest["dictionary"])}
    named |= {str(one.get("path")) for one in _entries(manifest["report"])}
    for path in pinned.files:
        if path not in named:
            findings.add(
                "exports", f"{path} lies there, but the manifest does not name it.", "files"
            )


def _compare_links(manifest: dict[str, Any], pinned: Pinned, findings: Findings) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for one in manifest["files"]:
        folder = one["table"].partition(".")[2]
        expected[folder, str((pinned.exports / one["path"]).resolve())] += 1
    stands: Counter[tuple[str, str]] = Counter()
    for link, target in pinned.links.items():
        stands[str(Path(link).parent), target] += 1
    for word, links in (("lacks", expected - stands), ("has too often", stands - expected)):
        for folder, target in sorted(links):
            sentence = f"{folder} {word} {Path(target).name}."
            findings.add("exports/current", sentence, word)


def compare_database(
    con: duckdb.DuckDBPyConnection,
    manifest: dict[str, Any],
    pinned: Pinned,
    books: Books,
    tables: dict[str, Table],
    findings: Findings,
) -> None:
    """Compare the views with the headers, and their rows with those of the manifest's files."""
    found = con.execute("""
        select schema_name || '.' || view_name from duckdb_views() where not internal
        union all
        select schema_name || '.' || table_name from duckdb_tables() where not internal
    """).fetchall()
    views = {str(row[0]) for row in found}
    wanted = {name for name, table in tables.items() if table.exported}
    for name in sorted(views ^ wanted):
        said = "is missing" if name in wanted else "is there, but nothing publishes it"
        findings.add(DATABASE, f"{name} {said}.", "views")
    paths = defaultdict(list)
    for one in manifest["files"]:
        paths[one["table"]].append(one)
    for name in sorted(views & wanted):
        try:
            _compare_view(con, tables[name], paths[name], pinned, books, findings)
        except duckdb.Error as error:
            findings.add(DATABASE, f"{name} cannot be read ({type(error).__name__}).", "views")
    for sentence in compare_functions(con):
        findings.add(DATABASE, sentence, "functions")


def _compare_view(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    files: list[dict[str, Any]],
    pinned: Pinned,
    books: Books,
    findings: Findings,
) -> None:
    for sentence in type_findings(
        table.name, table, con.execute(f"describe {table.name}").fetchall()
    ):
        findings.add(DATABASE, sentence, "types")
    count, rows = _sum(con, table, table.name)
    listed = sum(one["rows"] for one in files)
    if count != listed:
        sentence = f"{table.name} has {count:,} rows, in the manifest it has {listed:,}."
        findings.add(DATABASE, sentence, "rows")
    if files:
        names = ", ".join(_literal(pinned.exports / one["path"]) for one in files)
        source = f"read_parquet([{names}], hive_partitioning = false, filename = true)"
        if (count, rows) != _sum(con, table, source):
            sentence = f"{table.name} does not have the rows of the files that the manifest names."
            findings.add(DATABASE, sentence, "files")
        for where, sentence in _compare_parts_of(con, table, source, files, books):
            findings.add(where, sentence, "parts")


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _sum(con: duckdb.DuckDBPyConnection, table: Table, source: str) -> Row:
    """Count rows, and add up what tells them apart, in any order."""
    columns = ", ".join(f'"{name}"' for name in table.columns)
    query = f"select count(*), sum(hash({columns})::hugeint) from {source}"
    return tuple(con.execute(query).fetchall()[0])


def _compare_parts_of(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    source: str,
    files: list[dict[str, Any]],
    books: Books,
) -> Iterator[tuple[str, str]]:
    """Yield which book of a data file says something else than the file: rows, day, minutes."""
    day, minute = (*table.clocks, "null", "null")[:2]
    minute = minute if len(table.clocks) > 1 else "null::timestamp"
    found = con.execute(f"""
        select
            filename, count(*), min({day}::date), max({day}::date),
            date_trunc('minute', min({minute})), date_trunc('minute', max({minute}))
        from {source}
        group by filename
    """).fetchall()
    by_path = {str(row[0]): row[1:] for row in found}
    for one in files:
        path = one["path"]
        rows, first, last, *minutes = next(
            (row for name, row in by_path.items() if name.endswith("/" + path)), (0, *[None] * 4)
        )
        if rows != one["rows"]:
            yield (
                MANIFEST,
                f"{one['rows']:,} rows of {table.name} are listed in {path}, not {rows}.",
            )
        said_day, *said = books.stretches.get(path, (None, None, None))
        if rows and ({first, last} != {said_day} or (said != minutes and any(said))):
            stretch = f"{said_day} {said[0]} to {said[1]}"
            yield (
                "ops.export_parts",
                f"{path} is said to hold {stretch}, but that is not what it has.",
            )


def compare_report(con: sqlite3.Connection, pinned: Pinned) -> Iterator[str]:
    """Yield what is wrong with the report: its time, and its figures where it is the newest."""
    said = (pinned.manifest or {}).get("report")
    if not isinstance(said, dict):
        if (pinned.manifest or {}).get("files"):
            yield "the manifest names no report."
        return
    page = pinned.copies["report.html"].read_text("utf-8") if "report.html" in pinned.copies else ""
    found = _FIGURES.search(page)
    try:
        figures = json.loads(found[1] if found else "")
        as_of = figures["state"]["as_of_utc"]
    except (ValueError, KeyError, TypeError):
        yield "its figures cannot be read."
        return
    if str(said.get("as_of_utc")) != str(as_of).removesuffix("Z"):
        yield f"as_of_utc is {as_of}, in the manifest {said.get('as_of_utc')}."
    if said.get("problem") is None:
        # the report is for everybody, and masked whatever the setting
        yield from report.compare_report(con, figures, lambda text: struck(text, None))
