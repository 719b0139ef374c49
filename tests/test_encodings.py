"""Which encoding a text file is in, when it is not UTF-8."""

import io

import pytest

from ozodial.encodings import by_its_start, named, other_than_utf8
from ozodial.errors import FileError, UsageError


def found(content: bytes) -> str:
    return other_than_utf8(io.BytesIO(content), "leads.csv", "utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "José Ünal\n",
        "“Asha” – Rao’s • €5, ½ °\n",
        "Müller, Strauß, Ångström, Œuvre\n",
        "a\n" * 2_000_000 + "café\n",
    ],
)
def test_western_text_is_cp1252(text: str) -> None:
    assert found(text.encode("cp1252")) == "cp1252"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Иван Петров\nМария Сидорова\nАлексей Смирнов\n"),
        ("cp1256", "محمد علي\nأحمد حسن\n"),
        ("shift_jis", "電話,名前\n山田太郎\n鈴木花子\n"),
        ("big5", "電話,姓名\n陳大文\n黃小明 台北\n"),
        ("euc_kr", "전화,이름\n김철수\n이영희\n"),
    ],
)
def test_other_alphabets_are_found(encoding: str, text: str) -> None:
    content = text.encode(encoding)
    assert content.decode(found(content)) == text


def test_a_guess_from_nothing_is_none() -> None:
    with pytest.raises(FileError, match="unknown encoding"):
        found(b"\x81\x8d\x8f,\x90\n")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_is_told_by_its_start(encoding: str) -> None:
    assert by_its_start("Mobile,Name\n".encode(encoding)) == encoding


@pytest.mark.parametrize("name", ["utf-9", "base64", "rot13", "", "a" * 1000, "\0"])
def test_an_encoding_that_there_is_not(name: str) -> None:
    with pytest.raises(UsageError):
        named(name, "here")


def test_an_encoding_by_any_of_its_names() -> None:
    assert named("Latin-1", "here") == named("iso8859-1", "here")
