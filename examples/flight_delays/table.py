"""The table and the checks on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from flight_delays.checks import Check
from flight_delays.results import Compiled, Extras, Section


def show(console: Console, sections: list[Section], contenders: list[str], extras: Extras, checks: list[Check]) -> None:
    """Print the sections as one table, the function of one's own and the compiled models as two more, then one line per check."""
    table = Table(title="The same work, each contender in a process of its own")
    table.add_column("Step")
    for name in contenders:
        table.add_column(name, justify="right", style="bold" if name == "fastframe" else "")
    others = [name for name in contenders if name != "fastframe"] if "fastframe" in contenders else []
    for name in others:
        table.add_column(f"{name} /\nfastframe", justify="right")
    for section in sections:
        table.add_section()
        table.add_row(section.title, style="bold")
        for row in section.rows:
            cells = [row.text(name) for name in contenders] + [row.ratio(name) for name in others]
            table.add_row(f"  {row.title}", *cells, style="bold" if row.is_total else "")
    console.print(table)
    own = Table(title="A plain Python function, compiled")
    for place, heading in enumerate(extras.own_function.headings):
        own.add_column(heading, justify="right" if place else "left")
    own.add_row(*extras.own_function.cells)
    console.print(own)
    models = Table(title="The same fitted models, compiled")
    for place, heading in enumerate(Compiled.HEADINGS):
        models.add_column(heading, justify="right" if place else "left")
    for one in extras.compiled:
        models.add_row(*one.cells)
    console.print(models)
    for check in checks:
        mark = "[green]ok[/]" if check.passed else "[bold red]NOT OK[/]"
        console.print(f"{mark} [bold]{check.contender}[/]: {check.title} ({check.seen})", highlight=False)
