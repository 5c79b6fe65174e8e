"""Every SQL file of ``warehouse/``, and which follows from which.

This module knows no table by name; ``headers.py`` says what a file tells of itself.
"""

import graphlib
from functools import cache
from hashlib import sha256

from pipelines.models.headers import SCHEMAS, WAREHOUSE, Model, ModelError, read_model
from pipelines.models.parsing import Query, SqlError, parse


@cache
def _files() -> dict[str, Model]:
    """Every model by its name, in no order that matters."""
    folders = (
        *(WAREHOUSE / schema for schema in SCHEMAS),
        *sorted((WAREHOUSE / "steps").iterdir()),
    )
    paths = [path for folder in folders for path in sorted(folder.glob("*.sql"))]
    return {model.name: model for model in (read_model(path) for path in paths)}


def query_of(model: Model) -> Query:
    """The model's SELECT, parsed; an empty one for a table that Python fills.

    Raises ModelError where it cannot be parsed.
    """
    try:
        return parse(model.sql or "select null")
    except SqlError as error:
        raise ModelError(f"{model.path}: {error}") from error


@cache
def read_by() -> dict[str, frozenset[str]]:
    """For each model the models its SELECT reads.

    A step that reads the previous state follows from no stored table.
    """
    files = _files()
    return {
        name: frozenset(
            other
            for other in query_of(model).tables & files.keys()
            if files[other].temporary or model.reads == "current"
        )
        for name, model in files.items()
    }


@cache
def load_models() -> dict[str, Model]:
    """All models, each after those it reads; ModelError where they read in a circle."""
    try:
        order = list(graphlib.TopologicalSorter(read_by()).static_order())
    except graphlib.CycleError as error:
        circle = " reads ".join(reversed(error.args[1]))
        raise ModelError(f"{WAREHOUSE}: models read each other in a circle: {circle}") from error
    return {name: _files()[name] for name in order}


@cache
def dependencies() -> dict[str, frozenset[str]]:
    """For each stored table the stored ones it is computed from, temporary steps looked through.

    A table that Python fills follows from what its header names: tables, and sources such as
    ``landing/yunpian``. Raises ModelError where a header names a table that does not exist.
    """
    models = load_models()
    edges: dict[str, frozenset[str]] = {}
    for name, model in models.items():
        direct = read_by()[name] | set(model.depends_on)
        if unknown := {one for one in direct if "/" not in one} - models.keys():
            raise ModelError(f"{model.path}: depends_on names {min(unknown)}, which is not a table")
        steps = {other for other in direct & models.keys() if models[other].temporary}
        edges[name] = (direct - steps).union(*(edges[step] for step in steps))
    return {name: tables for name, tables in edges.items() if not models[name].temporary}


def closure(names: tuple[str, ...]) -> tuple[str, ...]:
    """These models and every temporary step they read, near or far, each after those it reads."""
    models = load_models()
    found, queue = set(names), list(names)
    while queue:
        fresh = {name for name in read_by()[queue.pop()] if models[name].temporary} - found
        found |= fresh
        queue += fresh
    return tuple(name for name in models if name in found)


@cache
def schema_version() -> str:
    """Digest over what readers see of each published table: its columns, types and masks."""
    text = "\n".join(
        f"{model.name} {list(model.types.items())} "
        f"{model.private} {model.free_text} {model.fragments} {model.export}"
        for model in sorted(load_models().values(), key=lambda model: model.name)
        if model.export
    )
    return sha256(text.encode()).hexdigest()[:12]
