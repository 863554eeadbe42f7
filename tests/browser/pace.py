"""Measure how smoothly ten thousand images scroll. Usage: `make test-browser ONLY=tests/browser/pace.py`

This is not part of `make test`: it takes two minutes, and only an idle machine shows frames in time. Therefore the
limit applies to the CPU time of the page's main thread, which other programs do not affect: a task of more than 50 ms
delays a frame on any machine. The report has the times of frames and of tasks.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.mocked_catalog import image
from tests.browser.test_scrolling import IMAGE_COUNT, MAX_HEAP_BYTES, TO_THE_END, heap_bytes
from tests.browser.views import Gallery

WHEEL_TURNS = 300
SLOW_MS = 50
MAX_SLOW_SHARE = 0.05
# The names of a task in traces of Chromium, by its version
TASKS = {"RunTask", "ThreadControllerImpl::RunTask"}
# This script records the times between frames in `window.frames_ms`.
RECORD = """() => {
    window.frames_ms = [];
    let last = performance.now();
    const note = (now) => {
        window.frames_ms.push(now - last);
        last = now;
        requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
}"""


def task_times(trace: bytes) -> list[float]:
    """Return the CPU time in ms of each task of the page's main thread: the thread with the most function calls."""
    events: list[dict[str, Any]] = json.loads(trace)["traceEvents"]
    calls = Counter((event["pid"], event["tid"]) for event in events if event["name"] == "FunctionCall")
    main_thread = calls.most_common(1)[0][0]
    return [
        event["tdur"] / 1000
        for event in events
        if event["name"] in TASKS and (event["pid"], event["tid"]) == main_thread and "tdur" in event
    ]


def scrolled(browser: Browser, page: Page, pixels: int) -> dict[str, float]:
    """Scroll with the wheel. Return the number of frames, and how many frames and tasks took longer than 50 ms."""
    page.mouse.move(640, 500)
    page.evaluate(RECORD)
    browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
    for _ in range(WHEEL_TURNS):
        page.mouse.wheel(0, pixels)
    tasks = task_times(browser.stop_tracing())
    frames: list[float] = page.evaluate("window.frames_ms")
    return {
        "frames": len(frames),
        "frames over 50 ms": sum(frame > SLOW_MS for frame in frames),
        "tasks": len(tasks),
        "tasks over 50 ms of processor time": sum(task > SLOW_MS for task in tasks),
        "longest task in ms": round(max(tasks)),
    }


def test_ten_thousand_images_scroll_smoothly(
    catalog_of: Callable[..., Gallery], browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery = catalog_of([image(number) for number in range(IMAGE_COUNT)])
    page = gallery.page
    gallery.enter()
    expect(page.locator(".tile").first).to_be_visible()
    measured = {"while pages load": scrolled(browser, page, 400)}
    page.evaluate(TO_THE_END)
    expect(page.locator("#more")).to_have_text("Total: 10,000")
    page.evaluate("scrollTo(0, 0)")
    measured |= {"by wheel": scrolled(browser, page, 400), "by fast wheel": scrolled(browser, page, 3000)}
    heap = heap_bytes(page)
    with capsys.disabled():
        print(f"\n{json.dumps(measured | {'heap in MB': round(heap / 1e6, 1)}, indent=2)}")
    assert heap < MAX_HEAP_BYTES
    for name, result in measured.items():
        assert result["tasks"] > WHEEL_TURNS, f"the trace of scrolling {name} is not complete"
        assert result["tasks over 50 ms of processor time"] < MAX_SLOW_SHARE * result["frames"], name
