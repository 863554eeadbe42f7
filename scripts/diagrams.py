"""Draw docs/pictures/*.svg from the tables in `diagram_tables` and `diagram_functions`. Usage: diagrams.py

Tests compare every box and arrow with the Terraform code, and the emulator's picture with the emulator's source.
"""

from dataclasses import dataclass
from html import escape

from eventloom.clouds import ROOT
from scripts.diagram_functions import FUNCTIONS
from scripts.diagram_layout import FONT_SIZE, Arrow, Layout, Picture, Points, Text, lay_out
from scripts.diagram_tables import OVERVIEWS

OUT = ROOT / "docs" / "pictures"
PICTURES: dict[str, Picture] = OVERVIEWS | FUNCTIONS

KINDS = {
    "function": {"Lambda"},
    "data": {"S3", "DynamoDB", "Glue"},
    "messages": {"SQS", "SNS", "SES", "Step Functions"},
    "entry": {"API Gateway", "load balancer", "Kinesis"},
}


@dataclass(frozen=True)
class Colours:
    """The colours of one scheme; `boxes` has fill and stroke for each kind of box.

    Text has a contrast of at least 7:1, arrows have 4.5:1, and the strokes of boxes 3:1.
    """

    name: str
    text: str
    arrow: str
    failure: str
    boxes: dict[str, tuple[str, str]]


LIGHT = Colours(
    name="#1f2328",
    text="#3d444d",
    arrow="#57606a",
    failure="#b42318",
    boxes={
        "function": ("#fff1e5", "#bc4c00"),
        "data": ("#e6f4ea", "#1a7f37"),
        "messages": ("#fbe9f3", "#a0185e"),
        "entry": ("#f0e9fd", "#6f42c1"),
        "plain": ("#f6f8fa", "#57606a"),
    },
)
DARK = Colours(
    name="#f0f6fc",
    text="#d1d7e0",
    arrow="#9da7b3",
    failure="#ff8b7e",
    boxes={
        "function": ("#3d2310", "#f0883e"),
        "data": ("#12301b", "#3fb950"),
        "messages": ("#3a1529", "#f778ba"),
        "entry": ("#271a45", "#a371f7"),
        "plain": ("#21262d", "#9da7b3"),
    },
)


def _rules(colours: Colours) -> str:
    """Return the CSS rules of a colour scheme."""
    rules = [
        f"text{{fill:{colours.text}}}.name{{fill:{colours.name}}}.failed{{fill:{colours.failure}}}",
        f".arrow{{stroke:{colours.arrow}}}.tip{{fill:{colours.arrow}}}",
        f".failure,.border{{stroke:{colours.failure}}}.failure-tip{{fill:{colours.failure}}}",
        *(f".{kind}{{fill:{fill};stroke:{stroke}}}" for kind, (fill, stroke) in colours.boxes.items()),
    ]
    return "".join(rules)


# With `color-scheme`, a browser that opens only this file shows a dark page for dark colours.
STYLE = (
    f":root{{color-scheme:light dark}}text{{font:{FONT_SIZE}px system-ui,sans-serif}}.name{{font-weight:600}}"
    "rect{stroke-width:1.5}path{fill:none;stroke-width:2}.failure,.border{stroke-dasharray:5 4}"
    f"{_rules(LIGHT)}@media(prefers-color-scheme:dark){{{_rules(DARK)}}}"
)


def draw(picture: Picture) -> str:
    """Return the picture as SVG for light and dark pages, with a title and a description for screen readers."""
    layout = lay_out(picture)
    size = f'viewBox="0 0 {layout.width:g} {layout.height:g}" width="{layout.width:g}" height="{layout.height:g}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">',
        f'<title id="title">{escape(picture.title)}</title>',
        f'<desc id="description">{escape(describe(picture))}</desc>',
        f"<style>{STYLE}</style>",
        f"<defs>{_marker('tip')}{_marker('failure-tip')}</defs>",
        *_boxes(picture, layout),
        *(_path(arrow, points) for arrow, points in layout.paths),
    ]
    if layout.border is not None:
        lines.append(f'<path class="border" d="M0 {layout.border:g}H{layout.width:g}"/>')
    return "\n".join([*lines, *(_text(text) for text in layout.texts), "</svg>"]) + "\n"


def describe(picture: Picture) -> str:
    """Return the arrows of a picture in words."""
    usual = "; ".join(_in_words(arrow) for arrow in picture.arrows if not arrow.failure)
    failures = "; ".join(_in_words(arrow) for arrow in picture.arrows if arrow.failure)
    return f"{usual}." + (f" On failure: {failures}." if failures else "")


def _in_words(arrow: Arrow) -> str:
    return f"{arrow.start} to {arrow.end}" + (f" ({arrow.label})" if arrow.label else "")


def _marker(name: str) -> str:
    shape = f'<path class="{name}" d="M0 0 8 4 0 8z"/>'
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="5" markerHeight="5" '
        f'orient="auto">{shape}</marker>'
    )


def _boxes(picture: Picture, layout: Layout) -> list[str]:
    rectangles = []
    for name, box in picture.boxes.items():
        place = layout.boxes[name]
        if box.service != "heading":
            kind = next(
                (kind for kind, services in KINDS.items() if box.service.partition(",")[0] in services), "plain"
            )
            size = f'x="{place.left:g}" y="{place.top:g}" width="{place.width:g}" height="{place.height:g}"'
            rectangles.append(f'<rect class="{kind}" {size} rx="8"/>')
    return rectangles


def _path(arrow: Arrow, points: Points) -> str:
    style, tip = ("failure", "failure-tip") if arrow.failure else ("arrow", "tip")
    way = " ".join(f"{x:g} {y:g}" for x, y in points)
    return f'<path class="{style}" d="M{way}" marker-end="url(#{tip})"/>'


def _text(text: Text) -> str:
    return (
        f'<text class="{text.style}" x="{text.x:g}" y="{text.y:g}" '
        f'text-anchor="{text.anchor}">{escape(text.text)}</text>'
    )


def main() -> None:
    """Draw all pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        (OUT / f"{name}.svg").write_text(draw(picture))


if __name__ == "__main__":
    main()
