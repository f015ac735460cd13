"""What an engine is, and the registry that finds one by name.

An engine turns a spec and its input tables into a table: `Engine.execute`. Handlers are found by the spec's type; what an
engine does not run is listed with the reason, and a test checks that every spec is in exactly one of the two lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from fastframe._collector import paused
from fastframe.errors import EngineUnavailable, UnsupportedOperation
from fastframe.ops.base import Schema, Spec

Handler = Callable[..., Any]

# Where engines live; imported when first asked for.
MODULES = {"cpu": "fastframe.engines.cpu.engine"}


class Engine(Protocol):
    """An engine: its name, its handlers, and what it does not support."""

    name: str
    handlers: Mapping[type[Spec], Handler]
    not_supported: Mapping[type[Spec], str]

    def execute(self, spec: Spec, *tables: Any) -> Any:
        """The table that the spec describes."""

    def prepare(self, spec: Spec, schema: Schema) -> Callable[[Any], Any]:
        """What gives ``execute(spec, table)`` for tables of this schema, for which the spec resolves."""

    def explain(self, spec: Any, table: Any, names: Sequence[str]) -> str:
        """How a `GroupBy` would find its groups; ``names`` are what users call its keys."""


@cache
def get_engine(name: str) -> Engine:
    """The engine of that name.

    Raises
    ------
    EngineUnavailable
    """
    if name not in MODULES:
        raise EngineUnavailable.of(f"an engine named {name!r}", name)
    with paused():
        engine: Engine = import_module(MODULES[name]).ENGINE
    return engine


def handler_of(engine: Engine, spec: Spec) -> Handler:
    """The engine's handler for a spec; `UnsupportedOperation` with the engine's reason where it has none."""
    handler = engine.handlers.get(type(spec))
    if handler is None:
        reason = engine.not_supported.get(type(spec), "it is not known to this engine")
        raise UnsupportedOperation.of_spec(engine.name, type(spec).__name__, reason)
    return handler
