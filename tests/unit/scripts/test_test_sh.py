"""scripts/test.sh ends everything on Ctrl-C. scripts/measured.py is a script that logs the name of its step."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from eventloom.clouds import ROOT
from tests.integration.support import eventually

# Like scripts/measured.py, it ends with an exit code after SIGINT, and not by the signal.
PYTHON = """#!/bin/bash
[ "$5" != build ] || exit 0
trap 'exit 130' INT
echo "$$ $5" >>"{log}"
while :; do sleep 0.1; done
"""


def test_ctrl_c_ends_every_lane_and_starts_no_other_step(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for path, text in {
        "scripts/chromium.sh": "#!/bin/bash\n",
        "build/venv/dev/bin/python": PYTHON.format(log=log),
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        (tmp_path / path).chmod(0o755)
    shutil.copy(ROOT / "scripts/test.sh", tmp_path / "scripts")

    def steps() -> dict[str, str]:
        lines = log.read_text().splitlines() if log.exists() else []
        return {name: pid for pid, name in map(str.split, lines)}

    output = subprocess.DEVNULL
    process = subprocess.Popen([tmp_path / "scripts/test.sh"], stdout=output, stderr=output, start_new_session=True)
    try:
        eventually(lambda: len(steps()) == 4, "the first step of each lane", 60)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
    assert process.wait(timeout=60) == 130
    running = steps()
    assert set(running) == {"lint", "embedded-localstack", "first-steps", "browser"}
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in running.values()), "the end of all steps", 60)
