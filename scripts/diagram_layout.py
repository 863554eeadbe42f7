"""Lay out a picture: compute the positions of its rows of boxes, of the arrows between them, and of each text.

Pictures are 480 units wide at most and no text is smaller than 14 units, so that they can be read on a phone.
"""

from dataclasses import dataclass, field

GRID, CONTENT_WIDTH, BOX_GAP, MARGIN = 6, 416, 20, 8
UNIT = (CONTENT_WIDTH + BOX_GAP) / GRID
LANE_WIDTH, LANE_SHIFT = 16, 9
FONT_SIZE, LINE_HEIGHT, PADDING = 14, 18, 8
PLAIN_GAP, ARROW_GAP, LABEL_MARGIN = 12, 30, 14
TIP, INSET = 3, 18


@dataclass(frozen=True)
class Box:
    """A part of a picture.

    `address` is where the part is defined: an address in terraform/, or a path in the emulator's package. It is None
    for a part that neither defines. `columns` are the first of six columns and the one after the last; by default, the
    boxes of a row share the columns equally.
    """

    name: str
    service: str
    address: str | None = None
    lines: tuple[str, ...] = ()
    columns: tuple[int, int] | None = None


@dataclass(frozen=True)
class Arrow:
    """An arrow between two boxes, given by their names.

    `lane` leads it around the boxes: "left 1", "right 1" and "right 2" are beside the rows. Its label is then in
    the gap below the upper row, or with `label_low` in the gap above the lower row.
    """

    start: str
    end: str
    label: str = ""
    failure: bool = False
    lane: str = ""
    label_low: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture: a title, rows of boxes, arrows, and the number of rows above the trust border (None: no border)."""

    title: str
    rows: tuple[tuple[Box, ...], ...]
    arrows: tuple[Arrow, ...]
    trusted_after: int | None = None

    @property
    def boxes(self) -> dict[str, Box]:
        """Return the boxes by name."""
        return {box.name: box for row in self.rows for box in row}


@dataclass(frozen=True)
class Rectangle:
    """A rectangle with its upper left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Return the x of the right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Return the y of the lower edge."""
        return self.top + self.height

    @property
    def middle(self) -> tuple[float, float]:
        """Return the centre."""
        return self.left + self.width / 2, self.top + self.height / 2


@dataclass(frozen=True)
class Text:
    """A line of text at its baseline. `anchor` is start, middle or end."""

    text: str
    x: float
    y: float
    anchor: str
    style: str


Points = list[tuple[float, float]]


@dataclass
class Layout:
    """A picture with the coordinates of all its parts."""

    width: float
    height: float = 0
    boxes: dict[str, Rectangle] = field(default_factory=dict)
    paths: list[tuple[Arrow, Points]] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    border: float | None = None


def lay_out(picture: Picture) -> Layout:
    """Return the picture in coordinates."""
    lanes = {side: _lanes(picture, side) for side in ("left", "right")}
    left = MARGIN + LANE_WIDTH * lanes["left"]
    layout = Layout(left + CONTENT_WIDTH + LANE_WIDTH * lanes["right"] + MARGIN)
    row_of = {box.name: index for index, row in enumerate(picture.rows) for box in row}
    gaps = [_gap(picture, index, row_of) for index in range(len(picture.rows) - 1)]
    top = float(MARGIN)
    for index, row in enumerate(picture.rows):
        height = 2 * PADDING + LINE_HEIGHT * max(len(_lines(box)) for box in row)
        for position, box in enumerate(row):
            first, end = box.columns or _columns(position, len(row))
            place = Rectangle(left + first * UNIT, top, (end - first) * UNIT - BOX_GAP, height)
            layout.boxes[box.name] = place
            layout.texts += _texts_of_box(box, place)
        top += height + (gaps[index] if index < len(gaps) else MARGIN)
        if picture.trusted_after == index + 1:
            layout.border = top - gaps[index] / 2
    layout.height = top
    for arrow in picture.arrows:
        points = _points(arrow, layout, row_of)
        layout.paths.append((arrow, points))
        layout.texts += _label(arrow, points, layout)
    return layout


def _lanes(picture: Picture, side: str) -> int:
    return max((int(arrow.lane.split()[1]) for arrow in picture.arrows if arrow.lane.startswith(side)), default=0)


def _columns(position: int, boxes: int) -> tuple[int, int]:
    if boxes == 1:
        return 1, 5
    size = GRID // boxes
    return position * size, (position + 1) * size


def _lines(box: Box) -> list[tuple[str, str]]:
    """Return the lines of a box with their styles."""
    if box.service == "heading":
        return [(box.name, "name")]
    return [(box.service, "service"), (box.name, "name"), *((line, "detail") for line in box.lines)]


def _texts_of_box(box: Box, place: Rectangle) -> list[Text]:
    lines = _lines(box)
    x, y = place.middle
    first = y - LINE_HEIGHT * len(lines) / 2 + LINE_HEIGHT * 0.75
    texts = []
    for number, (text, style) in enumerate(lines):
        is_step = text[0].isdigit() and style == "detail" and ". " in text
        left, anchor = (place.left + INSET, "start") if is_step else (x, "middle")
        texts.append(Text(text, left, first + LINE_HEIGHT * number, anchor, style))
    return texts


def _gap(picture: Picture, index: int, row_of: dict[str, int]) -> float:
    """Return the height between a row and the next, which must fit the arrows and labels there."""
    crossed, labelled = picture.trusted_after == index + 1, False
    for arrow in picture.arrows:
        upper, lower = sorted((row_of[arrow.start], row_of[arrow.end]))
        if upper <= index < lower:
            crossed = True
            labelled |= bool(arrow.label) and index == (lower - 1 if arrow.label_low else upper)
    return ARROW_GAP + LABEL_MARGIN * labelled if crossed else PLAIN_GAP


def _points(arrow: Arrow, layout: Layout, row_of: dict[str, int]) -> Points:
    start, end = layout.boxes[arrow.start], layout.boxes[arrow.end]
    if arrow.lane:
        return _around(arrow, start, end, layout)
    if row_of[arrow.start] == row_of[arrow.end]:
        y = start.middle[1]
        return (
            [(start.right, y), (end.left - TIP, y)]
            if start.left < end.left
            else [(start.left, y), (end.right + TIP, y)]
        )
    down = start.top < end.top
    y_start, y_end = (start.bottom, end.top - TIP) if down else (start.top, end.bottom + TIP)
    left, right = max(start.left, end.left), min(start.right, end.right)
    if left < right:
        x = (left + right) / 2
        return [(x, y_start), (x, y_end)]
    x_start, x_end, y_bend = _near(start, end), _near(end, start), (y_start + y_end) / 2
    return [(x_start, y_start), (x_start, y_bend), (x_end, y_bend), (x_end, y_end)]


def _near(box: Rectangle, other: Rectangle) -> float:
    """Return the x where a bent arrow meets a box.

    The arrow meets the wider box at the end near the other box, so that it crosses no straight arrow.
    """
    if box.width <= other.width:
        return box.middle[0]
    return box.right - INSET if box.right < other.left else box.left + INSET


def _around(arrow: Arrow, start: Rectangle, end: Rectangle, layout: Layout) -> Points:
    """Return the points of an arrow in a lane.

    The outer lane meets the upper box above the inner lane, so that the two do not cross.
    """
    side, number = arrow.lane.split()
    beside = LANE_WIDTH * int(number) - 4
    content_left = min(box.left for box in layout.boxes.values())
    shift = LANE_SHIFT * (3 - 2 * int(number))
    y_start, y_end = start.middle[1], end.middle[1]
    y_start, y_end = (y_start + shift, y_end) if start.top < end.top else (y_start, y_end + shift)
    if side == "right":
        x, x_start, x_end = content_left + CONTENT_WIDTH + beside, start.right, end.right + TIP
    else:
        x, x_start, x_end = content_left - beside, start.left, end.left - TIP
    return [(x_start, y_start), (x, y_start), (x, y_end), (x_end, y_end)]


def _label(arrow: Arrow, points: Points, layout: Layout) -> list[Text]:
    """Return the lines of an arrow's label, which is beside the lane or to the right of a straight arrow."""
    if not arrow.label:
        return []
    style = "failed" if arrow.failure else "label"
    if not arrow.lane:
        (x, y1), (_, y2) = points[0], points[-1]
        return [Text(arrow.label, x + 8, (y1 + y2) / 2 + FONT_SIZE / 3, "start", style)]
    upper, lower = sorted((layout.boxes[arrow.start], layout.boxes[arrow.end]), key=lambda box: box.top)
    x = points[1][0]
    y = lower.top - LABEL_MARGIN if arrow.label_low else upper.bottom + LABEL_MARGIN + FONT_SIZE
    x_text, anchor = (x + 7, "start") if arrow.lane.startswith("left") else (x - 7, "end")
    return [Text(arrow.label, x_text, y, anchor, style)]
