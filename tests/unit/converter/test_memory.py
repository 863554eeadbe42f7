"""A conversion uses less memory than its file is large."""

import json
import subprocess
import sys
from pathlib import Path

FUNCTIONS = Path(__file__).parents[3] / "functions"
PROGRAM = """
import json, sys
from pathlib import Path
from converter.conversion import convert
from converter.staging import Limits
from shared.deadline import Deadline

class Context:
    aws_request_id = "x"
    def get_remaining_time_in_millis(self):
        return 300_000

def peak_kb():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

before = peak_kb()
outcome = convert(Path(sys.argv[1]), "big.csv", {}, Limits(memory_limit_mb=128), Deadline(Context()))
print(json.dumps({"status": outcome.status, "facts": outcome.facts, "before": before, "peak": peak_kb()}))
"""


def test_converting_a_large_file_uses_limited_memory(tmp_path: Path) -> None:
    source = tmp_path / "source"
    row = "{i},name {n},2026-11-{d:02},{i}.5," + "x" * 20_000 + "{i}\n"
    with source.open("w") as file:
        file.write("id,name,day,amount,blob\n")
        file.writelines(row.format(i=i, n=i % 100, d=i % 28 + 1) for i in range(14_000))
    size_mb = source.stat().st_size / 1e6
    assert size_mb > 280
    command = [sys.executable, "-c", PROGRAM, str(source)]
    process = subprocess.run(
        command, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(FUNCTIONS)}, timeout=200
    )
    result = json.loads(process.stdout)
    assert result["status"] == "CONVERTED"
    assert result["facts"]["rows"] == 14_000
    # DuckDB has 128 MB. The rest is for its code and for pieces of text.
    assert (result["peak"] - result["before"]) / 1e3 < 200 < size_mb
