"""Errors of fitted models: reading, checking, feeding, saving and loading them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fastframe.errors.base import FastFrameError, counted, listed, suggestion


class ModelError(FastFrameError, ValueError):
    """A fitted model, or what was read from it, is not what its kind of model should be."""

    @classmethod
    def out_of_range(cls, array: str, index: int, value: object, allowed: str) -> ModelError:
        return cls(f"the forest's {array}[{index}] is {value}, which is not {allowed}. The model or its file is damaged: fit or save it again.")

    @classmethod
    def step_without_dtype(cls, column: int, step: str) -> ModelError:
        return cls(f"step {step!r} on column {column} has no dtype to work in: give the feature via='float64' or 'float32', or cast first.")

    @classmethod
    def wrong_part(cls, part: str, found: object, expected: str) -> ModelError:
        return cls(f"the forest's {part} is {found}, not {expected}. The model or its file is damaged: fit or save it again.")

    @classmethod
    def unknown(cls, what: str, name: str, known: Iterable[str]) -> ModelError:
        return cls(f"unknown {what}: {name!r}; known are {', '.join(known)}.")

    @classmethod
    def not_ubjson(cls, position: int, expected: str) -> ModelError:
        return cls(f"the model's bytes are not UBJSON: {expected} expected at byte {position}.")

    @classmethod
    def lacks(cls, library: str, part: str) -> ModelError:
        return cls(f"the {library} model lacks {part}, or it is not of the kind that this version reads. Fit or save the model again.")

    @classmethod
    def class_count(cls, n_classes: int, expected: int) -> ModelError:
        return cls(f"the model has {n_classes} class labels for scores that decide between {expected}.")

    @classmethod
    def bad_field(cls, name: str, detail: str) -> ModelError:
        return cls(f"the contract's field {name!r} cannot be: {detail}.")

    @classmethod
    def bad_part(cls, part: str, detail: str) -> ModelError:
        return cls(f"{part} of the model cannot be: {detail}. The model or its file is damaged: fit or save it again.")


class UnsupportedModel(ModelError, NotImplementedError):
    """`compile` does not take this model; the message lists why, and what to do instead."""

    @classmethod
    def without_method(cls, model: str, method: str, available: Sequence[str]) -> UnsupportedModel:
        return cls(f"{model} has no {method}.{suggestion(method, available)} It answers {listed(available)}.")

    @classmethod
    def without_one_forest(cls, model: str, method: str, n_forests: int) -> UnsupportedModel:
        return cls(f"{model} has no {method}: it is made of {n_forests} forests, and {method} is of exactly one.")

    @classmethod
    def because(cls, model: str, reasons: Sequence[str]) -> UnsupportedModel:
        return cls(f"{model} cannot be compiled: {'; '.join(reasons)}. Use fallback='native' to predict with the model itself.")

    @classmethod
    def knows_its_columns(cls, model: str) -> UnsupportedModel:
        return cls(
            f"{model} takes no contract: it keeps by itself what its columns are. Leave contract=... out; it is for pipelines fitted on "
            "float32 or integer columns, and for XGBoost's models of before 3.1 with categories."
        )

    @classmethod
    def no_model(cls, given: object) -> UnsupportedModel:
        if isinstance(given, type):
            return cls(f"{given.__name__} is a class, not a fitted model: fit an instance of it first.")
        name = f"{type(given).__module__.partition('.')[0]}.{type(given).__name__}".removeprefix("builtins.")
        return cls(f"a value of type {name} is no model. Give a fitted model of scikit-learn, XGBoost or LightGBM itself.")

    @classmethod
    def not_fitted(cls, model: str) -> UnsupportedModel:
        return cls(f"{model} is not fitted. Call its fit(...) first.")

    @classmethod
    def unknown_class(cls, name: str, known: Iterable[str]) -> UnsupportedModel:
        hint = suggestion(name.rpartition(".")[2], [one.rpartition(".")[2] for one in known])
        return cls(
            f"{name} cannot be compiled: no reader knows this class.{hint} All that are known: docs/support.md, 'Models that compile'. "
            "fallback='native' predicts with the model itself."
        )

    @classmethod
    def overridden(cls, name: str, base: str, methods: Sequence[str]) -> UnsupportedModel:
        return cls.because(name, [f"it overrides {', '.join(methods)} of {base}, and what its own code does cannot be read"])


class InexactModelError(ModelError):
    """The compiled model's bits differ from the model's own on a row of the self-check."""

    @classmethod
    def differs(cls, method: str, row: dict[str, Any], values: tuple[object, object], *, allowed: str, tree: str = "") -> InexactModelError:
        given = ", ".join(f"{name}={value!r}" for name, value in list(row.items())[:20])
        given += f" and {len(row) - 20} more" if len(row) > 20 else ""
        return cls(
            f"{method} of the compiled model gives {values[0]!r} where the model gives {values[1]!r} ({allowed}).{tree} The row: {given}. "
            "Please report it; fallback='native' predicts with the model itself."
        )

    @classmethod
    def refuses_rows(cls, error: Exception) -> InexactModelError:
        return cls(
            f"the model itself refuses the rows of the self-check: {type(error).__name__}: {str(error).splitlines()[0]} "
            "Compile with verify=False if it takes the rows that you have."
        )

    @classmethod
    def of_shape(cls, method: str, ours: object, native: object) -> InexactModelError:
        return cls(f"{method} of the compiled model gives {ours} where the model gives {native}. Please report it.")


class ContractError(ModelError):
    """A frame does not have the columns, dtypes or categories that a model was fitted on.

    ``differences`` has a line for each of them.
    """

    differences: tuple[str, ...] = ()

    @classmethod
    def of(cls, differences: Sequence[str]) -> ContractError:
        error = cls("the data do not fit what the model was fitted on:\n" + "\n".join(f"- {one}" for one in differences))
        error.differences = tuple(differences)
        return error

    @staticmethod
    def missing_column(name: str, available: Sequence[str]) -> str:
        return f"there is no column {name!r}.{suggestion(name, available)}"

    @staticmethod
    def no_categories(name: str) -> str:
        return f"column {name!r} has categories in the model, and none in the contract. Make the contract of the frame that it was fitted on"

    @staticmethod
    def wrong_width(given: int, expected: int) -> str:
        came = f"{counted(given, 'feature')} came in, but the model takes {expected}."
        return f"{came} Without names on both sides they are matched by position: give all, in the model's order."

    @staticmethod
    def wrong_dtype(name: str, given: Any, expected: Any, hint: str = "") -> str:
        return f"column {name!r} is {given}, but the model takes {expected}.{hint or ' Use .astype(...) to convert it first.'}"

    @staticmethod
    def lossy(name: str, given: Any, expected: Any, values: Sequence[Any]) -> str:
        return f"column {name!r} is {given} with values that {expected} does not have, for example {listed(values)}"

    @staticmethod
    def missing_values(name: str, count: int) -> str:
        return f"column {name!r} has {count} missing value{'s' * (count != 1)}, and the model was fitted without any. Use .fillna(...) first."

    @staticmethod
    def unseen_values(name: str, count: int, values: Sequence[Any], categories: Sequence[Any]) -> str:
        what = "1 value is no category" if count == 1 else f"{count} values are no categories"
        hint = suggestion(values[0], categories) if isinstance(values[0], str) else ""
        return f"column {name!r}: {what} of the model: {listed(values)}.{hint} Compile with unseen='missing' to treat such values as missing."

    @classmethod
    def bad_policy(cls, given: object, allowed: Sequence[str]) -> ContractError:
        return cls(f"unseen={given!r} is no policy for values that are no category. Allowed are: {listed(allowed)}.")

    @classmethod
    def no_answer_of_its_own(cls, names: Sequence[str]) -> ContractError:
        return cls(f"unseen='model': the model has no answer for unseen values of {listed(names)}. Use 'error' or 'missing'.")

    @classmethod
    def not_tabular(cls, given: object) -> ContractError:
        hint = {"LazyFrame": " Collect it first.", "Series": " Make it a frame first: .to_frame()."}.get(type(given).__name__, "")
        return cls(
            f"a value of type {type(given).__name__} cannot be predicted from.{hint} Give a frame (fastframe, pandas, polars, pyarrow), a 2-D array, "
            "or a dict of arrays; predict_row takes a single row, as a mapping or a tuple."
        )

    @classmethod
    def not_a_column(cls, name: str, value: object) -> ContractError:
        return cls(f"column {name!r} is {value!r}, which is no array of values. Give one array per column, or a single row to predict_row.")

    @classmethod
    def masked(cls) -> ContractError:
        return cls("a masked array was given, whose mask would be lost. Use x.filled(numpy.nan) first.")

    @classmethod
    def not_a_row(cls, given: object) -> ContractError:
        hint = " Use .to_dict() of a Series." if type(given).__name__ == "Series" else ""
        return cls(f"a value of type {type(given).__name__} is no row. Give a mapping by name, or a tuple by position.{hint}")

    @staticmethod
    def not_one_value(name: str, value: object) -> str:
        return f"column {name!r} is {value!r}, which is no bool, int of at most 64 bits, float, text or None"

    @classmethod
    def not_two_dimensional(cls, n_dimensions: int) -> ContractError:
        return cls(f"an array of {n_dimensions} dimensions was given: rows and columns are expected. Use x.reshape(1, -1) for a single row.")

    @classmethod
    def unknown_number(cls, value: float, row: int) -> ContractError:
        what = "a missing value" if value != value else f"{value!r}, which is none of the values that the encoder was fitted on"
        return cls(f"an encoder was given {what} (row {row} of its batch), and refuses it as the model itself does.")


class ModelFileError(ModelError):
    """A file is not a saved predictor, or it is damaged; or a model has parts that no file can keep."""

    @classmethod
    def not_one(cls, path: Any) -> ModelFileError:
        return cls(f"{path} is not a saved predictor. Predictor.save(path) writes one.")

    @classmethod
    def damaged(cls, path: Any, detail: str) -> ModelFileError:
        return cls(f"{path} is damaged: {detail[:500]}. Save the predictor again.")

    @classmethod
    def of_version(cls, path: Any, found: int, known: int) -> ModelFileError:
        return cls(f"{path} is of version {found}; this fastframe reads version {known}. Compile and save the model with this fastframe.")

    @classmethod
    def cannot_keep(cls, what: str) -> ModelFileError:
        return cls(f"the predictor cannot be saved: a file has no place for {what}.")

    @classmethod
    def no_path(cls, given: object) -> ModelFileError:
        return cls(f"a value of type {type(given).__name__} is no path of a file. Give a str or a pathlib.Path.")

    @classmethod
    def is_folder(cls, path: Any) -> ModelFileError:
        return cls(f"{path} is a folder. Give the name of the file to write.")

    @classmethod
    def native(cls, model: str) -> ModelFileError:
        return cls(f"{model} was not compiled (fallback='native'), so there is nothing to save. Save the model with its own library.")

    @classmethod
    def unknown_function(cls, name: str) -> ModelFileError:
        return cls(f"the predictor cannot be kept in a file: its function {name!r} is none of fastframe's own. Compile the model where you need it.")
