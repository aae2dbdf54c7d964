// Explorers in a page without a kernel.

// The part of anywidget's model that an explorer uses.
function staticModel(state) {
  const values = { ...state };
  const listeners = new Map();
  return {
    get: (key) => values[key],
    set(key, value) {
      if (JSON.stringify(values[key]) === JSON.stringify(value)) return;
      values[key] = value;
      for (const listener of listeners.get(`change:${key}`) ?? []) listener();
    },
    save_changes() {},
    on(event, listener) {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(listener);
    },
    off: (event, listener) => listeners.get(event)?.delete(listener),
  };
}

// Replaces the fallback text in `el` with the explorer, started from `state`; the text
// stays until the explorer stands.
function mountStatic(explorer, el, state) {
  const fallback = [...el.childNodes];
  explorer.render({ model: staticModel(state), el });
  for (const node of fallback) node.remove();
  el.dataset.mounted = "";
}

// The address of this page with an explorer's state in it.
export const linkTo = (name, state) =>
  `${location.href.split("#")[0]}#${name}=${encodeURIComponent(JSON.stringify(state))}`;

// The state that the address holds for an explorer, or null.
function linked(name) {
  const [key, text] = location.hash.slice(1).split("=");
  if (key !== name) return null;
  try {
    return JSON.parse(decodeURIComponent(text));
  } catch {
    return null; // an address that was cut: the page's own state will do
  }
}

// Mounts each div of the page that names one of `explorers`. One that fails keeps its
// fallback text, and the others are mounted all the same.
export function mountAll(explorers) {
  const mount = () => {
    const taken = new Set(); // a link is for the first explorer of its name
    for (const el of document.querySelectorAll("div[data-dlnotes-explorer]:not([data-mounted])")) {
      const { dlnotesExplorer: name, state = "{}" } = el.dataset;
      if (!Object.hasOwn(explorers, name)) continue;
      try {
        const link = taken.has(name) ? null : linked(name);
        taken.add(name);
        mountStatic(explorers[name], el, { ...JSON.parse(state), ...link });
        if (link) el.scrollIntoView();
      } catch (error) {
        console.error(`The explorer "${name}" could not start:`, error);
      }
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
}
