"""Environment variables become typed settings."""

from dataclasses import dataclass

import pytest

from shared.settings import SettingsError, load


@dataclass(frozen=True)
class Settings:
    """One field of each type."""

    name: str
    count: int
    ratio: float = 0.5
    enabled: bool = True
    sizes: tuple[int, ...] = (1, 2)


def test_values_are_parsed_by_the_type_of_their_field() -> None:
    settings = load(Settings, {"NAME": "a", "COUNT": "3", "RATIO": "1.5", "ENABLED": "false", "SIZES": "5, 6,"})
    assert settings == Settings("a", 3, 1.5, False, (5, 6))


def test_absent_and_empty_variables_have_the_default() -> None:
    """Terraform passes an empty string for a variable that is not set."""
    assert load(Settings, {"NAME": "a", "COUNT": "3", "RATIO": "", "OTHER": "x"}) == Settings("a", 3)


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"NAME": ""}, "NAME"),
        ({"COUNT": "many"}, "COUNT"),
        ({"RATIO": "x"}, "RATIO"),
        ({"ENABLED": "perhaps"}, "ENABLED"),
        ({"SIZES": "1,b"}, "SIZES"),
    ],
)
def test_the_error_for_a_wrong_value_names_the_variable(changes: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingsError, match=f"environment variable {variable}"):
        load(Settings, {"NAME": "a", "COUNT": "3"} | changes)


def test_settings_come_from_the_process_environment_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "b")
    monkeypatch.setenv("COUNT", "4")
    assert load(Settings) == Settings("b", 4)
