"""A run as one HTML page that needs nothing beside itself: a `Page` in, a file out.

jinja2 (an extra) escapes every text; on top of that the page's own policy lets no script or style
run but its own two, and nothing be fetched. Texts from outside are made harmless, as on a screen.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ozodial.charts import Chart
from ozodial.errors import UsageError
from ozodial.outfile import check_place, is_ours, written_whole
from ozodial.words import clipped

_MARK = b'<meta name="generator" content="ozodial">'
_MARK_WITHIN = 2_000

Cells = Mapping[str, str | int | float]
"""One line of a table by the names that the template has for its columns."""


@dataclass(frozen=True, slots=True)
class Page:
    """All that stands on the page; every text as it is told to a person, not yet escaped.

    `pieces` are the outcome bar: x and width out of 1000. `more_problems` are the rows left out.
    """

    run: int
    file: str
    what: str
    campaign: str
    account: str
    created: str
    timezone: str
    state: str
    next: str
    rows: int
    told: str
    took: str
    counts: Sequence[Cells]
    pieces: Sequence[Cells]
    reasons: Sequence[Cells]
    problems: Sequence[Cells]
    more_problems: int
    requests: Sequence[Cells]
    settings: Sequence[tuple[str, str, str]]
    speed: Chart | None
    speed_note: str
    hours: Chart | None
    hours_note: str
    purged: str
    version: str
    written: str


def check_page(path: Path) -> None:
    """UsageError if the page can't be written to `path`, or made at all."""
    if path.suffix.lower() not in (".html", ".htm"):
        hint = f"name the file {path.with_suffix('.html')}"
        raise UsageError(f"{path}: a report is an .html file", hint)
    check_place(path, "report.html")
    if not is_ours(path, _is_page):
        other = path.with_stem(f"{path.stem}-ozodial")
        raise UsageError(f"{path} exists and is no report of ozodial's.", f"name {other}")
    try:
        import jinja2
        import matplotlib
    except ImportError as error:
        said = f"A report needs a package that is not installed ({error.name})."
        raise UsageError(said, "pip install 'ozodial[report]'") from error
    del jinja2, matplotlib


def write_page(path: Path, page: Page) -> None:
    """Write the page, whole or not at all, readable by its owner alone."""
    check_page(path)
    with written_whole(path) as temporary:
        temporary.write_text(html_of(page), encoding="utf-8", errors="replace", newline="\n")


def html_of(page: Page) -> str:
    """The page's text."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_harmless
    )
    environment.filters["number"] = lambda number: f"{number:,}"
    environment.filters["data_url"] = _data_url
    style, script = _part("page.css"), _part("page.js")
    template = environment.from_string(_part("page.html.j2"))
    return template.render(
        page=page,
        style=_trusted(style),
        script=_trusted(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _harmless(value: object) -> object:
    """Text of ours stays; text from outside loses what would turn or hide the text around it."""
    return clipped(value) if type(value) is str else value


def _trusted(text: str) -> object:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own file


def _data_url(svg: str) -> object:
    return _trusted("data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii"))


def _hash(text: str) -> object:
    digest = hashlib.sha256(text.encode()).digest()
    return _trusted(f"sha256-{base64.b64encode(digest).decode('ascii')}")


def _part(name: str) -> str:
    return resources.files("ozodial").joinpath(name).read_text(encoding="utf-8")


def _is_page(path: Path) -> bool:
    with path.open("rb") as file:
        return _MARK in file.read(_MARK_WITHIN)
