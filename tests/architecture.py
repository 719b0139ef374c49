"""The rooms as a picture, drawn from the code's own imports: `python -m tests.architecture OUT`.

Which room belongs to which group is said here; who stands on whom is read from the code. An arrow
that can be reached by others is left out, so that the way down stays visible.
"""

import sys
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tests.test_layout import modules, own

PICTURE = Path(__file__).parents[1] / "sample_data" / "rooms.svg"


@dataclass(frozen=True)
class Group:
    """Rooms that are one thing to whoever looks from afar; where its box stands."""

    title: str
    says: str
    left: int
    right: int
    row: int
    rooms: str

    @property
    def names(self) -> list[str]:
        """Its modules."""
        return self.rooms.split()


GROUPS = (
    Group("command line", "options in, exit code out", 420, 840, 0,
          "__main__ cli cli_runs cli_tools cli_shared options typed completing"),
    Group("commands", "one call each", 250, 1000, 1,
          "commands checking looking undoing importing archive ledgers login prompting templates "
          "working doctor opening outlets origins timing signals asking runpage "
          "confirm"),
    Group("doctor", "each look of `doctor`", 720, 960, 2, "checkup health inquiring"),
    Group("a run", "joins the steps, tells events", 260, 710, 3,
          "upload crew sending telling undo remover tokens throttle limits callbacks settling "
          "pacing batching shift reacting"),
    Group("a file's rows", "file -> rows with a state", 20, 300, 4,
          "prepare judging turns dedupe leavings findings storing"),
    Group("columns", "headers -> our fields", 20, 280, 5,
          "mapping headers headrows mapfile layout"),
    Group("the ledger", "SQLite or PostgreSQL; one transaction a fact", 310, 650, 5,
          "ledger staging writing claims sorting keys holders marking history removals purging "
          "upkeep owners slots sifting lasting joining database postgres schema"),
    Group("checking", "row -> lead, or why not", 20, 240, 6,
          "validate bulk phones numbering dates appointed misdated "
          "spread moments"),
    Group("showing", "events -> screens, lines, files", 290, 570, 6,
          "render live plain jsonl screen tables painter progress report logfile notify page "
          "charts export template stories plans diagnosis blocks events words streams fixes"),
    Group("a request", "batch -> outcomes", 595, 775, 6,
          "client interpret body answers matching campaigns"),
    Group("settings", "flag > env > profile", 795, 960, 6,
          "settings configfile profiles keystore"),
    Group("the simulator", "the vendor, on loopback", 980, 1220, 6,
          "sandbox sandbox_answers sandbox_app sandbox_callbacks sandbox_calls sandbox_campaigns "
          "sandbox_deletes sandbox_door sandbox_faults sandbox_memory sandbox_phones "
          "sandbox_server sandbox_texts sandbox_vendor sandbox_wire sandbox_world"),
    Group("reading", "CSV, workbooks -> rows of text", 150, 420, 7,
          "reader delimited quotes encodings workbook biff sheetxml "
          "sheetcells odsxml xlsbin xmlparts unpacking"),
    Group("the vendor's calls", "each endpoint as data", 560, 800, 7, "endpoints deletes address"),
    Group("records", "what passes between", 250, 900, 8,
          "models replies errors clock ages hours fillers formula shown places outfile"),
)  # fmt: skip

_LINE, _HEAD, _GAP, _LETTER, _WIDTH = 15, 42, 34, 6.7, 1240
_STYLE = (
    "text { font: 11px ui-monospace, Menlo, Consolas, monospace; fill: #333 } "
    ".title { font: bold 15px system-ui, sans-serif; fill: #123 } "
    ".says { font: italic 12px system-ui, sans-serif; fill: #567 } "
    "rect { fill: #f4f8fb; stroke: #7a99ac } .sheet { fill: #fff; stroke: none } "
    "path { fill: none; stroke: #5b7d92; stroke-width: 1.5 } marker path { fill: #5b7d92 }"
)


def group_of() -> dict[str, Group]:
    """Room -> its group."""
    return {room: group for group in GROUPS for room in group.names}


def stands_on() -> dict[str, set[str]]:
    """Group -> the groups whose rooms its rooms import, by title."""
    groups = group_of()
    found: dict[str, set[str]] = {group.title: set() for group in GROUPS}
    for name, tree in modules():
        if name == "__init__":
            continue
        mine = groups[name].title
        found[mine] |= {groups[used].title for used in own(tree) if used in groups}
        found[mine] -= {mine}
    return found


def arrows() -> list[tuple[Group, Group]]:
    """From a group to those it stands on, without what others lead to anyway."""
    on = stands_on()
    titles = {group.title: group for group in GROUPS}

    def below(title: str) -> set[str]:
        return on[title].union(*map(below, on[title]))

    return [
        (titles[upper], titles[lower])
        for upper in titles
        for lower in titles
        if lower in on[upper] and not any(lower in below(other) for other in on[upper] - {lower})
    ]


def drawn() -> str:
    """The picture as SVG."""
    tops, top = [], _GAP // 2
    for row in range(max(group.row for group in GROUPS) + 1):
        tops.append(top)
        top += max(_height(group) for group in GROUPS if group.row == row) + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img">',
        "<title>The rooms of ozodial and what they stand on</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>',
        f'<rect class="sheet" width="{_WIDTH}" height="{top}"/>',
        *(_arrow(upper, lower, tops) for upper, lower in arrows()),
        *(line for group in GROUPS for line in _box(group, tops[group.row])),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _lines(group: Group) -> list[str]:
    return textwrap.wrap("  ".join(group.names), int((group.right - group.left - 24) / _LETTER))


def _height(group: Group) -> int:
    return _HEAD + _LINE * len(_lines(group)) + 6


def _box(group: Group, top: int) -> list[str]:
    width, x = group.right - group.left, group.left + 12
    return [
        f'<rect x="{group.left}" y="{top}" width="{width}" height="{_height(group)}" rx="6"/>',
        f'<text class="title" x="{x}" y="{top + 19}">{escape(group.title)}</text>',
        f'<text class="says" x="{x}" y="{top + 35}">{escape(group.says)}</text>',
        *(
            _text(line, x, top + _HEAD + 10 + _LINE * number)
            for number, line in enumerate(_lines(group))
        ),
    ]


def _text(line: str, x: int, y: int) -> str:
    return f'<text x="{x}" y="{y}" xml:space="preserve">{line}</text>'


def _arrow(upper: Group, lower: Group, tops: list[int]) -> str:
    """Straight down where the boxes let it, else a curve between the rows."""
    centre = (lower.left + lower.right) // 2
    start = min(max(centre, upper.left + 18), upper.right - 18)
    end = min(max(start, lower.left + 18), lower.right - 18)
    begin, stop = tops[upper.row] + _height(upper), tops[lower.row] - 2
    bend = max(begin, stop - 2 * _GAP)
    return (
        f'<path d="M{start} {begin}V{bend}C{start} {stop - 6} {end} {bend} {end} {stop}" '
        'marker-end="url(#tip)"/>'
    )


def main() -> None:
    """Write the picture to the file that is named, or where it belongs."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    out.write_text(drawn(), encoding="utf-8")


if __name__ == "__main__":
    main()
