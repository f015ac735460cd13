"""Errors of fitted models: reading, checking, feeding, saving and loading them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fastframe.errors.base import FastFrameError


class ModelError(FastFrameError, ValueError):
    """A fitted model, or what was read from it, is not what its kind of model should be."""

    @classmethod
    def out_of_range(cls, array: str, index: int, value: object, allowed: str) -> ModelError:
        return cls(f"the forest's {array}[{index}] is {value}, which is not {allowed}. The model or its file is damaged: fit or save it again.")

    @classmethod
    def wrong_part(cls, part: str, found: object, expected: str) -> ModelError:
        return cls(f"the forest's {part} is {found}, not {expected}. The model or its file is damaged: fit or save it again.")

    @classmethod
    def unknown(cls, what: str, name: str, known: Iterable[str]) -> ModelError:
        return cls(f"unknown {what}: {name!r}; known are {', '.join(known)}.")

    @classmethod
    def class_count(cls, n_classes: int, expected: int) -> ModelError:
        return cls(f"the model has {n_classes} class labels for scores that decide between {expected}.")

    @classmethod
    def step_without_dtype(cls, column: int, step: str) -> ModelError:
        return cls(f"step {step!r} on column {column} has no dtype to work in: give the feature via='float64' or 'float32', or cast first.")


class UnsupportedModel(ModelError, NotImplementedError):
    """`compile` does not take this model; the message lists why, and what to do instead."""

    @classmethod
    def because(cls, model: str, reasons: Sequence[str]) -> UnsupportedModel:
        return cls(f"{model} cannot be compiled: {'; '.join(reasons)}. Use fallback='native' to predict with the model itself.")

    @classmethod
    def unknown_class(cls, name: str, known: Iterable[str]) -> UnsupportedModel:
        return cls(f"{name} cannot be compiled: no reader knows this class. Known are {', '.join(known)}.")

    @classmethod
    def overridden(cls, name: str, base: str, methods: Sequence[str]) -> UnsupportedModel:
        return cls.because(name, [f"it overrides {', '.join(methods)} of {base}, and what its own code does cannot be read"])


class InexactModelError(ModelError):
    """The compiled model's bits differ from the model's own on a row of the self-check."""


class ContractError(ModelError):
    """A frame does not have the columns, dtypes or categories that a model was fitted on."""


class ModelFileError(ModelError):
    """A file is not a saved predictor, or it is damaged."""
