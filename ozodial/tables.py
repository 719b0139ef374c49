"""Tables and styled lines for a terminal: records go in, lines with escape codes come out.

Data is only ever put into `rich.text.Text`, never into markup. Colours are the terminal's own
sixteen, so they suit dark and light, and every colour has its word beside it. Writes nothing.
"""

import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ozodial.blocks import Block
from ozodial.diagnosis import HEALTH_WIDTH, NAME_WIDTH, Diagnosis, Health
from ozodial.models import SettledRow, State
from ozodial.words import clipped, why, width

STYLES = {
    State.ACCEPTED: "green",
    State.QUEUED: "cyan",
    State.REJECTED: "red",
    State.INVALID: "magenta",
    State.DUPLICATE: "blue",
    State.SUPPRESSED: "blue",
    State.ALREADY_ACCEPTED: "green",
    State.UNKNOWN: "bold yellow",
    State.REMOVED: "blue",
    State.READY: "dim",
    State.SENDING: "cyan",
}

HEALTH_STYLES = {Health.OK: "green", Health.WARNING: "bold yellow", Health.FAILED: "bold red"}


class Widths(NamedTuple):
    """Columns of a table of rows; they only grow, so that a live table does not jump."""

    row: int = 3
    phone: int = 10
    name: int = 0
    state: int = 8


class Drawing:
    """Turns renderables into lines of text with escape codes."""

    def __init__(self, no_color: bool = False, unicode: bool = True) -> None:
        self.unicode = unicode
        self._console = Console(
            file=io.StringIO(),
            force_terminal=True,
            color_system="standard",
            no_color=no_color,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={},
        )

    def lines(self, parts: Iterable[RenderableType], columns: int) -> list[str]:
        """The parts one below the other, no line wider than `columns`."""
        self._console.width = columns
        with self._console.capture() as captured:
            for part in parts:
                self._console.print(part)
        text = captured.get()
        if not self.unicode:
            text = text.replace("…", ".")
        return [line.rstrip(" ") for line in text.split("\n")[:-1]]

    def cut(self, text: Text, columns: int) -> Text:
        """One line, cut where the terminal ends."""
        text = text.copy()
        text.truncate(columns, overflow="ellipsis")
        return text


def state_text(state: State | str) -> Text:
    """A state's word in its colour."""
    word = State(state)
    return Text(str(word), style=STYLES[word])


def counts_text(counts: Iterable[tuple[State, int]], separator: str = "   ") -> Text:
    """`438 accepted   2 rejected`, each in its colour."""
    parts = [Text(f"{number} {state}", style=STYLES[state]) for state, number in counts if number]
    return Text(separator).join(parts)


def measured(rows: Iterable[SettledRow], before: Widths, columns: int) -> Widths:
    """Widths that hold these rows too, within the terminal's."""
    number, phone, name, state = before
    for row in rows:
        number = max(number, len(str(row.row)))
        phone = max(phone, min(16, width(clipped(row.phone))))
        name = max(name, min(columns // 5, 30, width(clipped(row.name))))
        state = max(state, len(row.state))
    return Widths(number, phone, name if columns >= 60 else 0, state)


def rows_table(
    rows: Sequence[SettledRow], widths: Widths, fold: bool, header: bool = True
) -> Table:
    """One line a lead: number, phone, name, state and why; `fold` shows long words in full."""
    table = plain_table(header)
    table.add_column("row", justify="right", width=widths.row, no_wrap=True)
    table.add_column("phone", width=widths.phone, no_wrap=True)
    if widths.name:
        table.add_column("name", width=max(4, widths.name), no_wrap=True)
    table.add_column("state", width=widths.state, no_wrap=True)
    table.add_column("why", ratio=1, no_wrap=not fold, overflow="fold" if fold else "ellipsis")
    for row in rows:
        cells = [Text(str(row.row)), Text(clipped(row.phone))]
        if widths.name:
            cells.append(Text(clipped(row.name)))
        table.add_row(*cells, state_text(row.state), Text(why(row.reason, row.message)))
    return table


def plain_table(header: bool = True) -> Table:
    """A table without lines, as wide as the terminal."""
    return Table(
        box=None, show_header=header, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0),
        expand=True,
    )  # fmt: skip


def draw_blocks(blocks: Sequence[Block], columns: int, no_color: bool, unicode: bool) -> list[str]:
    """Blocks as tables; long cells fold, so that nothing is hidden."""
    parts: list[RenderableType] = []
    for block in blocks:
        parts += [Text("")] if parts else []
        parts += [Text(clipped(block.title), "bold")] if block.title else []
        parts += [Text(clipped(line)) for line in block.lines]
        if block.columns:
            parts.append(_block_table(block))
    return Drawing(no_color, unicode).lines(parts, columns)


def _block_table(block: Block) -> Table:
    table = plain_table()
    table.expand = False
    for name in block.columns:
        table.add_column(name, justify="right" if name in block.right else "left", overflow="fold")
    for row in block.rows:
        table.add_row(*(_block_cell(cell) for cell in row))
    return table


def _block_cell(cell: str) -> Text:
    return state_text(cell) if isinstance(cell, State) else Text(clipped(cell))


def draw_diagnosis(found: Diagnosis, columns: int, no_color: bool, unicode: bool) -> list[str]:
    """One line of `doctor`, its sentence folded beside its name."""
    table = plain_table(header=False)
    table.add_column(width=HEALTH_WIDTH, no_wrap=True)
    table.add_column(width=NAME_WIDTH, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.padding = (0, 1, 0, 0)
    health = Text(str(found.health), HEALTH_STYLES[found.health])
    table.add_row(health, Text(found.name), Text(clipped(found.message)))
    if found.hint:
        table.add_row("", "", Text(f"next: {clipped(found.hint)}", "bold"))
    return Drawing(no_color, unicode).lines([table], columns)
