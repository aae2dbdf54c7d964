// HTML and SVG elements. A child is a node, a string or a quantity; no text is ever read
// as markup, so a state from outside cannot bring any.

function fill(element, children, wrap) {
  const plain = (child) => typeof child === "string" || child instanceof Node;
  element.replaceChildren(...children.map((child) => (plain(child) ? child : wrap(child))));
  return element;
}

// An element with attributes and listeners (functions under on…).
export function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  return write(element, children);
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return fill(element, children, ({ name, text }) => svg("tspan", { "data-number": name }, text));
}

// Replaces what an HTML element says.
export const write = (element, children) =>
  fill(element, children, ({ name, text }) => html("span", { "data-number": name }, text));

// A name in a legend, after a sample of the line, area or dot that it is the name of.
export const legendKey = (shape, ...text) =>
  html("span", { class: "dlx-key" }, svg("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, shape), ...text);
