// What every page does beyond plain HTML: colours, contents, copy buttons, scrolling by
// keyboard. Without JavaScript the pages read the same, in the system's colours.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Colours: as the system, light, dark. The head's script applies the choice.
  const modes = { auto: "as the system", light: "light", dark: "dark" };
  const button = document.querySelector(".mode");
  // The dark copy of a figure comes with dark colours, whoever chose them, but not on paper.
  const media = { auto: "(prefers-color-scheme: dark)", light: "not all", dark: "all" };
  const dress = (mode) => all("picture > source").forEach((source) => { source.media = media[mode]; });
  const label = () => {
    button.querySelector(".value").textContent = modes[root.dataset.mode];
    button.title = button.textContent;
    dress(root.dataset.mode);
  };
  button.addEventListener("click", () => {
    const names = Object.keys(modes);
    root.dataset.mode = names[(names.indexOf(root.dataset.mode) + 1) % names.length];
    try { localStorage.setItem("mode", root.dataset.mode); } catch { /* private window */ }
    dispatchEvent(new Event("modechange"));
    label();
  });
  label();

  // Contents: a drawer on a narrow screen.
  const menu = document.querySelector(".menu");
  const contents = document.getElementById("contents");
  const open = (yes) => {
    menu.setAttribute("aria-expanded", yes);
    root.classList.toggle("drawer", yes);
    if (yes) contents.querySelector("a").focus();
  };
  menu.addEventListener("click", () => open(menu.getAttribute("aria-expanded") !== "true"));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && root.classList.contains("drawer")) {
      open(false);
      menu.focus();
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      document.querySelector("header .search input").focus();
    }
  });
  document.querySelector(".middle").addEventListener("click", () => open(false));

  // Copy buttons.
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no clipboard on plain http: use a selection
      const area = document.body.appendChild(document.createElement("textarea"));
      area.value = text;
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  for (const block of all("div.cell_input div.highlight, div[class*=highlight-] > div.highlight")) {
    if (block.closest(".cell_output")) continue;
    const code = block.querySelector("pre");
    const make = document.createElement("button");
    make.type = "button";
    make.className = "plain copy";
    make.innerHTML = '<span class="icon icon-copy" aria-hidden="true"></span><span class="hidden" role="status">Copy</span>';
    make.addEventListener("click", async () => {
      await copy(code.textContent.replace(/\n$/, ""));
      make.classList.add("done");
      make.lastChild.textContent = "Copied";
      setTimeout(() => { make.classList.remove("done"); make.lastChild.textContent = "Copy"; }, 1500);
    });
    if (!block.querySelector(".copy")) block.append(make);
  }

  // What overflows can be reached and scrolled by keyboard, and only that.
  const names = { table: "Table", math: "Formula", text_html: "Output" };
  const reach = (box) => {
    const wide = box.scrollWidth > box.clientWidth + 1;
    if (wide) {
      const kind = Object.keys(names).find((name) => box.closest("." + name));
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `${names[kind] ?? "Code"}, scrolls sideways`);
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  };
  const watch = new ResizeObserver((entries) => entries.forEach((entry) => reach(entry.target)));
  all(".scroll, .text_html, pre").forEach((box) => watch.observe(box));

  // Where the reader is, in the list of sections.
  const links = new Map(all(".onpage a[href^='#']").map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
  const places = [...links.keys()].map((id) => document.getElementById(id));
  let current, waiting = false;
  const follow = () => {
    waiting = false;
    const last = places.findLast((place) => place?.getBoundingClientRect().top < 140);
    if (last === current) return;
    current = last;
    links.forEach((a, id) => id === last?.id ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current"));
  };
  const soon = () => { waiting ||= requestAnimationFrame(follow); };
  if (places.length) ["scroll", "resize", "load"].forEach((name) => addEventListener(name, soon, { passive: true }));
  soon();

  // A hit of the search sends its words along, to be marked.
  if (new URLSearchParams(location.search).has("mark")) {
    const script = document.createElement("script");
    script.src = `${root.dataset.content_root}_static/mark.js`;
    script.addEventListener("load", () => marks.show());
    document.head.append(script);
  }

  // Explorers are drawn for their size on the screen: they keep it on paper.
  const keep = (sizes) => all(".dlx, .dlx-plot, .dlx-net").map((box) => [box, sizes(box)])
    .forEach(([box, style]) => Object.assign(box.style, style));
  addEventListener("beforeprint", () => dress("light"));
  addEventListener("afterprint", () => dress(root.dataset.mode));
  addEventListener("beforeprint", () => keep((box) => {
    const { width, height } = box.getBoundingClientRect();
    const own = { boxSizing: "border-box", width: `${width}px` };
    return box.matches(".dlx") ? own : { ...own, height: `${height}px` };
  }));
  addEventListener("afterprint", () => keep(() => ({ boxSizing: "", width: "", height: "" })));
})();
