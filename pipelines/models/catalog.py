"""Every SQL file of ``warehouse/``, and which follows from which.

This module knows no table by name; ``headers.py`` says what a file tells of itself.
"""

import graphlib
from collections.abc import Callable, Collection, Iterable
from functools import cache
from hashlib import sha256

from pipelines.models.headers import SCHEMAS, WAREHOUSE, Model, ModelError, read_model
from pipelines.models.parsing import Query, SqlError, parse


def _read(*folders: str) -> dict[str, Model]:
    """Models of these folders by name."""
    paths = [path for folder in folders for path in sorted(WAREHOUSE.glob(f"{folder}/*.sql"))]
    return {model.name: model for model in map(read_model, paths)}


@cache
def _files() -> dict[str, Model]:
    """Every model by its name, in no order that matters."""
    return _read(*SCHEMAS, "steps/*")


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
def known_models() -> dict[str, Model]:
    """What Python hands to the models (``warehouse/inputs``), then all models in order."""
    return {**_read("inputs"), **load_models()}


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
        if unknown := {source for source in direct if "/" not in source} - models.keys():
            raise ModelError(f"{model.path}: depends_on names {min(unknown)}, which is not a table")
        steps = {other for other in direct & models.keys() if models[other].temporary}
        edges[name] = (direct - steps).union(*(edges[step] for step in steps))
    return {name: tables for name, tables in edges.items() if not models[name].temporary}


def reach(starts: Iterable[str], next_of: Callable[[str], Iterable[str]]) -> set[str]:
    """The starts, and all that ``next_of`` leads to from there, near or far."""
    reached, queue = set(starts), list(starts)
    while queue:
        fresh = set(next_of(queue.pop())) - reached
        reached |= fresh
        queue += fresh
    return reached


def steps_before(names: Collection[str], given: Collection[str] = ()) -> list[Model]:
    """Steps and inputs that models read, near or far, but those ``given``, in order.

    Raises ModelError where one reads what only a run makes.
    """
    known = known_models()

    def steps_of(reader: str) -> set[str]:
        tables = query_of(known[reader]).tables - set(given)
        if unknown := {table for table in tables if "." not in table} - known.keys():
            path = known[reader].path
            raise ModelError(f"{path}: reads {min(unknown)}, which only a run makes")
        return {table for table in tables & known.keys() if known[table].temporary}

    reached = reach(names, steps_of) - set(names)
    return [model for name, model in known.items() if name in reached]


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
