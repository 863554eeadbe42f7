"""Every picture can be read on a phone, on a light and on a dark page, and by a screen reader."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from scripts import diagrams
from scripts.diagram_layout import Layout, Rectangle, Text, lay_out

PHONE = 480
# Average widths of a character of 14 units in DejaVu Sans, which is wider than the system fonts of phones
REGULAR, BOLD = 7.6, 8.5
PAGES = {"light": "#ffffff", "dark": "#0d1117"}
ALL = pytest.mark.parametrize("name", diagrams.PICTURES)


def area(text: Text) -> Rectangle:
    width = len(text.text) * (BOLD if text.style == "name" else REGULAR)
    left = {"start": text.x, "middle": text.x - width / 2, "end": text.x - width}[text.anchor]
    return Rectangle(left, text.y - 11, width, 14)


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


def within(inner: Rectangle, outer: Rectangle) -> bool:
    return (
        outer.left <= inner.left
        and inner.right <= outer.right
        and outer.top <= inner.top
        and inner.bottom <= outer.bottom
    )


def lines(layout: Layout) -> list[tuple[str, Rectangle]]:
    """Return the straight parts of all arrows, with the names of what each connects."""
    parts = []
    for arrow, points in layout.paths:
        for (x1, y1), (x2, y2) in pairwise(points):
            parts.append(
                (
                    f"{arrow.start} {arrow.end}",
                    Rectangle(min(x1, x2), min(y1, y2), abs(x1 - x2) or 0.1, abs(y1 - y2) or 0.1),
                )
            )
    return parts


@ALL
def test_a_picture_fits_on_a_phone_with_text_of_14_units(name: str) -> None:
    drawn = (diagrams.OUT / f"{name}.svg").read_text()
    assert lay_out(diagrams.PICTURES[name]).width <= PHONE
    assert [int(size) for size in re.findall(r"font(?:-size)?[:=]\"?(\d+)", drawn)] == [14]


@ALL
def test_all_text_is_inside_the_picture_and_overlaps_nothing(name: str) -> None:
    layout = lay_out(diagrams.PICTURES[name])
    canvas = Rectangle(0, 0, layout.width, layout.height)
    areas = [(text.text, area(text)) for text in layout.texts]
    assert [text for text, place in areas if not within(place, canvas)] == []
    assert [(one, other) for (one, a), (other, b) in combinations(areas, 2) if overlap(a, b)] == []
    for text, place in areas:
        assert not [
            box for box, around in layout.boxes.items() if overlap(place, around) and not within(place, around)
        ], text
        assert not [arrow for arrow, line in lines(layout) if overlap(place, line)], text


@ALL
def test_no_arrow_crosses_a_box_or_another_arrow(name: str) -> None:
    layout = lay_out(diagrams.PICTURES[name])
    for arrow, line in lines(layout):
        assert not [box for box, place in layout.boxes.items() if overlap(line, place)], arrow
    assert [
        (one, other) for (one, a), (other, b) in combinations(lines(layout), 2) if one != other and overlap(a, b)
    ] == []


@ALL
def test_a_picture_has_a_title_and_a_description_and_needs_nothing_else(name: str) -> None:
    drawn = (diagrams.OUT / f"{name}.svg").read_text()
    root = ElementTree.fromstring(drawn)
    parts = {element.get("id"): element.text for element in root.iter()}
    assert root.get("role") == "img"
    labels = [parts[label] or "" for label in (root.get("aria-labelledby") or "").split()]
    assert labels == [diagrams.PICTURES[name].title, diagrams.describe(diagrams.PICTURES[name])]
    assert not re.search(r"@import|url\((?!#)|href=|<image|<script", drawn)


def luminance(colour: str) -> float:
    """Return the relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def rules(scheme: str) -> dict[str, dict[str, str]]:
    """Return the declarations by selector that count in a colour scheme."""
    common, _, dark = diagrams.STYLE.partition("@media(prefers-color-scheme:dark){")
    declarations: dict[str, dict[str, str]] = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", common + dark if scheme == "dark" else common):
        for selector in selectors.split(","):
            declarations.setdefault(selector, {}).update(pair.split(":", 1) for pair in body.split(";"))
    return declarations


@pytest.mark.parametrize("scheme", PAGES)
def test_text_and_lines_have_contrast_in_both_colour_schemes(scheme: str) -> None:
    style, page = rules(scheme), PAGES[scheme]
    for kind in (*diagrams.KINDS, "plain"):
        box = style[f".{kind}"]
        assert contrast(style["text"]["fill"], box["fill"]) >= 7
        assert contrast(style[".name"]["fill"], box["fill"]) >= 7
        assert contrast(box["stroke"], page) >= 3
    for selector, paint, least in (
        ("text", "fill", 7),
        (".failed", "fill", 4.5),
        (".arrow", "stroke", 4.5),
        (".failure", "stroke", 4.5),
    ):
        assert contrast(style[selector][paint], page) >= least


@ALL
def test_a_picture_has_no_background(name: str) -> None:
    drawn = (diagrams.OUT / f"{name}.svg").read_text()
    boxes = diagrams.PICTURES[name].boxes.values()
    assert drawn.count("<rect") == len([box for box in boxes if box.service != "heading"])
    assert "background" not in drawn


def test_a_picture_opened_by_itself_has_a_page_of_its_colour_scheme() -> None:
    assert rules("dark")[":root"] == {"color-scheme": "light dark"}
