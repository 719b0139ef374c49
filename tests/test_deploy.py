"""The examples for servers: checked by the programs that read them, where those are at hand."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "sample_data" / "deploy"


def test_systemd_takes_the_timer() -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("no systemd here")
    units = [str(DEPLOY / f"ozodial-work.{kind}") for kind in ("service", "timer")]
    done = subprocess.run([verify, "verify", *units], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_kubernetes_takes_the_cron_job() -> None:
    validate = Path(sys.executable).with_name("kubernetes-validate")
    if not validate.exists():
        pytest.skip("kubernetes-validate is not installed")
    job = str(DEPLOY / "ozodial-work.yaml")
    done = subprocess.run([validate, "--strict", "-k", "1.31", job], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed for resource cronjob/ozodial-work" in done.stdout + done.stderr


def containerfile() -> dict[str, list[str]]:
    """Instruction -> its words, of all stages; `python -m tests.packaging --image` builds it."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in re.sub(r"\\\n", " ", text).splitlines():
        instruction, _, words = line.partition(" ")
        if instruction.isupper():
            found.setdefault(instruction, []).append(" ".join(words.split()))
    return found


def test_the_container_copies_all_that_a_wheel_is_made_of() -> None:
    copied = containerfile()["COPY"]
    assert copied[0].split() == ["pyproject.toml", "README.md", "LICENSE", "./"]
    assert copied[1].split() == ["ozodial", "ozodial"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [project["readme"], *project["license-files"]] == ["README.md", "LICENSE"]
    assert "postgres" in project["optional-dependencies"]
    assert "'.[postgres]'" in containerfile()["RUN"][0]


def test_the_container_runs_the_command_as_the_user_that_kubernetes_names() -> None:
    said = containerfile()
    job = (DEPLOY / "ozodial-work.yaml").read_text(encoding="utf-8")
    user = re.search(r"runAsUser: (\d+)", job)
    assert user is not None
    assert said["USER"] == [f"{user[1]}:{user[1]}"]
    assert f"--owner={user[1]}" in said["RUN"][1]
    assert said["ENTRYPOINT"] == ['["ozodial"]']
    assert 'args: ["work",' in job  # no second `ozodial`
    assert said["VOLUME"] == ["/var/lib/ozodial"]
    assert "OZODIAL_LEDGER=/var/lib/ozodial/ledger.db" in said["ENV"][0]


def test_the_container_stands_on_a_python_that_is_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = re.search(r"python:([\d.]+)-slim", containerfile()["ARG"][0])
    assert found is not None
    assert f"Programming Language :: Python :: {found[1]}" in project["classifiers"]
