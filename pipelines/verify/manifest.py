"""What readers are given, as files: the manifest, everything it lists, and what else is there."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

import duckdb
from pydantic import BaseModel, ConfigDict, NaiveDatetime, ValidationError

from pipelines.verify.findings import Difference
from pipelines.verify.pinned import Pinned
from pipelines.verify.scratch import Named, Row, named_rows

MANIFEST, DATABASE = "exports/manifest.json", "analytics.duckdb"
_FIELDS = ("fingerprint", "schema_version", "as_of_utc", "published_at_utc", "mobile")
_GRACE = timedelta(hours=2, minutes=10)
"""How long replaced files stay, with the time that a publication takes."""


class _Entry(BaseModel):
    """A part of the manifest; it may have further fields."""

    model_config = ConfigDict(strict=True)


class ListedFile(_Entry):
    """A file that the manifest lists."""

    path: str
    bytes: int
    sha256: str


class ListedReport(ListedFile):
    """The report; ``problem`` says why it is older than the rest."""

    as_of_utc: NaiveDatetime | None
    problem: str | None


class ListedData(ListedFile):
    """A data file of a table."""

    table: str
    rows: int


class RetiredData(_Entry):
    """A replaced data file, kept for readers of an earlier state."""

    path: str
    until_utc: NaiveDatetime


class Manifest(_Entry):
    """``exports/manifest.json``."""

    schema_version: str
    fingerprint: str
    as_of_utc: NaiveDatetime | None
    published_at_utc: NaiveDatetime
    mobile: str
    database: ListedFile
    report: ListedReport | None
    dictionary: list[ListedFile]
    files: list[ListedData]
    retired: list[RetiredData]


class Publication(NamedTuple):
    """What the warehouse says of the newest publication."""

    fields: Named
    """The newest row of ``ops.publications``."""
    parts: list[Row]
    """Table, path, rows, bytes, digest, day, first and last minute of each data file."""


def read_publication(con: duckdb.DuckDBPyConnection) -> Publication | None:
    """Return what was published last; None where nothing was."""
    newest = con.execute("from ops.publications order by published_at_utc desc limit 1")
    fields = next(named_rows(newest), None)
    parts = con.execute(
        "select table_name, path, rows, bytes, sha256, part_day, from_minute_utc, until_minute_utc "
        "from ops.export_parts"
    ).fetchall()
    return None if fields is None else Publication(fields, parts)


def read_manifest(pinned: Pinned) -> Manifest:
    """Return the manifest; raises ValueError with the reason where it cannot be used."""
    try:
        return Manifest.model_validate_json(pinned.copy("manifest.json").read_bytes())
    except OSError as error:
        raise ValueError(error.strerror) from error
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, fault["loc"])) or "JSON"
        raise ValueError(f"{place}: {fault['msg']}") from error


def compare_manifest(
    pinned: Pinned, manifest: Manifest, publication: Publication
) -> Iterator[Difference]:
    """Compare a manifest with the registry, with the files it lists, and with the folder."""
    yield from _compare_registry(manifest, publication)
    yield from _compare_fields(manifest, publication.fields)
    pages = [*manifest.dictionary, *([manifest.report] if manifest.report else [])]
    yield from _compare_seal(DATABASE, pinned.copy(DATABASE), manifest.database)
    for page in pages:
        yield from _compare_seal(f"exports/{page.path}", pinned.copy(page.path), page)
    for file in manifest.files:
        yield from _compare_seal(f"exports/{file.path}", pinned.exports / file.path, file)
    dictionary, version = pinned.copy("dictionary.md"), manifest.schema_version
    if dictionary.exists() and f"schema version {version}." not in dictionary.read_text("utf-8"):
        sentence = f"the schema_version is {version}, but the dictionary has another one."
        yield MANIFEST, "schema", sentence
    listed = {file.path for file in (*manifest.files, *pages)} | {"current", "manifest.json"}
    listed |= {file.path for file in manifest.retired}
    for path in pinned.files:
        if path not in listed:
            yield "exports", "files", f"{path} is there, but the manifest does not list it."
    yield from _compare_links(pinned, manifest)


def _compare_registry(manifest: Manifest, publication: Publication) -> Iterator[Difference]:
    listed = Counter(
        (file.table, file.path, file.rows, file.bytes, file.sha256) for file in manifest.files
    )
    registered = Counter(part[:5] for part in publication.parts)
    for files, lister, other in (
        (listed - registered, "the manifest", "ops.export_parts"),
        (registered - listed, "ops.export_parts", "the manifest"),
    ):
        for _, path, *_ in sorted(files, key=repr):
            sentence = f"{lister} lists {path}, but {other} does not list the same file."
            yield MANIFEST, "parts", sentence


def _compare_fields(manifest: Manifest, fields: Named) -> Iterator[Difference]:
    values = [(name, getattr(manifest, name), fields[name]) for name in _FIELDS]
    values.append(("path of the database", manifest.database.path, f"../{DATABASE}"))
    if manifest.report:
        values.append(("problem of the report", manifest.report.problem, fields["report_problem"]))
    for name, value, expected in values:
        if value != expected:
            sentence = f"the {name} is {value}, but the publication was made with {expected}."
            yield MANIFEST, "fields", sentence
    pages = sorted(page.path for page in manifest.dictionary)
    if pages != ["dictionary.html", "dictionary.md"]:
        yield MANIFEST, "", f"the dictionary is listed as {', '.join(pages) or 'nothing'}."
    paths = {file.path for file in manifest.files}
    latest = manifest.published_at_utc + _GRACE
    for file in manifest.retired:
        if file.until_utc > latest or file.path in paths or not file.path.endswith(".parquet"):
            sentence = f"{file.path} (until {file.until_utc}) is not a recently replaced file."
            yield MANIFEST, "retired", sentence


def _compare_seal(place: str, path: Path, entry: ListedFile) -> Iterator[Difference]:
    """Compare size and digest of a file with its entry."""
    try:
        with path.open("rb") as file:
            digest, size = file_digest(file, "sha256").hexdigest(), file.tell()
    except OSError as error:
        yield place, "files", f"the published file cannot be read ({error.strerror})."
        return
    if (size, digest) != (entry.bytes, entry.sha256):
        sentence = (
            f"the published file has {size:,} bytes and the sha256 {digest[:12]}…, in the manifest "
            f"{entry.bytes:,} bytes and {entry.sha256[:12]}…."
        )
        yield place, "files", sentence


def _compare_links(pinned: Pinned, manifest: Manifest) -> Iterator[Difference]:
    links = Counter((str(Path(link).parent), target) for link, target in pinned.links.items())
    expected = Counter(
        (file.table.partition(".")[2], str((pinned.exports / file.path).resolve()))
        for file in manifest.files
    )
    differences: Iterable[tuple[str, Counter[tuple[str, str]]]] = (
        ("has no link to", expected - links),
        ("has an unexpected link to", links - expected),
    )
    for fault, faulty in differences:
        for folder, target in sorted(faulty):
            yield "exports/current", fault, f"{folder} {fault} {Path(target).name}."
