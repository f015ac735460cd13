"""One cold answer, or one import, in a process that has imported nothing yet; prints its seconds as JSON.

Started by file name, so that no package of the benchmarks is imported before the clock starts:

    python fresh_process.py import fastframe
    python fresh_process.py answer '{"contender": "polars", "question": "c1", "files": {...}, ...}'
"""

import sys
import time

START = time.perf_counter()
LIBRARY = {"fastframe": "fastframe", "pandas": "pandas", "polars": "polars", "polars-streaming": "polars", "duckdb": "duckdb"}


def time_import(module: str) -> dict[str, float]:
    """Seconds of ``import module`` alone, and after numpy and pyarrow, which fastframe builds on, were imported."""
    import numpy  # noqa: F401
    import pyarrow  # noqa: F401

    base = time.perf_counter()
    __import__(module)
    return {"after numpy and pyarrow": time.perf_counter() - base, "all": time.perf_counter() - START}


def time_answer(task: dict) -> dict[str, float]:
    """Seconds of the import and of the question; writes the answer's digest after the clock has stopped."""
    name = task["contender"]
    library = __import__(LIBRARY[name])
    imported = time.perf_counter()
    sys.path.insert(0, task["root"])
    from types import SimpleNamespace

    from asv_benchmarks.questions.cold import FAMILY

    question = FAMILY.by_name[task["question"]]
    data = SimpleNamespace(**task["files"])
    ready = time.perf_counter()        # looking the question up is nobody's time
    if name == "duckdb":
        data.connection = library.connect()
        data.connection.execute(f"set threads = {task['threads']}")
        for table, path in task["files"].items():
            data.connection.execute(f"create view {table} as select * from read_parquet('{path}')")
        data.connection.execute(f"create table answer as {question.answers['duckdb']}")
        answer = "answer"
    elif LIBRARY[name] == "polars":
        answer = question.answers["polars"](data).collect(engine="streaming" if name == "polars-streaming" else "in-memory")
    else:
        answer = question.answers[name](data)
    done = time.perf_counter()
    _write_digest(task, question, answer, data)
    return {"import": imported - START, "answer": done - ready, "all": imported - START + done - ready}


def _write_digest(task: dict, question: object, answer: object, data: object) -> None:
    import pyarrow.feather as feather

    from asv_benchmarks import agreement
    from asv_benchmarks.contenders import CONTENDERS

    table = CONTENDERS[task["contender"]].to_arrow(answer, data)
    feather.write_feather(agreement.digest(table, question), task["digest"], compression="uncompressed")    # type: ignore[arg-type]


if __name__ == "__main__":
    import json

    START = time.perf_counter()
    print(json.dumps(time_import(sys.argv[2]) if sys.argv[1] == "import" else time_answer(json.loads(sys.argv[2]))))
