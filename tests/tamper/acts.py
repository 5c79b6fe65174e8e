"""The tamperings that are not generated, each a function that alters a copy."""

import gzip
import json
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.load.marts import mart_models, rebuild_marts
from pipelines.models import mark_stale
from pipelines.models.warehouse import open_warehouse
from pipelines.publish.publish import publish
from tests.tamper.copies import Copy, published_models

_TIME = re.compile(r"\d{4}-\d\d-\d\dT")
FRENCH = "country_code = 'FR', range_operator = null"


def every_number_french(copy: Copy) -> None:
    """What a bug in the look-up of numbers would do: tables, marts and exports agree."""
    with open_warehouse(copy.settings) as con:
        con.execute(
            f"update core.sms_status set {FRENCH}, mobile_e164 = '+33' || right(mobile_e164, 9) "
            "where mobile_e164 is not null"
        )
        con.execute(f"update core.sends set {FRENCH} where country_code is not null")
        rebuild_marts(con, {model.name for model in mart_models()})
        for model in published_models():
            mark_stale(con, model, "true")
        publish(con, copy.settings)


def old_database(copy: Copy) -> None:
    """A valid database of an earlier state, whose files are still there."""
    shutil.copy2(copy.old_database, copy.data / "analytics.duckdb")


def first_landed(copy: Copy, suffix: str) -> Path:
    """A landed file."""
    return min(copy.settings.landing.rglob(f"*{suffix}"))


def other_byte(copy: Copy, path: Path) -> None:
    """One digit in a file is another one; length and time of change are the same."""
    content = bytearray(path.read_bytes())
    at = next(n for n in range(len(content) // 2, len(content)) if chr(content[n]).isdigit())
    content[at] = ord("1") if content[at] != ord("1") else ord("2")
    copy.rewrite(path, bytes(content))


def other_byte_compressed(copy: Copy) -> None:
    """The same within a compacted file, which is a sound one afterwards."""
    path = first_landed(copy, ".jsonl.gz")
    content = gzip.decompress(path.read_bytes()).replace(b"SUCCESS", b"FAILURE", 1)
    copy.rewrite(path, gzip.compress(content))


def last_line_lost(copy: Copy) -> None:
    """A landed file without its last line."""
    path = first_landed(copy, ".jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    copy.rewrite(path, b"".join(lines[:-1]))


def renamed(path: Path) -> None:
    """A file under another name, of which nothing knows."""
    path.rename(path.with_name(f"x{path.name}"))


def data_file_renamed(copy: Copy) -> None:
    """A data file under another name in manifest and folder; the database has the old one."""
    path = copy.data_file("marts.delivery_hourly")
    manifest = copy.manifest()
    renamed(path)
    for one in manifest["files"]:
        if copy.exports / one["path"] == path:
            one["path"] = str(path.with_name(f"x{path.name}").relative_to(copy.exports))
    copy.write_manifest(manifest)


def strange_file(copy: Copy, name: str) -> None:
    """A file of which nothing knows."""
    path = copy.exports / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(copy.data_file("marts.as_of"), path)


def links(copy: Copy, table: str = "delivery_hourly") -> list[Path]:
    """The links of a table in the folder that is current."""
    return sorted((copy.exports / "current" / table).iterdir())


def link_to_another_file(copy: Copy) -> None:
    """A link that leads to the file of its neighbour."""
    first, second = links(copy)[:2]
    target = second.readlink()
    first.unlink()
    first.symlink_to(target)


def link_twice(copy: Copy) -> None:
    """A file that a reader of the folder counts twice."""
    first = links(copy)[0]
    first.with_name("again.parquet").symlink_to(first.readlink())


def link_replaced_by_file(copy: Copy) -> None:
    """A copy of a data file, altered, in the place of the link to it."""
    first = links(copy)[0]
    content = first.read_bytes()
    first.unlink()
    first.write_bytes(content[:-1] + b"x")


def older_tree(copy: Copy) -> None:
    """The folder that is current leads to the files of an earlier publication."""
    current = copy.exports / "current"
    other = next(
        path
        for path in sorted((copy.exports / ".current").iterdir())
        if path.resolve() != current.resolve() and path.is_dir()
    )
    current.unlink()
    current.symlink_to(f".current/{other.name}")


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """What stands at a place in JSON data."""
    for key in path:
        value = value[key]
    return value


def altered(value: object) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value + 1
    text = str(value)
    if _TIME.match(text):
        later = datetime.fromisoformat(text.removesuffix("Z")) + timedelta(hours=3)
        return later.isoformat() + ("Z" if text.endswith("Z") else "")
    return text[:-1] + ("0" if text[-1:] != "0" else "1")


def manifest_field(copy: Copy, path: tuple[Any, ...]) -> None:
    """Another value in the manifest."""
    manifest = copy.manifest()
    at(manifest, path[:-1])[path[-1]] = altered(at(manifest, path))
    copy.write_manifest(manifest)


def manifest_without(copy: Copy, path: tuple[Any, ...]) -> None:
    """A field or an entry less."""
    manifest = copy.manifest()
    del at(manifest, path[:-1])[path[-1]]
    copy.write_manifest(manifest)


def manifest_with(copy: Copy, name: str, entry: object) -> None:
    """An entry more."""
    manifest = copy.manifest()
    manifest[name].append(entry)
    copy.write_manifest(manifest)


def manifest_entry_twice(copy: Copy) -> None:
    """A file that readers count twice."""
    manifest_with(copy, "files", copy.manifest()["files"][0])


def figure(copy: Copy, path: tuple[Any, ...]) -> None:
    """Another number in the report."""
    figures = copy.figures()
    at(figures, path[:-1])[path[-1]] = altered(at(figures, path))
    copy.write_figures(figures)


def figures_less(copy: Copy, section: str) -> None:
    """A row of the report less."""
    figures = copy.figures()
    figures[section].pop()
    copy.write_figures(figures)


def page_text(copy: Copy) -> None:
    """Another word in the report, beside its figures."""
    path = copy.exports / "report.html"
    copy.rewrite(path, path.read_bytes().replace(b"<title>", b"<title>Not ", 1))


def dictionary_text(copy: Copy) -> None:
    """Another word in the dictionary."""
    path = copy.exports / "dictionary.md"
    copy.rewrite(path, path.read_bytes().replace(b"Messages", b"Letters", 1))


def empty_manifest(copy: Copy) -> None:
    """A manifest that says nothing."""
    copy.rewrite(copy.exports / "manifest.json", json.dumps({}).encode())
