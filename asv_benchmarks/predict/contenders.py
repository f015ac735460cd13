"""Who predicts: how each library loads a model, is fed, and is held to a number of threads.

A contender is a class with ``load(name, folder, threads)``, which is timed apart (a compiler's work is in it), and
``predict(rows)``, which is timed. ``rows`` is what `feed` made of the matrix or frame, not timed: what a user of the
library would hold.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from asv_benchmarks.predict.models import MODELS


class Native:
    """The fitted model itself."""

    def load(self, name: str, folder: Path, threads: int) -> None:
        import joblib

        model = joblib.load(folder / f"{name}.joblib")
        if "n_jobs" in model.get_params():
            model.set_params(n_jobs=threads)
        self.ask = getattr(model, MODELS[name].method)

    def feed(self, rows: Any) -> Any:
        return rows

    def predict(self, rows: Any) -> Any:
        return self.ask(rows)

    def answer(self, rows: Any) -> Any:
        """What is compared: a forest adds its trees in their order on one thread only, so it is asked on one."""
        owner = getattr(getattr(self, "ask", None), "__self__", None)
        if hasattr(owner, "estimators_") and "n_jobs" in owner.get_params():
            owner.set_params(n_jobs=1)
        return self.predict(rows)

    def one(self, rows: Any) -> Callable[[], Any]:
        """A call that predicts the first row in the fastest way the library has."""
        first = rows[:1] if isinstance(rows, np.ndarray) else rows.iloc[:1]
        return lambda: self.ask(first)


class Fastframe(Native):
    """`ff.compile` of the model."""

    def load(self, name: str, folder: Path, threads: int) -> None:
        import joblib

        import fastframe as ff

        ff.options.threads = threads
        self.predictor = ff.compile(joblib.load(folder / f"{name}.joblib"))
        self.method = MODELS[name].method
        self.ask = getattr(self.predictor, self.method)

    def feed(self, rows: Any) -> Any:
        import fastframe as ff

        return ff.DataFrame(rows) if not isinstance(rows, np.ndarray) else ff.DataFrame({f"x{place}": column.copy() for place, column in enumerate(rows.T)})

    def one(self, rows: Any) -> Callable[[], Any]:
        first = rows.head(1).to_arrow().to_pylist()[0]
        values = tuple(value for name, value in first.items() if name in rows.columns)
        return lambda: self.predictor.predict_row(values)


class FastframeMatrix(Fastframe):
    """The same, fed the NumPy matrix as it is."""

    def feed(self, rows: Any) -> Any:
        return rows

    def one(self, rows: Any) -> Callable[[], Any]:
        first = rows[0] if isinstance(rows, np.ndarray) else rows.iloc[:1]
        return lambda: self.predictor.predict_row(first)


class OnnxRuntime(Native):
    """skl2onnx or onnxmltools, then ONNX Runtime."""

    def load(self, name: str, folder: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(_as_onnx(name, folder), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        self.output = self.session.get_outputs()[-1].name

    def predict(self, rows: Any) -> Any:
        return self.session.run([self.output], {self.input: rows})[0]

    def one(self, rows: Any) -> Callable[[], Any]:
        first = rows[:1].copy()
        return lambda: self.session.run([self.output], {self.input: first})


def _as_onnx(name: str, folder: Path) -> bytes:
    import joblib

    model = joblib.load(folder / f"{name}.joblib")
    if MODELS[name].library == "sklearn":
        from skl2onnx import to_onnx

        options = {"zipmap": False} if MODELS[name].method == "predict_proba" else None
        return to_onnx(model, np.zeros((1, 30), np.float32), options=options).SerializeToString()
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    convert = onnxmltools.convert_xgboost if MODELS[name].library == "xgboost" else onnxmltools.convert_lightgbm
    return convert(model, initial_types=[("X", FloatTensorType([None, 30]))]).SerializeToString()


class Lleaves(Native):
    """LightGBM's trees compiled by LLVM."""

    def load(self, name: str, folder: Path, threads: int) -> None:
        import lleaves

        self.model = lleaves.Model(model_file=str(folder / f"{name}.txt"))
        self.model.compile()
        self.threads = threads

    def predict(self, rows: Any) -> Any:
        return self.model.predict(rows, n_jobs=self.threads)

    def one(self, rows: Any) -> Callable[[], Any]:
        first = rows[:1].astype(np.float64)
        return lambda: self.model.predict(first, n_jobs=1)


class Treelite(Native):
    """treelite's own interpreter, GTIL."""

    def load(self, name: str, folder: Path, threads: int) -> None:
        import treelite

        self.gtil, self.model, self.threads = treelite.gtil, _as_treelite(name, folder), threads

    def predict(self, rows: Any) -> Any:
        return self.gtil.predict(self.model, rows, nthread=self.threads)

    def one(self, rows: Any) -> Callable[[], Any]:
        first = rows[:1].copy()
        return lambda: self.gtil.predict(self.model, first, nthread=1)


class Tl2cgen(Native):
    """treelite's trees as C, compiled by gcc."""

    def load(self, name: str, folder: Path, threads: int) -> None:
        import tl2cgen

        library = folder / f"{name}_tl2cgen.so"
        if not library.exists():
            tl2cgen.export_lib(_as_treelite(name, folder), toolchain="gcc", libpath=str(library), params={"parallel_comp": 16}, verbose=False)
        self.tl2cgen, self.library = tl2cgen, tl2cgen.Predictor(str(library), nthread=threads)

    def feed(self, rows: Any) -> Any:
        return rows

    def predict(self, rows: Any) -> Any:
        return self.library.predict(self.tl2cgen.DMatrix(rows))

    def one(self, rows: Any) -> Callable[[], Any]:
        first = rows[:1].copy()
        return lambda: self.library.predict(self.tl2cgen.DMatrix(first))


def _as_treelite(name: str, folder: Path) -> Any:
    import treelite

    if MODELS[name].library == "xgboost":
        return treelite.frontend.load_xgboost_model(folder / f"{name}.ubj", format_choice="ubjson")
    if MODELS[name].library == "lightgbm":
        return treelite.frontend.load_lightgbm_model(folder / f"{name}.txt")
    import joblib

    return treelite.sklearn.import_model(joblib.load(folder / f"{name}.joblib"))


CONTENDERS: dict[str, tuple[type[Native], str, tuple[str, ...]]] = {
    "native": (Native, "", ("sklearn", "xgboost", "lightgbm", "pipeline")),
    "fastframe": (Fastframe, "", ("sklearn", "xgboost", "lightgbm", "pipeline")),
    "fastframe-matrix": (FastframeMatrix, "", ("sklearn", "xgboost", "lightgbm")),
    "onnxruntime": (OnnxRuntime, ".venv-onnx", ("sklearn", "xgboost", "lightgbm")),
    "lleaves": (Lleaves, ".venv-lleaves", ("lightgbm",)),
    "treelite": (Treelite, ".venv-treelite", ("sklearn", "xgboost", "lightgbm")),
    "tl2cgen": (Tl2cgen, ".venv-treelite", ("sklearn", "xgboost", "lightgbm")),
}
"""By name: class, environment (empty: ours), libraries whose models it takes."""
TOO_LARGE = {"tl2cgen": ("rf", "rfc")}
"""Models that a contender is not asked: gcc needs more than four minutes of two cores for their C."""
OURS = ("fastframe", "fastframe-matrix")
