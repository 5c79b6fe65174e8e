"""The version of the rules: everything that decides what a landed byte becomes.

Reference data, the provider's zone, the default region and the code that decodes, rejects and
chooses. It stands in every row of ``raw.pushes`` and ``core.sms_status``, so that rows made by
other rules than hold now can be seen; ``ops.rules`` says what a version consists of.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

import duckdb

from ingest.settings import Settings
from pipelines import models

_MODULES = ("decode", "jsontext", "push", "rejects", "salvage")
_OTHER_FUNCTIONS = {"fingerprint", "privacy", "rates"}
"""SQL functions that decide nothing about a row of ``raw`` or ``core``."""
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Rules:
    """What a version consists of; the fields are the columns of ``ops.rules``."""

    reference_version: str
    provider_timezone: str
    default_region: str
    code_version: str

    @property
    def version(self) -> str:
        """Digest over all of it."""
        parts = (
            self.reference_version,
            self.provider_timezone,
            self.default_region,
            self.code_version,
        )
        return sha256("\n".join(parts).encode()).hexdigest()[:_DIGITS]


def rules_now(settings: Settings, reference_version: str) -> Rules:
    """The rules that hold now."""
    return Rules(
        reference_version, settings.provider_timezone, settings.default_region, code_version()
    )


@cache
def code_version() -> str:
    """Digest over the SQL and the Python that decode, reject and choose."""
    digest = sha256()
    for model in models.load_models().values():
        if model.schema in ("raw", "core"):
            digest.update(f"{model.name}\n{model.sql}\n".encode())
    for path in sorted(models.WAREHOUSE.glob("functions/*.sql")):
        if path.stem not in _OTHER_FUNCTIONS:
            digest.update(path.read_bytes())
    for name in _MODULES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()[:_DIGITS]


def note_rules(con: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Enter a version when it is first used."""
    if con.execute("from ops.rules where rules_version = ?", [rules.version]).fetchall():
        return
    con.execute(
        """
        insert into ops.rules by name
        select
            ? as rules_version, ? as reference_version, ? as provider_timezone,
            ? as default_region, ? as code_version, ?::timestamp as first_used_at_utc
        """,
        [
            rules.version,
            rules.reference_version,
            rules.provider_timezone,
            rules.default_region,
            rules.code_version,
            datetime.now(UTC).replace(tzinfo=None),
        ],
    )
    models.mark_stale(con, models.load_models()["ops.rules"], "true")


@dataclass(frozen=True, slots=True)
class Outdated:
    """Rows that were made by other rules than hold now."""

    rules_version: str
    messages: int
    pushes: int
    differs: str
    """What is different in these rules, in words."""


def outdated(con: duckdb.DuckDBPyConnection, now: Rules) -> list[Outdated]:
    """Count the rows of every version but the one that holds now."""
    rows = con.execute(
        """
        with used as (
            select rules_version, count(*) as messages, 0 as pushes
            from core.sms_status
            group by all
            union all
            select rules_version, 0, count(*)
            from raw.pushes
            group by all
        )
        select
            used.rules_version, sum(used.messages)::bigint, sum(used.pushes)::bigint,
            any_value(rules.reference_version), any_value(rules.provider_timezone),
            any_value(rules.default_region), any_value(rules.code_version)
        from used
        left join ops.rules as rules
            on rules.rules_version = used.rules_version
        where used.rules_version is distinct from ?
        group by used.rules_version
        order by used.rules_version
        """,
        [now.version],
    ).fetchall()
    return [
        Outdated(str(version), messages, pushes, _difference(Rules(*parts), now))
        for version, messages, pushes, *parts in rows
    ]


def _difference(then: Rules, now: Rules) -> str:
    parts = []
    if then.reference_version != now.reference_version:
        parts.append(f"reference data {then.reference_version}")
    if then.provider_timezone != now.provider_timezone:
        parts.append(f"DLR_PROVIDER_TIMEZONE {then.provider_timezone}")
    if then.default_region != now.default_region:
        parts.append(f"DLR_DEFAULT_REGION {then.default_region}")
    if then.code_version != now.code_version:
        parts.append(f"code {then.code_version}")
    return ", ".join(parts)
