"""Saved predictors: what comes back, what cannot be kept, and that no damaged file does more than raise `ModelFileError`."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastframe.errors import FileMissing, ModelError, ModelFileError
from fastframe.predict import file
from fastframe.predict.decide import Decide
from fastframe.predict.features import Block, Computed, Number
from fastframe.predict.forest import Forest
from fastframe.predict.model import Model
from fastframe.predict.scores import ForestScore
from tests.predict.small import small_model

ROOT = Path(__file__).parents[2]


def assert_same(left: Any, right: Any) -> None:
    """Equal parts, and what one side shares the other shares as well."""
    pairs: dict[int, int] = {}

    def same(one: Any, other: Any) -> bool:
        if isinstance(one, np.ndarray):
            return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
        if isinstance(one, tuple):
            return len(one) == len(other) and all(map(same, one, other))
        if isinstance(one, dict):
            return list(one) == list(other) and all(map(same, one.values(), other.values()))
        if is_dataclass(one):
            assert pairs.setdefault(id(one), id(other)) == id(other) or one == other
            names = [field.name for field in fields(one) if field.name not in ("function", "_places")]
            return type(one) is type(other) and all(same(getattr(one, name), getattr(other, name)) for name in names)
        return type(one) is type(other) and (one == other or (one != one and other != other))

    assert same(left, right)


@pytest.mark.parametrize("labels", [("no", "yes"), (3, -1), (0.5, 2.0), (False, True), ("", "日本")])
def test_a_model_comes_back_whole(tmp_path: Path, labels: Any) -> None:
    model = small_model(labels)
    file.save_model(model, tmp_path / "small.ffp", {"coverage": 0.5})
    again, extra = file.load_model(tmp_path / "small.ffp")
    assert_same(model.methods, again.methods)
    assert again.contract == model.contract and again.source == model.source and again.notes == model.notes and again.task == model.task
    assert extra == {"coverage": 0.5}
    assert again.methods["predict"].of is again.methods["predict_proba"]
    assert again.methods["predict"].classes.tolist() == list(labels)


def test_the_same_model_gives_the_same_bytes() -> None:
    assert file.file_bytes(small_model()) == file.file_bytes(small_model())
    assert file.file_bytes(file.model_of(file.file_bytes(small_model()))[0]) == file.file_bytes(small_model())


def test_arrays_are_views_of_the_file(tmp_path: Path) -> None:
    file.save_model(small_model(), tmp_path / "small.ffp")
    again, _ = file.load_model(tmp_path / "small.ffp")
    forest = again.methods["margin"].forest
    assert not forest.threshold.flags.writeable and not forest.threshold.flags.owndata
    assert forest.threshold.ctypes.data % file.ALIGNMENT == forest.leaf_values.ctypes.data % file.ALIGNMENT == 0
    with pytest.raises(ValueError, match="read-only"):
        forest.threshold[0] = 1.0


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.ffp"
    file.save_model(small_model(), path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        file.save_model(small_model((1, 2)), path)
    assert path.read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["small.ffp"]


def test_what_no_file_can_keep() -> None:
    model = small_model()
    block = Block("user", (Number(0),), lambda x: x, 1, {})
    score = model.methods["margin"]
    computed = ForestScore(score.forest, (Computed(block, 0), *score.features[1:]))  # type: ignore[attr-defined]
    with pytest.raises(ModelFileError, match="'user'"):
        file.file_bytes(Model(model.contract, {"predict": computed}, "regression", model.source))
    labels = Decide("largest", model.methods["predict_proba"], np.array(["a", 1], object))
    with pytest.raises(ModelFileError, match="object"):
        file.file_bytes(Model(model.contract, {"predict": labels}, "classification", model.source))


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        file.load_model(tmp_path / "nothing.ffp")
    for content in (b"", b"x", b"PAR1" + bytes(100), file.MAGIC, bytes(64)):
        (tmp_path / "other.ffp").write_bytes(content)
        with pytest.raises(ModelFileError, match="not a saved predictor"):
            file.load_model(tmp_path / "other.ffp")


def test_a_later_version_says_so() -> None:
    content = bytearray(file.file_bytes(small_model()))
    content[8:12] = (file.VERSION + 1).to_bytes(4, "little")
    content[36:40] = zlib.crc32(content[:36]).to_bytes(4, "little")
    with pytest.raises(ModelFileError, match=f"version {file.VERSION + 1}"):
        file.model_of(bytes(content))


def test_loading_needs_no_library_of_models(tmp_path: Path) -> None:
    file.save_model(small_model(), tmp_path / "small.ffp")
    code = (
        "import sys\n"
        "for name in ('sklearn', 'xgboost', 'lightgbm', 'pandas', 'scipy', 'numba'):\n"
        "    sys.modules[name] = None\n"
        "from fastframe.predict.file import load_model\n"
        f"model, _ = load_model({str(tmp_path / 'small.ffp')!r})\n"
        "print(model.source.model, model.methods['margin'].forest.n_trees)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    assert done.stdout.split() == ["Small", "2"]


# ---- damage ---------------------------------------------------------------------------------------------------------


def parts(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header as a dict, and the bytes after it."""
    _, _, _, n_header, _, _ = file._PREFIX.unpack_from(content)
    return json.loads(content[64 : 64 + n_header]), content[file._aligned(64 + n_header) :]


def sealed(header: Any, body: bytes) -> bytes:
    """A file with right checksums, whatever the header says."""
    text = json.dumps(header, ensure_ascii=False).encode("utf-8", "surrogatepass")
    total = file._aligned(64 + len(text)) + len(body)
    return file.prefix(text, total) + text.ljust(file._aligned(64 + len(text)) - 64, b"\0") + body


def resealed_sections(header: dict[str, Any], body: bytes) -> None:
    """Give the sections of a header the checksums that the body has."""
    offset = 0
    for section in header["sections"]:
        n_bytes = int(np.prod(section[1], dtype=object)) * np.dtype(section[0]).itemsize
        section[2] = zlib.crc32(body[offset : offset + n_bytes])
        offset += file._aligned(n_bytes)


def outcome(content: bytes) -> str:
    """What loading does: only a model, or an error of ours, is right."""
    try:
        model, _ = file.model_of(content)
    except ModelFileError:
        return "refused"
    forest = model.methods["margin"].forest if "margin" in model.methods else None
    if isinstance(forest, Forest):
        forest.validate()
    return "loaded"


def test_every_flipped_byte_is_seen() -> None:
    content = file.file_bytes(small_model())
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << (place % 8)
        assert outcome(bytes(changed)) == "refused", place


def test_cut_extended_and_doubled_files_are_seen() -> None:
    content = file.file_bytes(small_model())
    for length in range(len(content)):
        assert outcome(content[:length]) == "refused"
    for more in (b"\0", bytes(64), content):
        assert outcome(content + more) == "refused"
    assert outcome(content[64:] + content[:64]) == "refused"
    assert outcome(content) == "loaded"


INTERESTING: list[Any] = [
    None, True, -1, 0, 1, 2, 3, 2**31, 2**63, -(2**63), 10**30, 0.5, float("nan"), float("inf"), "", "x", "float64", "Forest", "\ud800", [], {}, [[]],
    {"object": 0}, {"object": 99}, {"object": -1}, {"array": 0}, {"array": 3}, {"map": {}}, {"texts": ["a"], "dtype": "<U1"},
    {"texts": ["a"], "dtype": "<U999999999"},
]  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    out = [at]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        out += places(one, (*at, key))
    return out


def mutated(header: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A header with one value replaced, removed, added or exchanged."""
    copy = json.loads(json.dumps(header))
    everywhere = places(copy)[1:]
    at = rng.choice(everywhere)
    owner = copy
    for key in at[:-1]:
        owner = owner[key]
    action = rng.random()
    if action < 0.5:
        owner[at[-1]] = rng.choice(INTERESTING)
    elif action < 0.65:
        del owner[at[-1]]
    elif action < 0.75 and isinstance(owner, list):
        rng.shuffle(owner)
    elif action < 0.85:
        other = rng.choice(everywhere)
        source: Any = copy
        for key in other:
            source = source[key]
        owner[at[-1]] = json.loads(json.dumps(source))
    elif isinstance(owner[at[-1]], int | float):
        owner[at[-1]] += rng.choice([-1, 1, 1000, 0.5])
    else:
        owner[at[-1]] = [owner[at[-1]]]
    return copy


def test_headers_behind_right_checksums_are_believed_no_more() -> None:
    header, body = parts(file.file_bytes(small_model()))
    rng, outcomes = random.Random(7), []
    for _ in range(3000):
        changed = mutated(header, rng)
        if rng.random() < 0.3:
            changed = mutated(changed, rng)
        outcomes.append(outcome(sealed(changed, body)))
    assert outcomes.count("refused") > 1500 and outcomes.count("loaded") > 50   # some changes are harmless: notes, names, values


def test_arrays_behind_right_checksums_are_believed_no_more() -> None:
    header, body = parts(file.file_bytes(small_model()))
    rng, outcomes = random.Random(11), []
    for _ in range(2000):
        changed, described = bytearray(body), json.loads(json.dumps(header))
        for _ in range(rng.choice([1, 1, 2, 8])):
            changed[rng.randrange(len(changed))] = rng.choice([0, 1, 2, 127, 128, 255, rng.randrange(256)])
        resealed_sections(described, bytes(changed))
        outcomes.append(outcome(sealed(described, bytes(changed))))
    assert outcomes.count("refused") > 300 and outcomes.count("loaded") > 300


def test_a_header_nested_too_deep_is_refused() -> None:
    header, body = parts(file.file_bytes(small_model()))
    for opening, closing in (("[", "]"), ('{"map":{"a":', "}}")):
        text = json.dumps(header).replace('"made by hand"', opening * 100_000 + "1" + closing * 100_000).encode()
        total = file._aligned(64 + len(text)) + len(body)
        assert outcome(file.prefix(text, total) + text.ljust(total - 64 - len(body), b"\0") + body) == "refused"


def test_checks_name_what_is_wrong() -> None:
    header, body = parts(file.file_bytes(small_model()))
    for beside in ([], 3, "x", None):
        with pytest.raises(ModelFileError, match="what it keeps beside the model"):
            file.model_of(sealed(header | {"extra": beside}, body))
    changed = json.loads(json.dumps(header))
    next(one for one in changed["objects"] if one["is"] == "Lookup")["column"] = 0
    with pytest.raises(ModelFileError, match="column 0, which has no categories"):
        file.model_of(sealed(changed, body))
    changed = json.loads(json.dumps(header))
    next(one for one in changed["objects"] if one["is"] == "Step")["name"] = "launch"
    with pytest.raises(ModelError, match="step 'launch'"):
        file.model_of(sealed(changed, body))
