"""What a person said of one kind of sheet, by flags and by the mapping file, in one record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ozodial.models import DateOrder, Field, PhoneForm


@dataclass(frozen=True, slots=True)
class Layout:
    """How a kind of sheet is read and sent.

    `columns` are fields to headers, `last_name` is put behind the column of Name, `constants` have
    one value for all rows. `default_time` is HH:MM:SS. `sheet_by_file`: the sheet was named by the
    mapping file, so it says nothing of a CSV.
    """

    columns: Mapping[Field, str] = field(default_factory=dict)
    last_name: str | None = None
    constants: Mapping[Field, str] = field(default_factory=dict)
    extra: Sequence[str] = ()
    sheet: str | None = None
    sheet_by_file: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    date_order: DateOrder = DateOrder.DMY
    default_time: str | None = None
    phone_form: PhoneForm = PhoneForm.NATIONAL
    strict: bool = False

    def identity(self) -> list[object]:
        """All that shapes what is sent, in a form that JSON takes; equal for equal layouts."""
        return [
            sorted((str(each), column) for each, column in self.columns.items()),
            self.last_name,
            sorted((str(each), value) for each, value in self.constants.items()),
            list(self.extra),
            self.sheet,
            self.encoding,
            self.delimiter,
            str(self.date_order),
            self.default_time,
            str(self.phone_form),
            self.strict,
        ]


PLAIN = Layout()
