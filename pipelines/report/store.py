"""Where reports lie, and how one is replaced."""

import os
import secrets
from hashlib import sha256
from pathlib import Path

import duckdb

from ingest.settings import Settings
from pipelines.export import exports_folder
from pipelines.files import replace_file
from pipelines.report.figures import read_figures
from pipelines.report.page import render


def report_path(settings: Settings) -> Path:
    """The report of the last days, as it is published with each run."""
    return exports_folder(settings) / "report.html"


def replace_report(con: duckdb.DuckDBPyConnection, settings: Settings) -> dict[str, object]:
    """Write the published report anew; returns its entry for the manifest."""
    target = report_path(settings)
    content = write_page(target, render(read_figures(con)))
    return {"path": target.name, "bytes": len(content), "sha256": sha256(content).hexdigest()}


def write_page(target: Path, page: str) -> bytes:
    """Put a page in its place in one step, readable by its owner only."""
    content = page.encode()
    new = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    replace_file(new, target)
    return content
