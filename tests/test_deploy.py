"""The examples for servers: checked by the programs that read them, where those are at hand."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[1] / "sample_data" / "deploy"


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
