"""The mapping file: the whole recipe for one kind of sheet, in TOML; read, and written by `check`.

In: a path. Out: a `Layout`; or, the other way, a layout and its matched columns as TOML text. Every
unknown key is an error that names the nearest right one. Flags are laid over it by the caller.
"""

import json
import os
import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from ozodial.dates import Dates
from ozodial.encodings import named
from ozodial.errors import UsageError
from ozodial.headers import usual_field
from ozodial.layout import Layout
from ozodial.models import Columns, DateOrder, Field, PhoneForm
from ozodial.shown import one_line, shown

_LARGEST = 1 << 20
_PRIORITY = re.compile(r"[1-9]\d?", re.ASCII)
_TIME = re.compile(r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s*[ap]\.?m\.?)?", re.IGNORECASE)
_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_KEYS = (
    "columns",
    "constants",
    "extra",
    "sheet",
    "encoding",
    "delimiter",
    "date_order",
    "default_time",
    "phone_format",
    "strict",
)

_Value = object


def load_layout(path: str) -> Layout:
    """The recipe in a mapping file; UsageError names what is wrong in it."""
    return _Reader(path).layout(_parsed(path))


def _parsed(path: str) -> Mapping[str, _Value]:
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"The mapping file {path} can't be read: {error.strerror or error}.",
            f"ozodial check FILE --save-map {path}",
        ) from None
    if len(content) > _LARGEST:
        raise UsageError(f"The mapping file {path} is too long to be one.")
    import tomllib

    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"The mapping file {path} is not TOML: {error}.") from None


class _Reader:
    """Reads one mapping file's keys; all its errors name the file and the key."""

    def __init__(self, path: str) -> None:
        self._path = path

    def layout(self, said: Mapping[str, _Value]) -> Layout:
        for name in said:
            if name not in _KEYS:
                self._unknown(name, "", _KEYS)
        columns, last_name = self._columns(self._table(said, "columns"))
        constants = self._constants(self._table(said, "constants"))
        both = sorted(set(columns) & set(constants))
        if both:
            self._wrong(f"{both[0]} stands under [columns] and under [constants]")
        sheet, encoding = self._text(said, "sheet"), self._text(said, "encoding")
        return Layout(
            columns=columns,
            last_name=last_name,
            constants=constants,
            extra=self._extra(said.get("extra", [])),
            sheet=sheet,
            sheet_by_file=sheet is not None,
            encoding=named(encoding, self._where("encoding")) if encoding is not None else None,
            delimiter=self._delimiter(self._text(said, "delimiter")),
            date_order=DateOrder(self._one_of(said, "date_order", list(DateOrder))),
            default_time=self._time(self._text(said, "default_time")),
            phone_form=PhoneForm(self._one_of(said, "phone_format", list(PhoneForm))),
            strict=self._truth(said, "strict"),
        )

    def _columns(self, table: Mapping[str, _Value]) -> tuple[dict[Field, str], str | None]:
        columns: dict[Field, str] = {}
        last_name = None
        for name, value in table.items():
            field = self._field(name, "[columns]")
            parts = value if isinstance(value, list) else [value]
            texts = [part.strip() for part in parts if isinstance(part, str) and part.strip()]
            most = 2 if field is Field.NAME else 1
            if len(texts) != len(parts) or not 1 <= len(texts) <= most:
                form = '"First Name" or ["First Name", "Last Name"]' if most > 1 else '"Mobile No."'
                self._wrong(f"{name} under [columns] must be a header, as {form}")
            if field in columns:
                self._wrong(f"{field} stands twice under [columns]")
            columns[field] = texts[0]
            last_name = texts[1] if len(texts) > 1 else last_name
        return columns, last_name

    def _constants(self, table: Mapping[str, _Value]) -> dict[Field, str]:
        constants: dict[Field, str] = {}
        for name, value in table.items():
            field = self._field(name, "[constants]")
            if isinstance(value, date):
                value = value.isoformat()
            if isinstance(value, bool) or not isinstance(value, str | int):
                self._wrong(f"{name} under [constants] must be a text or a whole number")
            constants[field] = self._constant(field, str(value).strip())
        return constants

    def _constant(self, field: Field, text: str) -> str:
        if field is Field.PHONE:
            self._wrong("PhoneNumber can't be the same for all rows")
        if field is Field.SCHEDULED:
            self._wrong("ScheduledTime is no constant", '--at "tomorrow 10:00"')
        if field is Field.PRIORITY and not _PRIORITY.fullmatch(text):
            self._wrong(f"Priority {shown(text)} must be a whole number from 1 to 99")
        if field is Field.EXPIRY:
            found = Dates(None).read(text)
            if found is None:
                self._wrong(f"ExpiryDate {shown(text)} is not a date", 'ExpiryDate = "2026-12-31"')
            return found
        return text

    def _field(self, name: str, table: str) -> Field:
        found = usual_field(name)
        return found if found is not None else self._unknown(name, f" under {table}", list(Field))

    def _extra(self, value: _Value) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            self._wrong("extra must be a list of headers", 'extra = ["City"]')
        return tuple(value)

    def _delimiter(self, text: str | None) -> str | None:
        delimiter = _DELIMITERS.get(text.lower(), text) if text is not None else None
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0 '):
            self._wrong(f"delimiter {shown(delimiter)} is not one character", 'delimiter = ";"')
        return delimiter

    def _time(self, text: str | None) -> str | None:
        if text is None:
            return None
        read = Dates(None).read(f"2000-01-01 {text}") if _TIME.fullmatch(text) else None
        if read is None:
            self._wrong(f"default_time {shown(text)} is not a time", 'default_time = "10:00"')
        return read[11:]

    def _table(self, said: Mapping[str, _Value], name: str) -> Mapping[str, _Value]:
        value = said.get(name, {})
        if not isinstance(value, dict):
            self._wrong(f"{name} must be a table", f"[{name}]")
        return value

    def _text(self, said: Mapping[str, _Value], name: str) -> str | None:
        value = said.get(name)
        if value is not None and (not isinstance(value, str) or not value):
            self._wrong(f"{name} must be a text", f'{name} = "..."')
        return value

    def _truth(self, said: Mapping[str, _Value], name: str) -> bool:
        value = said.get(name, False)
        if not isinstance(value, bool):
            self._wrong(f"{name} must be true or false")
        return value

    def _one_of(self, said: Mapping[str, _Value], name: str, allowed: list[str]) -> str:
        value = said.get(name, allowed[0])
        if value not in allowed:
            self._wrong(f"{name} must be one of {', '.join(allowed)}, not {shown(str(value))}")
        return str(value)

    def _unknown(self, name: str, where: str, known: list[str] | tuple[str, ...]) -> NoReturn:
        folded = {each.casefold(): str(each) for each in known}
        close = get_close_matches(name.casefold(), folded, 1, 0.5)
        listed = f"known: {', '.join(known)}"
        meant = f"did you mean {folded[close[0]]}?" if close else listed
        self._wrong(f"there is no key {shown(name)}{where}", meant)

    def _wrong(self, what: str, hint: str | None = None) -> NoReturn:
        raise UsageError(f"The mapping file {self._path}: {what}.", hint)

    def _where(self, name: str) -> str:
        return f"The mapping file {self._path}, {name}"


def save_layout(path: Path, layout: Layout, columns: Columns, sheet: str | None) -> None:
    """Write a mapping file with the columns as they were matched; never over another file."""
    text = written(layout, columns, sheet)
    try:
        # "x" follows no link; others may read it, and only its owner change it
        with open(path, "x", encoding="utf-8", newline="\n", opener=_for_all_to_read) as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists already.", "Name another file, or remove it.") from None
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror or error}.") from None


def _for_all_to_read(name: str, flags: int) -> int:
    return os.open(name, flags, 0o644)


def written(layout: Layout, columns: Columns, sheet: str | None) -> str:
    """A mapping file's text; `load_layout` of it gives the same leads."""
    lines = [
        "# How this kind of sheet is read: ozodial schedule FILE --map-file THIS",
        *_pair("sheet", sheet),
        *_pair("encoding", layout.encoding),
        *_pair("delimiter", layout.delimiter),
        f'date_order = "{layout.date_order}"    # {", ".join(DateOrder)}',
        *(_pair("default_time", layout.default_time) or ['# default_time = "10:00"']),
        f'phone_format = "{layout.phone_form}"    # {", ".join(PhoneForm)}',
        f"strict = {str(layout.strict).lower()}    # several phones or an odd name are an error",
        f"extra = [{', '.join(_quoted(name) for name in _extras(columns))}]",
        "",
        "[columns]",
    ]
    for field, index in columns.fields:
        name = _quoted(_header(columns, index))
        if field is Field.NAME and columns.last_name is not None:
            name = f"[{name}, {_quoted(_header(columns, columns.last_name))}]"
        lines.append(f"{field} = {name}")
    lines += ["", "[constants]", *(f"{f} = {_quoted(value)}" for f, value in columns.constants)]
    return "\n".join(lines) + "\n"


def _pair(name: str, value: str | None) -> list[str]:
    return [f"{name} = {_quoted(value)}"] if value is not None else []


def _extras(columns: Columns) -> list[str]:
    return [_header(columns, index) for _, index in columns.extra]


def _header(columns: Columns, index: int) -> str:
    """A column's header, `Phone#2` for the second of that name."""
    names = [one_line(name) for name in columns.header]
    name = names[index]
    same = [place for place, other in enumerate(names) if other == name]
    return name if len(same) == 1 else f"{name}#{same.index(index) + 1}"


def _quoted(text: str) -> str:
    """A TOML string: JSON's, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
