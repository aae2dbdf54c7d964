"""How fast the playground trains: ``python -m benchmarks.playground``.

In headless Chromium: an epoch of 200 training points through 2-8-8-1 in batches of 10, for
each activation; and the frames while Play trains that network, from one to the next. The
aims are 5 ms an epoch and frames of 16.7 ms at the 95th percentile (the display's own).
"""

from statistics import median, quantiles

from playwright.sync_api import Page, sync_playwright

from dlnotes.explorers import esm
from tests.browser import CHROMIUM, FLAGS

STATE = {"points": 400, "share": 0.5, "units1": 8, "units2": 8, "pace": 60}

EPOCHS = """([settings, count]) => {
  const { start, epoch } = files["playground/training.js"];
  const run = start({ ...settings, hidden: [8, 8] });
  const times = [];
  for (let k = 0; k < count; k += 1) {
    const begin = performance.now();
    epoch(run);
    times.push(performance.now() - begin);
  }
  return times;
}"""

FRAMES = """count => new Promise((done) => {
  const times = [];
  let before;
  const tick = (now) => {
    if (before !== undefined) times.push(now - before);
    before = now;
    if (times.length < count) requestAnimationFrame(tick);
    else done(times);
  };
  requestAnimationFrame(tick);
})"""


def epochs(page: Page) -> None:
    """Print how long an epoch takes with each activation."""
    settings = {key: s["default"] for key, s in esm.spec("playground")["settings"].items()}
    for activation in esm.spec("playground")["settings"]["activation"]["choices"]:
        chosen = {**settings, **STATE, "activation": activation}
        times = page.evaluate(EPOCHS, [chosen, 150])[50:]
        print(
            f"  epoch with {activation:12} median {median(times):5.2f} ms  "
            f"p95 {quantiles(times, n=20)[-1]:5.2f} ms"
        )


def frames(page: Page) -> None:
    """Print how long frames last while the network trains."""
    page.get_by_role("button", name="Play").click()
    page.evaluate(FRAMES, 30)
    times = page.evaluate(FRAMES, 300)
    print(
        f"  frame while training   median {median(times):5.2f} ms  "
        f"p95 {quantiles(times, n=20)[-1]:5.2f} ms"
    )


def main() -> None:
    """Measure in one page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        page.set_content(
            f"<!doctype html><style>{esm.css(['playground'])}</style>"
            f"{esm.html('playground', STATE, '')}<script>{esm.classic(['playground'])}</script>"
            f"<script>{esm.joined(['playground/training.js'])}</script>"
        )
        print("200 training points, 2-8-8-1, batches of 10")
        epochs(page)
        frames(page)
        browser.close()


if __name__ == "__main__":
    main()
