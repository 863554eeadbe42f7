"""Write configurations for VS Code and PyCharm to attach to a function under a debugger."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from eventloom.development.debugging import CODE, HOST
from eventloom.errors import UserError

NAME = "Eventloom: attach to a function"
EMPTY = '{\n    "version": "0.2.0",\n    "configurations": []\n}\n'
INDENT = 8
_decode = json.JSONDecoder().raw_decode


def vscode(root: Path, functions: Path, port: int) -> Path:
    """Add an entry to .vscode/launch.json, or replace the one of the same name, and return the file.

    The rest of the file does not change, including comments.
    https://code.visualstudio.com/docs/python/debugging#_set-configuration-options

    Raises UserError if the file cannot be parsed. The message contains the entry.
    """
    entry = {
        "name": NAME,
        "type": "debugpy",
        "request": "attach",
        "connect": {"host": HOST, "port": port},
        "pathMappings": [{"localRoot": _inside(functions, root, "${workspaceFolder}"), "remoteRoot": CODE}],
    }
    file = root / ".vscode" / "launch.json"
    text = file.read_text(encoding="utf-8") if file.exists() else EMPTY
    try:
        merged = merge(text if text.strip() else EMPTY, entry)
    except ValueError as error:
        raise UserError(
            f"{file.relative_to(root)} cannot be understood ({error}); put this into its configurations yourself: "
            f"{json.dumps(entry)}"
        ) from error
    file.parent.mkdir(exist_ok=True)
    file.write_text(merged, encoding="utf-8")
    return file


def pycharm(root: Path, functions: Path, port: int) -> Path:
    """Write .run/Eventloom.run.xml, a configuration of PyCharm's kind "Attach to DAP", and return the file."""
    component = ElementTree.Element("component", name="ProjectRunConfigurationManager")
    configuration = ElementTree.SubElement(
        component, "configuration", default="false", name=NAME, type="PythonDapAttachConfiguration"
    )
    ElementTree.SubElement(configuration, "option", name="remoteAddress", value=f"{HOST}:{port}")
    settings = ElementTree.SubElement(configuration, "PathMappingSettings")
    mappings = ElementTree.SubElement(ElementTree.SubElement(settings, "option", name="pathMappings"), "list")
    ElementTree.SubElement(
        mappings, "mapping", {"local-root": _inside(functions, root, "$PROJECT_DIR$"), "remote-root": CODE}
    )
    ElementTree.SubElement(configuration, "method", v="2")
    ElementTree.indent(component)
    file = root / ".run" / "Eventloom.run.xml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(ElementTree.tostring(component, encoding="unicode") + "\n", encoding="utf-8")
    return file


EDITORS = {"vscode": vscode, "pycharm": pycharm}


def _inside(folder: Path, root: Path, variable: str) -> str:
    """Return a folder's path for an editor, with the editor's variable for `root` if the folder is inside `root`."""
    return f"{variable}/{folder.relative_to(root).as_posix()}" if folder.is_relative_to(root) else str(folder)


def merge(text: str, entry: dict[str, Any]) -> str:
    """Return the text of a launch.json with the entry in it.

    The entry replaces one of the same name, or becomes the first one. Raises ValueError if the text is not JSON with
    comments, or if its configurations are not a list.
    """
    plain = without_comments(text)
    start = _value_of(plain, "configurations")
    if start is None:
        return _with_member(text, plain, entry)
    if plain[start] != "[":
        raise ValueError("its configurations are not a list")
    new = json.dumps(entry, indent=4).replace("\n", "\n" + INDENT * " ")
    spans = _elements(plain, start)
    for begin, end in spans:
        element = json.loads(plain[begin:end])
        if isinstance(element, dict) and element.get("name") == entry["name"]:
            return text[:begin] + new + text[end:]
    separator = f",\n{INDENT * ' '}" if spans else f"\n{(INDENT - 4) * ' '}"
    rest = text[start + 1 :].lstrip() if spans else text[start + 1 :]
    return f"{text[: start + 1]}\n{INDENT * ' '}{new}{separator}{rest}"


def _with_member(text: str, plain: str, entry: dict[str, Any]) -> str:
    """Return the text of an object with the member `configurations` added."""
    begin = plain.index("{") + 1
    is_empty = plain[begin:].lstrip().startswith("}")
    list_ = json.dumps([entry], indent=4).replace("\n", "\n    ")
    return f'{text[:begin]}\n    "configurations": {list_}{"" if is_empty else ","}\n{text[begin:].lstrip(chr(10))}'


def without_comments(text: str) -> str:
    """Return the text with spaces in place of comments and trailing commas, so that its length stays the same.

    https://code.visualstudio.com/docs/languages/json#_json-with-comments

    Raises ValueError if the result is not a JSON object.
    """
    part = r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/'

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])

    plain = re.sub(part, blank, text.replace("\ufeff", " "), flags=re.DOTALL)
    plain = re.sub(
        rf"{part}|,(?=\s*[\]}}])", lambda match: " " if match[0] == "," else match[0], plain, flags=re.DOTALL
    )
    if not isinstance(json.loads(plain), dict):
        raise ValueError("it is not an object")
    return plain


def _skip(plain: str, position: int, more: str = "") -> int:
    while plain[position] in " \t\r\n" + more:
        position += 1
    return position


def _value_of(plain: str, name: str) -> int | None:
    """Return the position where the value of an object's member begins, or None."""
    position = _skip(plain, 0, "{")
    while plain[position] != "}":
        key, position = _decode(plain, position)
        position = _skip(plain, position, ":")
        if key == name:
            return position
        _, position = _decode(plain, position)
        position = _skip(plain, position, ",")
    return None


def _elements(plain: str, start: int) -> list[tuple[int, int]]:
    """Return the spans of the elements of a list that begins at `start`."""
    spans = []
    position = _skip(plain, start + 1)
    while plain[position] != "]":
        _, end = _decode(plain, position)
        spans.append((position, end))
        position = _skip(plain, end, ",")
    return spans
