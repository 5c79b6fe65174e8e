"""What readers are given, as files: the manifest, everything it lists, and what else is there."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import file_digest
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipelines.verify.findings import Findings
from pipelines.verify.pinned import Pinned
from pipelines.verify.scratch import Named, Row, named_rows

MANIFEST, DATABASE = "exports/manifest.json", "analytics.duckdb"
_FIELDS = {
    "schema_version": str, "fingerprint": str, "as_of_utc": str | None, "published_at_utc": str,
    "mobile": str, "database": dict, "report": dict | None, "dictionary": list, "files": list,
    "retired": list,
}  # fmt: skip
_FILE_FIELDS = {"table": str, "path": str, "rows": int, "bytes": int, "sha256": str}
_GRACE = timedelta(hours=2, minutes=10)
"""How long replaced files stay, with the time that a publication takes."""


class Publication(NamedTuple):
    """What the warehouse says of the newest publication."""

    fields: Named
    """The newest row of ``ops.publications``."""
    repeated: int
    """How many times of publication are there more than once."""
    files: list[Row]
    """Table, path, rows, bytes and digest of each data file."""
    stretches: dict[str, Row]
    """Day, first and last minute of each data file, by its path."""


def read_publication(con: duckdb.DuckDBPyConnection) -> Publication | None:
    """Return what was published last; None where nothing was."""
    newest = con.execute("from ops.publications order by published_at_utc desc limit 1")
    fields = next(named_rows(newest), None)
    repeated = con.execute(
        "select published_at_utc from ops.publications group by all having count(*) > 1"
    ).fetchall()
    files = con.execute(
        "select table_name, path, rows, bytes, sha256, part_day, from_minute_utc, until_minute_utc "
        "from ops.export_parts"
    ).fetchall()
    stretches = {file[1]: file[5:] for file in files}
    if fields is None:
        return None
    return Publication(fields, len(repeated), [file[:5] for file in files], stretches)


def read_manifest(manifest: Any, findings: Findings) -> Named | None:  # noqa: ANN401  any JSON
    """Return the manifest if it has everything that it must have."""
    faults = list(_field_faults(manifest, _FIELDS))
    for file in manifest["files"] if not faults else ():
        faults += _field_faults(file, _FILE_FIELDS)
    if faults:
        findings.add(MANIFEST, f"the manifest cannot be read ({faults[0]}); `dlr run` replaces it.")
    return None if faults else manifest


def _field_faults(value: Any, fields: Named) -> Iterator[str]:  # noqa: ANN401  any JSON
    if not isinstance(value, dict):
        yield "it is not a JSON object"
        return
    for name, kind in fields.items():
        if name not in value:
            yield f"{name} is missing"
        elif not isinstance(value[name], kind):
            yield f"{name} is {json.dumps(value[name])[:40]}"


class PublicationCheck:
    """Compares a manifest with the registry, with the files it lists, and with the folder."""

    def __init__(
        self, manifest: Named, pinned: Pinned, publication: Publication, findings: Findings
    ) -> None:
        self._manifest, self._pinned = manifest, pinned
        self._publication, self._findings = publication, findings
        report = manifest["report"]
        self._pages = [*([report] if report else []), *manifest["dictionary"]]

    def run(self, mobile: str) -> None:
        """Compare; ``mobile`` is the setting by which mobiles are to be written."""
        self._compare_registry(mobile)
        self._compare_fields()
        self._compare_files()
        self._compare_folder()
        self._compare_links()

    def _compare_registry(self, mobile: str) -> None:
        table, publication = "ops.publications", self._publication
        if publication.repeated:
            self._findings.add(table, f"{publication.repeated:,} publications are listed twice.")
        if publication.fields["mobile"] != mobile:
            sentence = (
                f"mobiles were published {publication.fields['mobile']}, but DLR_EXPORT_MOBILE is "
                f"{mobile}; `dlr run` publishes them again."
            )
            self._findings.add(table, sentence)
        listed = Counter(
            tuple(file[name] for name in _FILE_FIELDS) for file in self._manifest["files"]
        )
        registered = Counter(publication.files)
        for files, others, lister, other in (
            (listed, registered, "the manifest", "ops.export_parts"),
            (registered, listed, "ops.export_parts", "the manifest"),
        ):
            for file in sorted(files - others, key=repr):
                sentence = f"{lister} lists {file[1]}, but {other} does not list the same file."
                self._findings.add(MANIFEST, sentence, "parts")

    def _compare_fields(self) -> None:
        manifest, fields = self._manifest, self._publication.fields
        stored = manifest | {"path of the database": manifest["database"].get("path")}
        expected: Named = {"path of the database": "../" + DATABASE}
        for name in ("fingerprint", "schema_version", "as_of_utc", "published_at_utc", "mobile"):
            value = fields[name]
            expected[name] = value.isoformat() if isinstance(value, datetime) else value
        if isinstance(manifest["report"], dict):
            stored["problem of the report"] = manifest["report"].get("problem")
            expected["problem of the report"] = fields["report_problem"]
        for name, value in expected.items():
            if stored[name] != value:
                sentence = (
                    f"the {name} is {stored[name]}, but the publication was made with {value}."
                )
                self._findings.add(MANIFEST, sentence, "fields")
        pages = sorted(str(page.get("path")) for page in manifest["dictionary"])
        if pages != ["dictionary.html", "dictionary.md"]:
            sentence = f"the dictionary is listed as {', '.join(pages) or 'nothing'}."
            self._findings.add(MANIFEST, sentence)
        for entry in manifest["retired"]:
            if not self._is_retired(entry):
                sentence = f"{json.dumps(entry)[:120]} is not a recently replaced file."
                self._findings.add(MANIFEST, sentence, "retired")

    def _is_retired(self, entry: Any) -> bool:  # noqa: ANN401  any JSON
        current = {file["path"] for file in self._manifest["files"]}
        try:
            path = str(entry["path"])
            until = datetime.fromisoformat(entry["until_utc"]).replace(tzinfo=None)
            published = datetime.fromisoformat(self._manifest["published_at_utc"])
            return until <= published + _GRACE and path.endswith(".parquet") and path not in current
        except (KeyError, TypeError, ValueError):
            return False

    def _compare_files(self) -> None:
        """Compare size and digest of every listed file."""
        pinned, manifest = self._pinned, self._manifest
        self._compare_seal(DATABASE, pinned.database, manifest["database"])
        for page in self._pages:
            name = Path(str(page.get("path"))).name
            self._compare_seal(f"exports/{name}", pinned.copies.get(name), page)
        for file in manifest["files"]:
            self._compare_seal(f"exports/{file['path']}", pinned.exports / file["path"], file)
        dictionary, version = pinned.copies.get("dictionary.md"), manifest["schema_version"]
        if dictionary and f"schema version {version}." not in dictionary.read_text("utf-8"):
            sentence = f"the schema_version is {version}, but the dictionary has another one."
            self._findings.add(MANIFEST, sentence, "schema")

    def _compare_seal(self, place: str, path: Path | None, entry: Named) -> None:
        try:
            if path is None:
                raise FileNotFoundError(2, "No such file or directory")
            with path.open("rb") as file:
                digest, size = file_digest(file, "sha256").hexdigest(), file.tell()
        except OSError as error:
            sentence = f"the published file cannot be read ({error.strerror})."
            self._findings.add(place, sentence, "files")
            return
        if (size, digest) != (entry.get("bytes"), entry.get("sha256")):
            sentence = (
                f"the published file has {size:,} bytes and the sha256 {digest[:12]}…, in the "
                f"manifest {entry.get('bytes'):,} bytes and {str(entry.get('sha256'))[:12]}…."
            )
            self._findings.add(place, sentence, "files")

    def _compare_folder(self) -> None:
        listed = (*self._manifest["files"], *self._manifest["retired"], *self._pages)
        paths = {str(entry.get("path")) for entry in listed} | {"current", "manifest.json"}
        for path in self._pinned.files:
            if path not in paths:
                sentence = f"{path} is there, but the manifest does not list it."
                self._findings.add("exports", sentence, "files")

    def _compare_links(self) -> None:
        pinned = self._pinned
        links = Counter((str(Path(link).parent), to) for link, to in pinned.links.items())
        expected = Counter(
            (file["table"].partition(".")[2], str((pinned.exports / file["path"]).resolve()))
            for file in self._manifest["files"]
        )
        differences: Iterable[tuple[str, Counter[tuple[str, str]]]] = (
            ("has no link to", expected - links),
            ("has an unexpected link to", links - expected),
        )
        for fault, faulty in differences:
            for folder, target in sorted(faulty):
                sentence = f"{folder} {fault} {Path(target).name}."
                self._findings.add("exports/current", sentence, fault)
