"""`debug --configure` writes the configurations of editors, and keeps the user's own entries."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from eventloom.development.editors import NAME, merge, pycharm, vscode, without_comments
from eventloom.errors import UserError

COMMENTED = """{
    // Use IntelliSense to learn about possible attributes.
    "version": "0.2.0",
    "inputs": [{"id": "a//b", "configurations": "no"}], /* "configurations": [] */
    "configurations": [
        {
            "name": "My \\"tests\\" /* not a comment */",
            "type": "debugpy", // the one from Microsoft
            "args": ["-x",],
        },
    ],
}
"""


@pytest.fixture
def launch(tmp_path: Path) -> Path:
    file = tmp_path / ".vscode" / "launch.json"
    file.parent.mkdir()
    return file


def parsed(file: Path) -> list[dict[str, object]]:
    configurations: list[dict[str, object]] = json.loads(without_comments(file.read_text()))["configurations"]
    return configurations


def test_a_new_file_has_one_configuration_with_the_folder_of_the_code(tmp_path: Path) -> None:
    file = vscode(tmp_path, tmp_path / "functions", 5678)
    assert json.loads(file.read_text()) == {
        "version": "0.2.0",
        "configurations": [
            {
                "name": NAME,
                "type": "debugpy",
                "request": "attach",
                "connect": {"host": "127.0.0.1", "port": 5678},
                "pathMappings": [{"localRoot": "${workspaceFolder}/functions", "remoteRoot": "/var/task"}],
            }
        ],
    }


def test_functions_elsewhere_are_named_by_their_whole_path(tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    file = vscode(tmp_path / "checkout", tmp_path / "copy", 5678)
    assert parsed(file)[0]["pathMappings"] == [{"localRoot": str(tmp_path / "copy"), "remoteRoot": "/var/task"}]


def test_a_file_with_comments_keeps_every_line(tmp_path: Path, launch: Path) -> None:
    launch.write_text(COMMENTED)
    vscode(tmp_path, tmp_path / "functions", 5678)
    lines = launch.read_text().splitlines()
    assert [line for line in COMMENTED.splitlines() if line not in lines] == []
    assert [entry["name"] for entry in parsed(launch)] == [NAME, 'My "tests" /* not a comment */']


def test_a_second_run_replaces_the_port_and_nothing_else(tmp_path: Path, launch: Path) -> None:
    launch.write_text(COMMENTED)
    vscode(tmp_path, tmp_path / "functions", 5678)
    before = launch.read_text()
    vscode(tmp_path, tmp_path / "functions", 5678)
    assert launch.read_text() == before
    vscode(tmp_path, tmp_path / "functions", 6000)
    assert launch.read_text() == before.replace("5678", "6000")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "{}",
        '{"version": "0.2.0"}',
        '{"configurations": []}',
        '{"configurations": [ ], "version": "0.2.0"}',
        '{"compounds": [], "configurations": [{"name": "a"}]}',
        '{"configurations": [{"name": "a"}, "odd", {"name": "b"},],}',
        '\ufeff{"configurations": [/* none */]}',
        '{\r\n\t"configurations": [\r\n\t\t{"name": "a"}\r\n\t]\r\n}\r\n',
    ],
)
def test_every_valid_file_is_merged(tmp_path: Path, launch: Path, text: str) -> None:
    launch.write_text(text, newline="")
    before = json.loads(without_comments(text)) if text.strip() else {}
    vscode(tmp_path, tmp_path / "functions", 5678)
    after = json.loads(without_comments(launch.read_text()))
    assert after["configurations"][0]["name"] == NAME
    assert after["configurations"][1:] == before.get("configurations", [])
    assert {name: value for name, value in after.items() if name in before.keys() - {"configurations"}} == {
        name: value for name, value in before.items() if name != "configurations"
    }


@pytest.mark.parametrize("text", ['{"configurations": [}', "[]", '{"configurations": {}}', "{ // open", '"text"'])
def test_a_file_that_is_not_understood_stays_as_it_is(tmp_path: Path, launch: Path, text: str) -> None:
    launch.write_text(text)
    with pytest.raises(UserError, match=r"\.vscode/launch\.json cannot be understood .* yourself: \{\"name\""):
        vscode(tmp_path, tmp_path / "functions", 5678)
    assert launch.read_text() == text


def test_an_entry_is_found_by_its_name_anywhere() -> None:
    text = '{"configurations": [{"name": "a"}, {"name": "mine", "old": 1}, {"name": "b"}]}'
    merged = json.loads(merge(text, {"name": "mine", "new": 1}))
    assert merged == {"configurations": [{"name": "a"}, {"name": "mine", "new": 1}, {"name": "b"}]}


def test_pycharm_attaches_to_the_same_port_and_folder(tmp_path: Path) -> None:
    file = pycharm(tmp_path, tmp_path / "functions", 6000)
    assert file == tmp_path / ".run" / "Eventloom.run.xml"
    root = ElementTree.parse(file).getroot()
    configuration = root.find("configuration")
    assert configuration is not None
    assert (root.tag, root.get("name")) == ("component", "ProjectRunConfigurationManager")
    assert (configuration.get("type"), configuration.get("name")) == ("PythonDapAttachConfiguration", NAME)
    assert {entry.get("name"): entry.get("value") for entry in configuration.findall("option")} == {
        "remoteAddress": "127.0.0.1:6000"
    }
    mapping = configuration.find("PathMappingSettings/option[@name='pathMappings']/list/mapping")
    assert mapping is not None
    assert mapping.attrib == {"local-root": "$PROJECT_DIR$/functions", "remote-root": "/var/task"}


def test_pycharms_other_configurations_stay(tmp_path: Path) -> None:
    other = tmp_path / ".run" / "Mine.run.xml"
    other.parent.mkdir()
    other.write_text("<component/>")
    pycharm(tmp_path, tmp_path / "functions", 5678)
    assert other.read_text() == "<component/>"
