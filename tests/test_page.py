"""The report of a run, opened in a real browser without a network."""

import csv
import os
import re
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from ozodial.charts import Sent, pauses, per_minute
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, sheet

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
EVIL = "</td><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
DND = "9855501555"
"""The simulator refuses it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no chromium on this machine to open the report in")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def report(desk: Desk, vendor: ServerHandle) -> Path:
    """The report of a run with an answer lost, bad rows, and names that are scripts."""
    tomorrow = datetime.now(ZoneInfo("Asia/Kolkata")) + timedelta(days=1)
    with (desk.home / "<i>leads&.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Mobile", "Name", "Call Time"])
        for i in range(250):
            time = tomorrow.replace(hour=10 + i % 8, minute=30) + timedelta(days=i % 3)
            table.writerow([9_800_100_000 + i * 7, f"Lead {i}", f"{time:%Y-%m-%d %H:%M}"])
        for phone, name in (
            ("98765", EVIL),
            (DND, EVIL),
            ("12\u202e34", "Neil"),
            ("7", "Ångström"),
        ):
            table.writerow([phone, name, f"{tomorrow:%Y-%m-%d} 10:00"])
    vendor.sandbox.misbehave("cut-after@2")
    words = ("--campaign", "<b>Diwali</b>", "--pace", "0")
    assert desk.run("schedule", "<i>leads&.csv", *words).code == 5
    done = desk.run("runs", "report", "1", "out.html")
    assert (done.code, done.out) == (0, ""), done.err
    return desk.home / "out.html"


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Page]:
    """The report in a window, offline; it has nothing to say on its console."""
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    page, said = context.new_page(), list[str]()
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    yield page
    assert said == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    context.close()


def shown(page: Page) -> list[str]:
    """The row numbers in the table, as a person sees them."""
    cells = page.locator("#problems tbody tr:visible td:first-child")
    return cells.all_inner_texts()


def test_the_numbers_are_the_ledgers(opened: Page, desk: Desk) -> None:
    (run,) = desk.run("runs", "show", "1", "--json").of("run")
    told = dict[str, str]()
    for card in opened.locator(".cards li").all():
        number, _, words = card.inner_text().partition("\n")
        told[words] = number
    for state in ("rows", "accepted", "rejected", "invalid", "unknown"):
        assert told[state] == str(run[state]), state
    assert told["requests"] == "3"
    assert opened.locator("#problems tbody tr").count() == 104 == len(shown(opened))
    assert "ozodial resume 1 --resend-unknown" in opened.locator(".next").inner_text()
    pieces = opened.locator(".bar rect").all()
    assert len(pieces) == 4
    assert sum(float(piece.get_attribute("width") or 0) for piece in pieces) == pytest.approx(1000)


def test_charts_and_reasons_are_there(opened: Page) -> None:
    images = opened.locator("img")
    assert images.count() == 2
    assert images.evaluate_all("all => all.every((image) => image.naturalWidth > 0)")
    notes = images.evaluate_all("all => all.map((image) => image.alt)")
    assert "151 leads answered in 3 requests" in notes[0]
    assert "250 leads from " in notes[1]
    first = opened.locator(".reasons tbody tr").first.inner_text()
    assert first.split("\t")[0].strip() == "100"
    assert "no answer" in first
    assert "ozodial resume 1 --resend-unknown" in first


def test_a_script_in_a_name_is_a_name(opened: Page) -> None:
    assert opened.title() == "Run 1: <i>leads&.csv"
    assert opened.evaluate("document.scripts.length") == 1
    assert opened.locator("#problems img, #problems script, header i").count() == 0
    assert opened.locator("#problems td", has_text=EVIL).count() == 2
    assert "<b>Diwali</b>" in opened.locator("header").inner_text()
    assert "12\\u202e34" in opened.locator("#problems").inner_text()
    assert "\u202e" not in opened.content()


def test_the_policy_lets_nothing_run_or_be_fetched(browser: Browser, report: Path) -> None:
    """Even if a text got in unescaped."""
    text = report.read_text(encoding="utf-8")
    report.write_text(text.replace("<footer>", f"<footer>{EVIL}<style>h1{{display:none}}</style>"))
    page = browser.new_page()
    page.goto(report.as_uri())
    assert page.title() == "Run 1: <i>leads&.csv"
    assert page.locator("h1").is_visible()
    page.close()


def test_the_table_can_be_searched(opened: Page) -> None:
    search = opened.locator("#search")
    search.fill("ångström")
    assert shown(opened) == ["255"]
    assert opened.locator("#found").inner_text() == "1 of 104 rows"
    search.fill("98555 01555")
    assert shown(opened) == ["253"]
    search.fill("invalid phone")
    assert shown(opened) == ["252", "254", "255"]
    search.fill("nobody at all")
    assert shown(opened) == []
    search.fill("")
    assert len(shown(opened)) == 104


def test_the_table_can_be_sorted(opened: Page) -> None:
    by_row = opened.get_by_role("button", name="row")
    by_row.click()
    assert shown(opened) == sorted(shown(opened), key=int)
    by_row.click()
    assert shown(opened) == sorted(shown(opened), key=int, reverse=True)
    assert opened.locator("th[aria-sort=descending]").inner_text() == "row"
    opened.get_by_role("button", name="state").press("Enter")
    states = opened.locator("#problems tbody td:nth-child(4)").all_inner_texts()
    assert states == sorted(states)


def test_it_fits_a_phone(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 740})
    assert opened.evaluate("document.documentElement.scrollWidth") == 360
    narrow = opened.locator("img").first
    assert narrow.evaluate("image => image.currentSrc !== image.src")
    assert opened.get_by_role("button", name="reason").is_visible()
    opened.locator("#search").fill("Ångström")
    assert shown(opened) == ["255"]


def test_it_prints_with_everything_open(opened: Page) -> None:
    opened.emulate_media(media="print")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.locator("details td", has_text="Asia/Kolkata").is_visible()
    assert not opened.locator("#search").is_visible()
    assert opened.pdf(format="A4").startswith(b"%PDF")


def test_it_is_one_private_file_that_refers_to_nothing(report: Path) -> None:
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text(encoding="utf-8")
    places = re.findall(r"(?:src|href|srcset|action)=\"(.{0,12})", text)
    assert places == ["data:image/s"] * 4
    assert "k-3141592653" not in text


def test_a_report_is_written_again_but_over_nothing_else(report: Path, desk: Desk) -> None:
    assert desk.run("runs", "report", "1", "out.html").code == 0
    other = desk.write("mine.html", "<h1>mine</h1>")
    refused = desk.run("runs", "report", "1", "mine.html")
    assert (refused.code, other.read_text()) == (2, "<h1>mine</h1>")
    assert "next: name mine-ozodial.html" in refused.err
    assert "next: name the file out.html" in desk.run("runs", "report", "1", "out.pdf").err
    assert desk.run("runs", "report", "7", "new.html").code == 2
    assert not (desk.home / "new.html").exists()


def test_a_run_that_sent_nothing_and_one_that_was_purged_have_a_report(desk: Desk) -> None:
    desk.run("bulk-add", desk.write("leads.csv", "Mobile,Name\n12,Asha Bad\n"))
    assert desk.run("runs", "report", "1", "out.html").code == 0
    text = (desk.home / "out.html").read_text()
    assert "Asha Bad" in text
    assert "<img" not in text
    desk.run("runs", "purge", "--older-than", "0h")
    assert desk.run("runs", "report", "1", "out.html").code == 0
    text = (desk.home / "out.html").read_text()
    assert "Asha Bad" not in text
    assert "were removed by" in text
    assert "phone invalid" in text


def test_a_missing_package_is_a_sentence(desk: Desk) -> None:
    for package in ("jinja2", "matplotlib"):
        hidden = desk.home / f"no-{package}" / package
        hidden.mkdir(parents=True)
        (hidden / "__init__.py").write_text(f"raise ImportError('hidden', name={package!r})\n")
        desk.run("bulk-add", desk.write("leads.csv", sheet(1)))
        done = desk.run("runs", "report", "1", "out.html", PYTHONPATH=str(hidden.parent))
        assert done.code == 2
        assert f"not installed ({package})" in done.err
        assert "next: pip install 'ozodial[report]'" in done.err


# --- what the speed chart shows ---

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def sent(begin: float, seconds: float, rows: int, ok: bool = True, resumed: bool = False) -> Sent:
    at = START + timedelta(seconds=begin)
    return Sent(at, at + timedelta(seconds=seconds), rows, ok, resumed)


def test_leads_count_in_the_minute_of_their_answer() -> None:
    requests = [sent(0, 2, 200), sent(32, 2, 200), sent(58, 4, 200), sent(90, 60, 200, ok=False)]
    bars, width = per_minute(requests)
    assert width == timedelta(minutes=1)
    assert bars == [(START, 400), (START + timedelta(minutes=1), 200)]


def test_a_long_run_has_wider_bars_of_the_same_unit() -> None:
    requests = [sent(30 * i, 1, 200) for i in range(480)]  # four hours
    bars, width = per_minute(requests)
    assert width == timedelta(minutes=2)
    assert {rate for _, rate in bars[:-1]} == {400}
    assert sum(rate * 2 for rate in (rate for _, rate in bars)) == 480 * 200


def test_waits_lie_between_requests_and_overlap_none() -> None:
    requests = [sent(0, 10, 1), sent(2, 3, 1), sent(40, 1, 1), sent(41.5, 1, 1)]
    requests.append(sent(7200, 1, 1, resumed=True))
    assert [(begin - START, end - START, ran) for begin, end, ran in pauses(requests)] == [
        (timedelta(seconds=10), timedelta(seconds=40), False),
        (timedelta(seconds=42.5), timedelta(seconds=7200), True),
    ]
