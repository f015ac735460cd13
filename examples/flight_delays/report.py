"""report.html: one self-contained page with the table, two charts and the checks."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from flight_delays import charts, task
from flight_delays.checks import Check
from flight_delays.cores import n_threads
from flight_delays.results import Compiled, Extras, Runs, Section

STYLE = """
:root { color-scheme: light dark; --paper: #fdfcfa; --ink: #22252b; --quiet: #6d7380; --line: #e3e0da;
  --pandas: #8b93b5; --polars: #5fa8a0; --fastframe: #e0592a; --good: #2e7d4f; --bad: #c0262d; }
@media (prefers-color-scheme: dark) { :root { --paper: #17191d; --ink: #e7e5e0; --quiet: #9aa0ac; --line: #33363d;
  --pandas: #7d87b3; --polars: #5aa39b; --fastframe: #f0703f; --good: #6cc48f; --bad: #ff7a7a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3rem 1.25rem 4rem; max-width: 54rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.75rem 0 .35rem; }
p { margin: .35rem 0 1rem; max-width: 46rem; }
.lead { font-size: 1.1rem; } .quiet { color: var(--quiet); font-size: .92rem; }
.legend { display: flex; flex-wrap: wrap; gap: 1.25rem; margin: .5rem 0 1rem; font-size: .92rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .45rem; }
i.pandas { background: var(--pandas); } i.polars { background: var(--polars); }
i.fastframe { background: var(--fastframe); }
svg { width: 100%; height: auto; display: block; }
svg text { font-size: 13px; fill: var(--ink); dominant-baseline: central; }
svg .group { text-anchor: end; } svg .total { font-weight: 650; } svg .value { fill: var(--quiet); font-size: 12.5px; }
svg .axis { stroke: var(--line); stroke-width: 1; }
rect.pandas { fill: var(--pandas); } rect.polars { fill: var(--polars); } rect.fastframe { fill: var(--fastframe); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .95rem; }
th, td { padding: .38rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; }
thead th { font-weight: 600; vertical-align: bottom; color: var(--quiet); }
tr.section th { padding-top: 1.4rem; color: var(--ink); } tr.total td { font-weight: 650; }
td.plan { color: var(--quiet); font-size: .88rem; }
ul { list-style: none; padding: 0; margin: .5rem 0; } li { padding: .3rem 0 .3rem 1.6rem; position: relative; }
li::before { content: "\\2713"; position: absolute; left: 0; color: var(--good); font-weight: 700; }
li.failed::before { content: "\\2717"; color: var(--bad); } li.failed { color: var(--bad); }
"""


def page(sections: list[Section], checks: list[Check], runs: Runs, *, extras: Extras, seconds: float) -> str:
    """The whole page."""
    contenders = list(runs)
    frames, models = (section.rows for section in sections)
    memory = [replace(row, title=title) for title, rows in
              (("Frame work, twenty years", frames), ("Models, one year", models)) for row in rows if row.unit == "MiB"]
    times = [row for row in frames if row.unit == "s"]
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Will the flight be late?</title><style>{STYLE}</style></head>
<body>
<h1>Will the flight be late?</h1>
<p class="lead">{escape(_lead(sections, contenders))}</p>
<p class="quiet">Every flight that left New York in 2013, joined with weather, planes, airports and airlines; features
that know earlier days only; models that say whether a flight arrives more than {task.LATE_MINUTES} minutes late. The
frame work also runs on twenty copies of the year, each shifted by 53 weeks.</p>
<h2>Seconds of frame work, twenty years</h2>
{_legend(contenders)}
{charts.grouped_bars(times, contenders, "Seconds of each step by contender")}
<h2>Peak memory above imports</h2>
{_legend(contenders)}
{charts.grouped_bars(memory, contenders, "Peak memory of each contender")}
<h2>Every step</h2>
<div class="scroll">{_table(sections, contenders)}</div>
<h2>A plain Python function, compiled</h2>
<p>It walks through each plane's flights, day after day, and remembers how late they were: pandas calls it in
Python, fastframe compiles it and runs it on all cores. The answers have the same bits.</p>
<div class="scroll">{_lines(extras.own_function.headings, [extras.own_function.cells])}</div>
<h2>The same fitted models, compiled</h2>
<p>Each model by itself and as <code>ff.compile(model)</code> on the same rows; the answers have the same bits.</p>
<div class="scroll">{_lines(Compiled.HEADINGS, [one.cells for one in extras.compiled])}</div>
<h2>Same rows, same values, no leak</h2>
{_checks(checks)}
<h2>How it was measured</h2>
<p class="quiet">{escape(_conditions(runs, seconds))}</p>
</body>
</html>
"""


def _lead(sections: list[Section], contenders: list[str]) -> str:
    """The first sentence: what the first section's totals say."""
    seconds, peak = sections[0].rows[-2:]
    facts = [f"{name} in {seconds.text(name)} with {peak.text(name)}" for name in reversed(contenders)]
    return f"{sections[0].title}: " + ", ".join(facts) + "."


def _legend(contenders: list[str]) -> str:
    entries = [f'<span><i class="{name}"></i>{name}</span>' for name in contenders]
    return f'<div class="legend">{"".join(entries)}</div>'


def _table(sections: list[Section], contenders: list[str]) -> str:
    others = [name for name in contenders if name != "fastframe"] if "fastframe" in contenders else []
    columns = len(contenders) + len(others)
    lines = ["<table><thead><tr><th>Step</th>", *(f"<th>{name}</th>" for name in contenders),
             *(f"<th>{name} /<br>fastframe</th>" for name in others), "</tr></thead><tbody>"]
    for section in sections:
        lines.append(f'<tr class="section"><th colspan="{columns + 1}">{escape(section.title)}</th></tr>')
        for row in section.rows:
            lines.append(f'<tr{" class=total" * row.is_total}><td>{escape(row.title)}</td>')
            lines += [f'<td{" class=plan" * (row.values.get(name) is None)}>{row.text(name)}</td>'
                      for name in contenders]
            lines += [f"<td>{row.ratio(name)}</td>" for name in others]
            lines.append("</tr>")
    return "".join([*lines, "</tbody></table>"])


def _lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["<table><thead><tr>", *(f"<th>{escape(heading)}</th>" for heading in headings), "</tr></thead><tbody>"]
    lines += [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in rows]
    return "".join([*lines, "</tbody></table>"])


def _checks(checks: list[Check]) -> str:
    lines = [f'<li{" class=failed" * (not check.passed)}>{escape(check.contender)}: {escape(check.title)} '
             f'<span class="quiet">({escape(check.seen)})</span></li>' for check in checks]
    return f"<ul>{''.join(lines)}</ul>"


def _conditions(runs: Runs, seconds: float) -> str:
    versions = ", ".join(f"{name} {next(iter(of.values())).version}" for name, of in runs.items())
    return (f"{versions}; Python {platform.python_version()}; {n_threads()} cores, as many threads for each; "
            f"{platform.system()} {platform.machine()}; {dt.date.today():%d %B %Y}. Each contender worked alone, in "
            "fresh processes, one per set; the files were in the page cache. Peak memory is the kernel's high-water "
            "mark of resident memory, less what the process held after its imports. Polars runs reading, joins and "
            "features as one lazy plan. Numbers agree where they are missing in the same rows and differ by at most "
            f"{task.TOLERANCE:g}, relative above 1; names agree exactly. The whole demo took {seconds:.0f} seconds.")
