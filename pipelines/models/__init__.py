"""The SQL files of ``warehouse/``: read, run, checked, digested; the one writer's connection.

Other rooms run models without caring which module does what: they write ``models.refresh(...)``.
"""

from pipelines.models.catalog import dependencies, known_models, load_models, schema_version
from pipelines.models.functions import define_functions, publish_functions
from pipelines.models.headers import WAREHOUSE, Export, Model, ModelError, read_model
from pipelines.models.parsing import literal
from pipelines.models.steps import mark_stale, refresh, replace, run_temporary
from pipelines.models.tables import bring_tables, comment
from pipelines.models.warehouse import memory_limit

__all__ = [
    "WAREHOUSE",
    "Export",
    "Model",
    "ModelError",
    "bring_tables",
    "comment",
    "define_functions",
    "dependencies",
    "known_models",
    "literal",
    "load_models",
    "mark_stale",
    "memory_limit",
    "publish_functions",
    "read_model",
    "refresh",
    "replace",
    "run_temporary",
    "schema_version",
]
