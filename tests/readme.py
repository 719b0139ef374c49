"""The README as its tests read it: fenced blocks and tables, each with where it stands."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the section that it stands in."""

    section: str
    language: str
    text: str


def blocks(language: str | None = None) -> list[Block]:
    """All fenced blocks, or those of one language, in their order."""
    found, section = [], ""
    for heading, kind, text in re.findall(
        r"^#+ ([^\n]+)$|^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL
    ):
        section = heading or section
        if not heading and language in (None, kind):
            found.append(Block(section, kind, text))
    return found


def table(first: str) -> list[list[str]]:
    """The rows of the table whose first column is headed so; cells without their backticks."""
    heads = [line for line in TEXT.splitlines() if line.startswith(f"| {first} |")]
    assert len(heads) == 1, (first, heads)
    lines = TEXT.split(heads[0], 1)[1].splitlines()[2:]
    rows: list[list[str]] = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line.strip("|"))
        rows.append([cell.replace("\\|", "|").replace("`", "").strip() for cell in cells])
    return rows
