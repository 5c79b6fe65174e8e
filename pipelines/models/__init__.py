"""The SQL files of ``warehouse/``: read, run, checked, digested; the one writer's connection.

    headers, parsing     one file: what its header and its SQL say
    catalog              all files, and which follows from which
    steps, functions     run on a connection
    tables, upgrade      what is stored, changed with its files
    digests, computed    what a table was computed by, and whether that holds today
    warehouse            the connection
    checks, questions    what must hold of the tables; what people ask of them
    preview, unit_tests  a model tried alone: over the data at hand, over rows of a test case

Other rooms run models without caring which module does what: they write ``models.refresh(...)``.
"""

from pipelines.models.catalog import (
    dependencies,
    load_models,
    query_of,
    schema_version,
)
from pipelines.models.functions import define_functions, publish_functions
from pipelines.models.headers import (
    WAREHOUSE,
    Check,
    Column,
    Export,
    Model,
    ModelError,
    read_model,
)
from pipelines.models.parsing import literal
from pipelines.models.steps import mark_stale, refresh, replace, run_temporary
from pipelines.models.tables import bring_tables, comment
from pipelines.models.warehouse import memory_limit

__all__ = [
    "WAREHOUSE",
    "Check",
    "Column",
    "Export",
    "Model",
    "ModelError",
    "bring_tables",
    "comment",
    "define_functions",
    "dependencies",
    "literal",
    "load_models",
    "mark_stale",
    "memory_limit",
    "publish_functions",
    "query_of",
    "read_model",
    "refresh",
    "replace",
    "run_temporary",
    "schema_version",
]
