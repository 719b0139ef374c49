"""Starting: `--version`, `--help` and a small job, beside command lines that people know."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .bench import ROOT, Part, Place, in_turn, middle, times, versions

PEERS = ("twine", "httpie", "sqlite-utils", "internetarchive")
JOBS = ("--version", "--help", "a small job")
TURNS = 7

Words = Sequence[str | Path]


def startup(place: Place) -> Part:
    """Every command in turn; the medians."""
    folder = place.folder
    leads = folder / "ten.csv"
    lines = [f"98765432{number},Lead {number}" for number in range(10, 20)]
    leads.write_text("\n".join(["Mobile,Name", *lines]) + "\n", encoding="utf-8")
    ours = place.ours()
    bins = {name: place.environment(name, name) for name in PEERS}
    bare: Words = (ours / "python", "-c", "pass")
    tools: dict[str, tuple[Path, Words | None]] = {
        "ozodial": (ours / "ozodial", ("check", leads)),
        "twine": (bins["twine"] / "twine", ("check", wheel(ours, folder))),
        "httpie": (bins["httpie"] / "http", ("--offline", "--ignore-stdin", "localhost", "a=b")),
        "sqlite-utils": (
            bins["sqlite-utils"] / "sqlite-utils",
            ("memory", leads, "select count(*) from ten"),
        ),
        "internetarchive": (bins["internetarchive"] / "ia", None),
    }
    commands: dict[str, Words] = {"python -c pass": bare}
    for name, (program, job) in tools.items():
        commands |= {f"{name} {word}": (program, word) for word in JOBS[:2]}
        if job is not None:
            commands[f"{name} {JOBS[2]}"] = (program, *job)
    in_turn(commands, 1, folder)  # the disk's first sight of them
    seen = in_turn(commands, 2 if place.fast else TURNS, folder)
    walls = {name: middle(turns) for name, turns in seen.items()}

    def cell(name: str) -> str:
        if name not in walls:
            return "none"
        return f"{1_000 * walls[name].wall:.0f} ms ({1_000 * walls[name].cpu:.0f})"

    rows = [["Python itself, `-c pass`", *[cell("python -c pass")] * 3]]
    rows += [[name, *(cell(f"{name} {job}") for job in JOBS)] for name in tools]
    found = []
    for job in JOBS:
        others = {name: walls[f"{name} {job}"] for name in PEERS if f"{name} {job}" in walls}
        best = min(others, key=lambda name: others[name].cpu)
        share = walls[f"ozodial {job}"].cpu / others[best].cpu
        found.append(f"{job}: {times(share)} the processor time of the quickest peer, {best}")
    known = versions(ours, "ozodial", "typer")
    for name in PEERS:
        known |= versions(bins[name], name)
    about = (
        "Milliseconds of a whole process, in brackets of its processor time; median of "
        f"{TURNS} turns. The small job: `ozodial check` and `sqlite-utils memory` on ten rows, "
        "`twine check` of a wheel, `http --offline`; `ia` has none that needs no network."
    )
    head = ["", *(f"`{job}`" if job.startswith("-") else job for job in JOBS)]
    return Part("Starting", about, head, rows, found, known)


def wheel(ours: Path, folder: Path) -> Path:
    """Something for `twine check`: our own wheel."""
    out = folder / "wheel"
    command: list[str | Path] = [
        ours / "python",
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "-w",
        out,
        ROOT,
    ]
    subprocess.run(command, check=True)
    return next(out.glob("ozodial-*.whl"))
