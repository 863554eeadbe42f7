"""The commands logs, watch, report, invoke and simulate show the state of a deployed environment."""

import json
from pathlib import Path

from eventloom.clouds import ROOT
from shared.identity import correlation_id
from tests.integration import checkouts
from tests.integration.photos import photo
from tests.integration.support import ENVIRONMENT, Deployment, eventually, listening, unique


def run(command: str, *options: str) -> str:
    """Run a command without a terminal and return its stdout."""
    return checkouts.command(ROOT, command, "--env", ENVIRONMENT, *options)


def test_uploads_are_in_the_figures_and_on_the_page(deployment: Deployment, tmp_path: Path) -> None:
    good, bad = unique("seen.jpg"), unique("seen.txt.jpg")
    deployment.put(good, photo())
    deployment.put(bad, b"no picture")
    deployment.wait_for(good, status="READY")
    deployment.wait_for(bad, status="REJECTED")

    def snapshot() -> str | None:
        text = run("watch", "--once")
        return text if "unsupported_format" in text else None

    text = eventually(snapshot, "the rejection in the figures")
    assert "\x1b" not in text
    ready = next(line.split()[1] for line in text.splitlines() if line.strip().startswith("ready"))
    assert int(ready.replace(",", "")) >= 1
    assert "$0.0" in text
    figures = json.loads(run("watch", "--once", "--json"))
    assert figures["images"]["ready"] >= 1
    assert figures["rejected_by_reason"]["unsupported_format"] >= 1
    page = tmp_path / "new folder" / "report.html"
    assert run("report", "--out", str(page)).strip() == str(page)
    assert "unsupported_format" in page.read_text()
    assert "<rect" in page.read_text()
    assert json.loads(run("report", "--out", str(page), "--json"))["page"] == str(page)


def test_logs_show_the_photo_in_a_readable_line(deployment: Deployment) -> None:
    key = unique("with space & $x.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")

    def lines() -> list[str]:
        matching = [line for line in run("logs", "thumbnailer", "--minutes", "5").splitlines() if key in line]
        return matching if len(matching) == 2 else []

    first, line = eventually(lines, f"the start and the end of {key} in the log")
    assert " INFO    begun  " in first
    assert " INFO    done  " in line
    assert "result=READY" in line
    assert "platform." not in run("logs", "--minutes", "5")
    assert "platform.report" in run("logs", "thumbnailer", "--minutes", "5", "--all")
    records = [json.loads(text) for text in run("logs", "--minutes", "5", "--json").splitlines()]
    assert {"thumbnailer", "notifier"} <= {record["function"] for record in records}
    assert [record["time"] for record in records] == sorted(record["time"] for record in records)
    assert any(record.get("object_key") == key for record in records)


def test_the_logs_of_an_unknown_function_are_an_error_that_names_the_known_ones(deployment: Deployment) -> None:
    process = checkouts.run_command(ROOT, "logs", "nosuch", "--env", ENVIRONMENT)
    assert (process.returncode, process.stdout) == (1, "")
    assert "no function 'nosuch' is deployed" in process.stderr
    assert "thumbnailer" in process.stderr


def test_invoke_prints_only_the_answer_on_stdout(deployment: Deployment) -> None:
    process = checkouts.run_command(ROOT, "invoke", "catalog_api", "--event", "rest_list_images", "--env", ENVIRONMENT)
    assert (process.returncode, json.loads(process.stdout)["statusCode"]) == (0, 200)
    assert " INFO    answered  " in process.stderr
    assert "botocore" not in process.stderr
    assert "platform.report" not in process.stderr


def test_a_function_that_fails_is_an_error_with_its_type_and_message(deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "no records.json").write_text("[]")
    process = checkouts.run_command(
        ROOT, "invoke", "thumbnailer", "--event", str(tmp_path / "no records.json"), "--env", ENVIRONMENT
    )
    assert (process.returncode, json.loads(process.stdout)["errorType"]) == (1, "TypeError")
    assert "Error: thumbnailer failed with TypeError: list indices" in process.stderr
    assert "with Lease(SQS, event" in process.stderr, "the traceback"


def test_the_simulation_uses_the_measured_times(deployment: Deployment, tmp_path: Path) -> None:
    for _ in range(5):
        key = unique("measured.jpg")
        deployment.put(key, photo())
        deployment.wait_for(key, status="READY")
    times = tmp_path / "times.json"
    measurement = json.loads(run_measure(times))
    assert len(measurement["seconds"]) >= 5
    output = checkouts.command(ROOT, "simulate", "--times", str(times), "--out", str(tmp_path), "--json")
    assert [json.loads(line)["uploads_per_s"] for line in output.splitlines()] == [10, 100, 1_000, 10_000]


def run_measure(times: Path) -> str:
    """Run the measurement into a file, as soon as the log has enough photos."""

    def measure() -> str | None:
        process = checkouts.run_command(
            ROOT, "simulate", "measure", "--times", str(times), "--env", ENVIRONMENT, "--json"
        )
        return process.stdout if process.returncode == 0 else None

    return eventually(measure, "5 photos in the log")


def test_one_id_leads_from_the_upload_to_the_notice(deployment: Deployment) -> None:
    key = unique("traced.jpg")
    with listening(deployment["notices_topic_arn"]) as listener:
        deployment.put(key, photo())
        notice = listener.wait_for(key=key)
    name = correlation_id(notice["image_id"], notice["sequencer"])
    assert notice["correlation_id"] == name
    for function in ("thumbnailer", "notifier"):
        lines = eventually(
            lambda function=function: deployment.log_lines(function, name), f"{name} in the log of {function}"
        )
        assert any(json.loads(line).get("correlation_id") == name for line in lines)
