"""How long an explorer takes to redraw: ``python -m benchmarks.redraw [NAME …]``.

For each explorer, with every whole-numbered setting (steps, sizes) at its upper limit, each
slider is moved to 100 places over its range in headless Chromium. A redraw is what the page
does between the move and the moment when the new picture is laid out: script, style and
layout. Each move is made five times and the fastest counts, so that it is the page which is
measured and not what else the machine does. A frame lasts 16.7 ms; the aim is a 95th
percentile below 16 ms.
"""

import json
import sys
from statistics import median, quantiles

from playwright.sync_api import Browser, sync_playwright

from dlnotes.explorers import esm
from tests.browser import CHROMIUM, FLAGS

MOVES, PASSES = 100, 5
AIM = 16.0  # milliseconds

# The handlers of a move run before the awaited microtask does; then layout is asked for.
TIME = """async ([nth, moves]) => {
  const root = document.querySelector(".dlx");
  const input = root.querySelectorAll("input[type=range]:not(:disabled)")[nth];
  const [low, high] = [Number(input.min), Number(input.max)];
  const label = input.closest("label").innerText.split("\\n")[0];
  const times = [];
  for (let k = 0; k < moves; k += 1) {
    const share = ((k * 37) % moves) / (moves - 1); // there and back, not only onwards
    input.value = low + share * (high - low);
    const begin = performance.now();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await null;
    root.getBoundingClientRect();
    times.push(performance.now() - begin);
    await new Promise(requestAnimationFrame);
  }
  return [label, times];
}"""


def largest(name: str) -> dict[str, int]:
    """Return the settings of an explorer that make most work: whole numbers at their limit."""
    settings = esm.spec(name)["settings"]
    return {key: s["limits"][1] for key, s in settings.items() if s["type"] == "integer"}


def redraws(browser: Browser, name: str) -> dict[str, list[float]]:
    """Return the milliseconds of each redraw, by the slider that was moved."""
    measured = {}
    for nth in range(100):
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        page.set_content(
            f"<!doctype html><style>{esm.css([name])}</style>{esm.html(name, largest(name), '')}"
            f"<script>{esm.classic([name])}</script>"
        )
        if nth >= page.locator(".dlx input[type=range]:not(:disabled)").count():
            break
        passes = [page.evaluate(TIME, [nth, MOVES]) for _ in range(PASSES)]
        measured[passes[0][0]] = [min(times) for times in zip(*(t for _, t in passes), strict=True)]
        page.close()
    return measured


def main(names: list[str]) -> None:
    """Print one line for each slider of each explorer."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in names:
            print(f"{name} at {json.dumps(largest(name))}, {MOVES} moves of each slider")
            for label, times in redraws(browser, name).items():
                p95 = quantiles(times, n=20)[-1]
                verdict = "" if p95 < AIM else f"  over {AIM:g} ms"
                print(
                    f"  {label:24} median {median(times):5.1f} ms  p95 {p95:5.1f} ms  "
                    f"largest {max(times):5.1f} ms{verdict}"
                )
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:] or esm.names())
