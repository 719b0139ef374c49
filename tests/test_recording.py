"""The README's picture: drawn from a real run, whole without a network, true to what was sent."""

from pathlib import Path
from xml.etree import ElementTree

from tests.recording import COMMAND, Tape, drawn, record

README = Path(__file__).parent.parent / "README.md"


def test_a_run_is_recorded_and_drawn(tmp_path: Path) -> None:
    pictures = record(tmp_path, pace="3")
    texts = ["\n".join(picture.lines) for picture in pictures]
    assert [COMMAND in text for text in texts] == [True, True, False, False, False]
    assert "Send them? [y/N]" in texts[1]
    assert "203 of 460 rows" in texts[2]
    assert "403 of 460 rows" in texts[3]
    assert "460 rows: 456 accepted, 1 rejected, 3 invalid;" in texts[4]
    svg = drawn(pictures)
    root = ElementTree.fromstring(svg)
    shown = "".join(root.itertext()).replace("\xa0", " ")
    assert "PhoneNumber Added is a DND Number" in shown
    assert not any(word in svg for word in ("url(http", "href", "@import", "<script"))


def test_the_tape_follows_a_screen_that_is_drawn_over() -> None:
    tape = Tape()
    tape.take("old\r\n\x1b[?25lone\x1b[K\r\n\x1b[1mtwo\x1b[0m\x1b[K\r\n\x1b[J")
    assert tape.take("\r\x1b[2A\r\n2\x1b[K\r\n") == ["old", "one", "2", ""]
    assert tape.take("\r\x1b[2A\x1b[K\r\n\x1b[J\x1b[1Aend\r\n") == ["old", "end", ""]


def test_the_readme_opens_with_it() -> None:
    text = README.read_text(encoding="utf-8")
    assert "](sample_data/run.svg)" in text.partition("##")[0]
    assert "python -m tests.recording sample_data/run.svg" in text
    assert (README.parent / "sample_data" / "run.svg").is_file()
