"""What a release would be: built, checked, installed and tested as its users get it.

    python -m tests.packaging DIR [--python PATH]... [--dist DIST] [--no-tests]
        [--pytest WORDS] [--image TOOL [--image-build WORDS]]

DIR gets what is made. Both packages are built from two clones, at different times, and must be the
same bytes. Every Python given (by default all that uv finds and the project takes) gets an empty
environment with the wheel alone, which does the README's job, and one with all extras in their
newest versions, where the tests of the sdist run without the package beside them; the lowest gets
the lowest versions that pyproject.toml allows, too. `--dist` takes packages that are built already.
`--image buildah` (podman, docker) builds the container and looks whom it runs as. Ends with 1 if
anything was not as it should be. It asks PyPI for `build`, `twine`, `uv` and `pipx`.
"""

import argparse
import filecmp
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = ("build", "twine", "uv", "pipx")
JOB = 'schedule sample_data/leads.csv --at "tomorrow 10:00" --sandbox --yes'
IMAGE = "localhost/ozodial"
IN_THE_IMAGE = """
test "$(id -u)" = 10001 && test ! -w /opt/ozodial && test -w "$HOME" && ozodial --version &&
printf 'Mobile,Name\\n9876543210,Asha\\n' | ozodial bulk-add - --sandbox &&
OZODIAL_USER_NAME=asha ozodial runs && ls -l "$HOME"
"""


class Log:
    """What was tried, a line each, and whether all of it held."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def tell(self, holds: bool, what: str) -> None:
        """One line, at once."""
        sys.stdout.write(f"{'ok' if holds else 'FAILED':8}{what}\n")
        sys.stdout.flush()
        if not holds:
            self.failed.append(what)

    def run(self, what: str, command: Sequence[object], cwd: Path | None = None) -> str:
        """A command that should end well; what it says, with its last line in ours."""
        started = time.monotonic()
        # The caller's own packages must not be found by what is tried.
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHONPATH", "VIRTUAL"))}
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=clean,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        took = time.monotonic() - started
        last = (done.stdout.strip().splitlines() or [""])[-1]
        self.tell(done.returncode == 0, f"{what} ({took:.0f} s): {last}")
        if done.returncode:
            sys.stdout.write(done.stdout[-6000:])
        return done.stdout


class Bench:
    """The folder that all is tried in, and the tools there."""

    def __init__(self, folder: Path, log: Log) -> None:
        self.folder = folder.resolve()
        self.log = log
        self.folder.mkdir(parents=True, exist_ok=True)
        self._bin = self.folder / "tools" / "bin"
        if not self._bin.exists():
            venv.create(self._bin.parent, with_pip=True)
            log.run("tools", [self._bin / "pip", "install", "--quiet", *TOOLS])

    def tool(self, name: str) -> Path:
        """One of `TOOLS`, or their Python."""
        return self._bin / name

    def fresh(self, name: str) -> Path:
        """An empty folder."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    # --- the packages ---

    def build(self, name: str, umask: int) -> Path:
        """Both packages from a clone of what is committed."""
        clone = self.fresh(f"clone-{name}")
        self.log.run(f"clone {name}", ["git", "clone", "--quiet", ROOT, clone])
        out, before = self.fresh(f"dist-{name}"), os.umask(umask)
        try:
            command = [self.tool("python"), "-m", "build", "--outdir", out, clone]
            self.log.run(f"python -m build, clone {name}", command)
        finally:
            os.umask(before)
        return out

    def compare(self, one: Path, other: Path) -> None:
        """Byte by byte."""
        for path in sorted(one.iterdir()):
            same = filecmp.cmp(path, other / path.name, shallow=False)
            size = path.stat().st_size / 1e3
            self.log.tell(same, f"two clones give the same bytes: {path.name}, {size:.0f} kB")

    # --- as it is installed ---

    def environment(self, python: str, name: str, *packages: str | Path) -> Path:
        """An empty environment with these packages; its `bin`."""
        made = self.folder / f"venv-{name}"
        shutil.rmtree(made, ignore_errors=True)
        self.log.run(f"{name}: empty venv", [self.tool("uv"), "venv", "--python", python, made])
        install = [self.tool("uv"), "pip", "install", "--quiet", "--python", made / "bin/python"]
        self.log.run(f"{name}: install", [*install, *packages])
        return made / "bin"

    def unpacked(self, sdist: Path, name: str) -> Path:
        """What the sdist holds."""
        folder = self.fresh(name)
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        (top,) = folder.iterdir()
        return top

    def sources(self, sdist: Path, name: str) -> Path:
        """The same without the package, so that its tests can only find the installed one."""
        top = self.unpacked(sdist, f"tests-{name}")
        shutil.rmtree(top / "ozodial")
        return top

    def job(self, binaries: Path, name: str, sources: Path) -> None:
        """The README's main job by the installed command, and the package that it is."""
        words = [binaries / "ozodial", *shlex.split(JOB)]
        self.log.run(f"{name}: the README's job", words, sources)
        where = [binaries / "python", "-c", "import ozodial; print(ozodial.__file__)"]
        found = self.log.run(f"{name}: imports the wheel", where, sources)
        self.log.tell(str(binaries.parent) in found, f"{name}: nothing else is called ozodial")

    def tests(self, binaries: Path, name: str, sources: Path, words: str) -> None:
        """The sdist's tests, against the installed package."""
        command = [binaries / "python", "-m", "pytest", "-p", "no:cacheprovider"]
        self.log.run(f"{name}: pytest {words}", [*command, *shlex.split(words)], sources)

    def lowest(self, python: str, sources: Path) -> Path:
        """The lowest versions that pyproject.toml allows, as a file of pins."""
        pins = self.folder / "lowest.txt"
        compile_ = [self.tool("uv"), "pip", "compile", "--quiet", "--no-header", "--all-extras"]
        how = ["--resolution", "lowest-direct", "--python", python, "--output-file", pins]
        self.log.run("lowest versions", [*compile_, *how, sources / "pyproject.toml"])
        return pins

    def pythons(self, wanted: str) -> list[str]:
        """Every Python here that the project takes, the lowest first; one of each minor version."""
        words: list[str | Path] = [
            self.tool("uv"),
            "python",
            "list",
            "--only-installed",
            "--no-managed-python",
        ]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        found: dict[tuple[int, ...], str] = {}
        for line in said.splitlines():
            number = re.match(r"cpython-(\d+)\.(\d+)\.\d+-", line)
            if number:
                version = (int(number[1]), int(number[2]))
                if version >= tuple(map(int, wanted.removeprefix(">=").split("."))):
                    found.setdefault(version, line.split()[1])
        return [found[version] for version in sorted(found)]


def install(bench: Bench, dist: Path, pythons: Sequence[str], tests: str | None) -> None:
    """The wheel on each Python, alone and with all there is; on the first the lowest versions."""
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    for turn, python in enumerate(pythons):
        version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout
        name = version.split()[1]
        sources = bench.sources(sdist, name)
        bench.job(bench.environment(python, f"{name}-alone", wheel), f"{name} alone", sources)
        if tests is None:
            continue
        newest = bench.environment(python, f"{name}-newest", f"{wheel}[dev,postgres]")
        bench.tests(newest, f"{name}, newest", sources, tests)
        if turn == 0:
            pins = bench.lowest(python, sources)
            lowest = bench.environment(python, f"{name}-lowest", "-r", pins, wheel)
            bench.tests(lowest, f"{name}, lowest", sources, tests)


def run_once(bench: Bench, dist: Path, python: str) -> None:
    """The two ways of the README that install nothing for good, in the tree that it speaks of."""
    (sdist,) = dist.glob("*.tar.gz")
    tree, job = bench.unpacked(sdist, "tree"), ["ozodial", "check", "sample_data/leads.csv"]
    job += ["--at", "tomorrow 10:00"]
    uvx = [bench.tool("uv"), "tool", "run", "--python", python, "--from", "."]
    bench.log.run("uvx --from .", [*uvx, *job], tree)
    pipx = [bench.tool("pipx"), "run", "--no-cache", "--python", python, "--spec", "."]
    bench.log.run("pipx run --spec .", [*pipx, *job], tree)


def image(log: Log, tool: str, words: str) -> None:
    """The container, built from the tree and looked at from inside."""
    file = ROOT / "sample_data" / "deploy" / "Containerfile"
    build = [tool, "build", *shlex.split(words), "--tag", IMAGE, "--file", file, ROOT]
    log.run(f"{tool} build", build)
    log.run("size of the image", [tool, "images", "--format", "{{.Size}}", IMAGE])
    if Path(tool).name == "buildah":
        container = log.run("container", [tool, "from", "--pull-never", IMAGE]).split()[-1]
        log.run("in it, not as root", [tool, "run", container, "--", "sh", "-c", IN_THE_IMAGE])
        log.run("container removed", [tool, "rm", container])
    else:
        run = [tool, "run", "--rm", "--entrypoint", "sh", IMAGE, "-c", IN_THE_IMAGE]
        log.run("in it, not as root", run)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", action="append")
    parser.add_argument("--dist", type=Path)
    parser.add_argument("--no-tests", action="store_const", const=None, dest="pytest")
    parser.add_argument("--pytest", metavar="WORDS", default="-n 2")
    parser.add_argument("--image", metavar="TOOL")
    parser.add_argument("--image-build", metavar="WORDS", default="")
    chosen = parser.parse_args()
    log = Log()
    bench = Bench(chosen.folder, log)
    dist = chosen.dist.resolve() if chosen.dist else bench.build("a", 0o022)
    log.run("twine", [bench.tool("twine"), "check", "--strict", *sorted(dist.iterdir())])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pythons = chosen.python or bench.pythons(project["requires-python"])
    run_once(bench, dist, pythons[-1])
    install(bench, dist, pythons, chosen.pytest)
    if chosen.image:
        image(log, chosen.image, chosen.image_build)
    if not chosen.dist:
        bench.compare(dist, bench.build("b", 0o077))
    for what in log.failed:
        sys.stdout.write(f"not as it should be: {what}\n")
    return int(bool(log.failed))


if __name__ == "__main__":
    sys.exit(main())
