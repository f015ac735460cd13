"""The tree of errors, and every message a user can see.

A message says what happened, what was given, and what to do. Code elsewhere raises through the constructors here, for
example ``raise ColumnNotFound.among(name, names)``, and never writes a message of its own. Each class also inherits the
builtin that pandas code would catch, so ``except KeyError`` goes on working.
"""

from fastframe.errors.base import FastFrameError, KernelStatus, listed, suggestion
from fastframe.errors.expressions import ExpressionError, QueryError
from fastframe.errors.frames import (
    ArgumentError,
    ColumnNotFound,
    DTypeError,
    DuplicateColumn,
    DuplicateLabel,
    EngineUnavailable,
    FileMissing,
    IntegerOverflow,
    InvalidData,
    JoblibMismatch,
    KernelError,
    LabelNotFound,
    LossyCast,
    MergeError,
    MissingAttribute,
    MixedEngineError,
    OutOfMemory,
    OutOfRange,
    ProfileError,
    ShapeError,
    UnsupportedOperation,
)
from fastframe.errors.functions import FunctionArgumentError, FunctionError
from fastframe.errors.jit import JITError
from fastframe.errors.models import (
    ContractError,
    InexactModelError,
    ModelError,
    ModelFileError,
    UnsupportedModel,
)
from fastframe.errors.rolling import WindowError
from fastframe.errors.rows import RowFunctionError

__all__ = [
    "ArgumentError",
    "ColumnNotFound",
    "ContractError",
    "DTypeError",
    "DuplicateColumn",
    "DuplicateLabel",
    "EngineUnavailable",
    "ExpressionError",
    "FastFrameError",
    "FileMissing",
    "FunctionArgumentError",
    "FunctionError",
    "InexactModelError",
    "IntegerOverflow",
    "InvalidData",
    "JITError",
    "JoblibMismatch",
    "KernelError",
    "KernelStatus",
    "LabelNotFound",
    "LossyCast",
    "MergeError",
    "MissingAttribute",
    "MixedEngineError",
    "ModelError",
    "ModelFileError",
    "OutOfMemory",
    "OutOfRange",
    "ProfileError",
    "QueryError",
    "RowFunctionError",
    "ShapeError",
    "UnsupportedModel",
    "UnsupportedOperation",
    "WindowError",
    "listed",
    "suggestion",
]
