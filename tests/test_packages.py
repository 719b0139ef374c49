"""The wheel and the sdist: what they hold, and that the same tree always gives the same bytes.

`python -m tests.packaging` installs them on every Python at hand and runs the tests there.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ozodial"
pytestmark = pytest.mark.skipif(not PACKAGE.exists(), reason="the tests of an installed wheel")


def build(folder: Path, umask: int, modified: float) -> Path:
    """Both packages from a copy of the tree, as another person's clone would be."""
    tree, out = folder / "a tree", folder / "out"
    shutil.copytree(ROOT / "ozodial", tree / "ozodial")
    left_out = shutil.ignore_patterns("__pycache__")
    for path in ROOT.iterdir():
        if path.name in ("tests", "sample_data", ".ci"):
            shutil.copytree(path, tree / path.name, ignore=left_out)
        elif path.is_file() and path.suffix in ("", ".md", ".toml") and path.name != ".git":
            shutil.copy(path, tree)
    for path in tree.rglob("*"):
        os.utime(path, (modified, modified))
        path.chmod((0o777 if path.is_dir() or os.access(path, os.X_OK) else 0o666) & ~umask)
    environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("one"), 0o022, 1_600_000_000)


def wheel(dist: Path) -> zipfile.ZipFile:
    (path,) = dist.glob("*.whl")
    return zipfile.ZipFile(path)


def test_two_trees_give_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    again = build(tmp_path, 0o077, 1_700_000_000)
    names = sorted(path.name for path in dist.iterdir())
    assert len(names) == 2
    for name in names:
        assert (dist / name).read_bytes() == (again / name).read_bytes(), name


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(dist: Path) -> None:
    package = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"ozodial/py.typed", "ozodial/page.html.j2", "ozodial/page.css"} <= package
    with wheel(dist) as archive:
        names = set(archive.namelist())
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == package
    wanted = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    assert {name.split("/", 1)[1] for name in about} == wanted


def test_the_wheel_says_what_it_is(dist: Path) -> None:
    with wheel(dist) as archive:
        (folder,) = {n.split("/")[0] for n in archive.namelist() if ".dist-info/" in n}
        said = message_from_bytes(archive.read(f"{folder}/METADATA"))
        entries = archive.read(f"{folder}/entry_points.txt").decode()
        licence = archive.read(f"{folder}/licenses/LICENSE")
    assert (said["Name"], said["License-Expression"]) == ("ozodial", "MIT")
    assert said["Version"] in folder
    assert entries == "[console_scripts]\nozodial = ozodial.__main__:main\n"
    assert licence == (ROOT / "LICENSE").read_bytes()
    lowest = said["Requires-Python"].removeprefix(">=")
    assert f"Programming Language :: Python :: {lowest}" in said.get_all("Classifier", [])


def test_the_sdist_holds_all_that_its_tests_read(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        files = {
            member.name.split("/", 1)[1]: member
            for member in archive.getmembers()
            if member.isfile()
        }
    for top in ("ozodial", "tests", "sample_data", ".ci"):
        for inside in (ROOT / top).rglob("*"):
            if inside.is_file() and "__pycache__" not in inside.parts:
                assert str(inside.relative_to(ROOT)) in files, inside
    for name in ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY"):
        assert f"{name}.md" in files
    assert {"LICENSE", "pyproject.toml", "PKG-INFO"} <= set(files)
    assert files[".ci/run"].mode & 0o111
    assert not [name for name in files if name.endswith((".pyc", ".db"))]
