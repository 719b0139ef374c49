"""What reading a file showed beside its rows: said to a person, changes nothing.

In: what the steps came across, in bounded memory. Out: sentences: which sheet was taken, how the
text was read, rows that are no leads, numbers and names that were not sent as they stood, cells of
a suppression list that nobody could read.
"""

from ozodial.dedupe import Suppressed
from ozodial.delimited import Shape
from ozodial.leavings import Leaving
from ozodial.models import Row
from ozodial.reader import Sheet
from ozodial.shown import shown

SHOWN = 20
_EXAMPLES = 3


class Findings:
    """Collected while the rows are read; `notes` are the first sentences about rows."""

    def __init__(self, sheet: Sheet, shape: Shape | None, lists: Suppressed) -> None:
        self._sheet = sheet
        self._shape = shape
        self._lists = lists
        self.start_again()

    def start_again(self) -> None:
        """The rows are read from their beginning."""
        self.notes: list[str] = []
        self.noted_rows = 0
        self.closed = False
        self.left_out_rows = 0
        self._first_left_out = 0
        self._passed: list[str] = []
        self._passed_rows = 0

    def noted(self, note: str) -> None:
        """A lead is sent otherwise than its cells say; the note begins with the cell."""
        if self.closed:
            return
        self.noted_rows += 1
        if len(self.notes) < SHOWN:
            self.notes.append(note)

    def passed_over(self, row: Row, leaving: Leaving) -> None:
        """A row is no lead."""
        self._passed_rows += 1
        if len(self._passed) < _EXAMPLES:
            text = next((cell.strip() for cell in row.cells if cell.strip()), "")
            self._passed.append(f"row {row.number} {shown(text)} is {leaving}")

    def left_out(self, number: int) -> None:
        """A row stays out of the run because there are leads enough."""
        self.left_out_rows += 1
        self._first_left_out = self._first_left_out or number

    def about_file(self) -> list[str]:
        """What is to be said about the file as a whole, once its rows are read."""
        return [said for said, _ in self._about()]

    def notices(self) -> list[tuple[str, str]]:
        """All of it in few sentences, for a run; with the end of each that quotes cells."""
        said = self._about()
        if self.noted_rows:
            rows = "row is" if self.noted_rows == 1 else "rows are"
            such = "; ".join(self.notes[:_EXAMPLES])
            said.append((f"{self.noted_rows:,} {rows} sent with a remark: {such}", such))
        return said

    def _about(self) -> list[tuple[str, str]]:
        said = [*self._about_sheet(), *self._about_text(), *self._about_left_out()]
        unquoted = [(sentence, "") for sentence in said]
        lists = [(sentence, "") for sentence in self._lists.said]
        return [*unquoted, *self._about_passed_over(), *lists]

    def _about_sheet(self) -> list[str]:
        name, told = self._sheet.name, self._sheet.told
        said = []
        if name is not None and told.others:
            others = ", ".join(map(shown, told.others[:_EXAMPLES]))
            more = len(told.others) - _EXAMPLES
            others += f" and {more:,} more" if more > 0 else ""
            said.append(f"sheet {shown(name)} was taken, not {others} (--sheet NAME)")
        elif name is not None:
            said.append(f"sheet {shown(name)} was taken")
        if told.hidden_rows:
            rows = "hidden row was" if told.hidden_rows == 1 else "hidden rows were"
            said.append(f"{told.hidden_rows:,} {rows} read like all others")
        return said

    def _about_text(self) -> list[str]:
        if self._shape is None or not self._shape.guessed:
            return []
        return [
            f"the text is not UTF-8; that it is {self._shape.encoding} is a guess: if names look "
            'wrong, put encoding = "…" into a mapping file (--map-file)'
        ]

    def _about_left_out(self) -> list[str]:
        if not self.left_out_rows:
            return []
        rows = "1 row stays" if self.left_out_rows == 1 else f"{self.left_out_rows:,} rows stay"
        return [
            f"{rows} out of this run, from row {self._first_left_out} on: "
            "the same command without --limit sends them"
        ]

    def _about_passed_over(self) -> list[tuple[str, str]]:
        if not self._passed_rows:
            return []
        more = self._passed_rows - len(self._passed)
        such = ", ".join(self._passed) + (f", and {more:,} more" if more else "")
        return [(f"passed over as no leads: {such}", such)]
