"""By which rules the rows were made, and whether these are the rules of this recount."""

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

import duckdb

from ingest.settings import Settings
from pipelines.verify.codes import reference_version
from pipelines.verify.findings import Findings
from pipelines.verify.tables import stream

_RULES = "ops.rules"
_QUERY = """
    select rules_version, reference_version, provider_timezone, default_region, code_version
    from ops.rules
    order by all
"""
_DIGITS = 12


@dataclass(slots=True)
class Versions:
    """What ``ops.rules`` says."""

    known: dict[str | None, str]
    """What each version consists of, in words."""
    current: set[str | None]
    """Versions of the reference data, zone and region of this recount, whatever their code."""

    def compare(self, table: str, rows: Counter[str | None], findings: Findings) -> None:
        """Tell of rows that were made by other rules, and so are not compared in full."""
        for version, count in sorted(rows.items(), key=repr):
            if version not in self.known:
                findings.add(table, f"rules_version {version} of {count:,} rows is unknown.")
            elif version not in self.current:
                findings.add(
                    table,
                    f"{count:,} rows were made by other rules ({version}: {self.known[version]}) "
                    "than hold now; `dlr rebuild`, or `dlr rebuild --from`, makes them again.",
                )


def read_versions(
    con: duckdb.DuckDBPyConnection, settings: Settings, findings: Findings
) -> Versions:
    """Read ``ops.rules``; a version that is not the digest of its parts is found."""
    versions = Versions({}, set())
    now = (reference_version(), settings.provider_timezone, settings.default_region)
    for rows in stream(con, _QUERY):
        for version, *parts in rows:
            digest = sha256("\n".join(map(str, parts)).encode()).hexdigest()[:_DIGITS]
            if digest != version:
                sentence = f"version {version} is not what its parts give, {digest}."
                findings.add(_RULES, sentence, "digest")
            reference, zone, region, code = parts
            versions.known[version] = f"reference data {reference}, {zone}, {region}, code {code}"
            if tuple(parts[:3]) == now:
                versions.current.add(version)
    return versions
