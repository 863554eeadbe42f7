"""Environment variables to typed settings."""

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


def test_values_are_parsed() -> None:
    """By the type of their field."""
    found = load(Settings, {"NAME": "a", "COUNT": "3", "RATIO": "1.5", "ENABLED": "false", "SIZES": "5, 6,"})
    assert found == Settings("a", 3, 1.5, False, (5, 6))


def test_defaults_fill_in_for_absent_and_empty_variables() -> None:
    """Terraform passes an empty string for what is not set."""
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
def test_wrong_values_are_named(changes: dict[str, str], variable: str) -> None:
    """The message says which variable to mend."""
    with pytest.raises(SettingsError, match=f"environment variable {variable}"):
        load(Settings, {"NAME": "a", "COUNT": "3"} | changes)


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in Lambda."""
    monkeypatch.setenv("NAME", "b")
    monkeypatch.setenv("COUNT", "4")
    assert load(Settings) == Settings("b", 4)
