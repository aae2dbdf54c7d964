// Labelled controls. Each has an `element`, and `set` shows a value without reporting it.
import { html, write } from "./elements.js";
import { number, quantity, textOf } from "./numbers.js";
import { SCALES, clamp } from "./settings.js";

// `change(value)` runs while the slider moves, `commit()` when it is let go. `format` turns
// a value into the text beside the label: strings and quantities.
export function slider({ name, label, limits: [min, max], step, scale = "linear", format, change, commit }) {
  const { to, from } = SCALES[scale];
  const parts = format ?? ((value) => [quantity(name, String(value))]);
  const title = html("span", {}, label);
  const shown = html("span", { class: "dlx-value" });
  const input = html("input", {
    type: "range",
    min: to(min),
    max: to(max),
    step,
    oninput: () => change(clamp(from(Number(input.value)), min, max)),
    onchange: () => commit?.(),
  });
  return {
    element: html("label", { class: "dlx-control" }, html("span", { class: "dlx-head" }, title, shown), input),
    set(value, { text = label, disabled = false, upTo = max } = {}) {
      title.textContent = text;
      input.disabled = disabled;
      input.max = to(upTo);
      input.value = to(value);
      const said = disabled ? ["–"] : parts(value);
      write(shown, said);
      input.setAttribute("aria-valuetext", disabled ? "not used" : textOf(said));
    },
  };
}

// `choices` maps values to what the reader sees.
export function select({ label, choices, change }) {
  const options = Object.entries(choices).map(([value, text]) => html("option", { value }, text));
  const input = html("select", { onchange: () => change(input.value) }, ...options);
  return {
    element: html("label", { class: "dlx-control" }, html("span", { class: "dlx-head" }, label), input),
    set(value, { disabled = false } = {}) {
      input.disabled = disabled;
      input.value = value;
    },
  };
}

// A number that is typed. It counts once it is finished: with Enter, or on leaving the
// field; Escape brings the old one back. `change(value)` runs for a number within the
// limits; anything else stays as typed, is marked, and `wrong(parts)` says what would do.
export function field({ name, label, limits: [min, max], step, change, wrong }) {
  const [least, most] = [min, max].map((end, i) => quantity(`${name}.limits.${i}`, number(end)));
  let current, written;
  const judge = (good) => {
    input.setAttribute("aria-invalid", !good);
    wrong(good ? [] : [`${label} must be a number from `, least, " to ", most, ". "]);
  };
  const finish = () => {
    if (input.value === written) return judge(true);
    const value = input.value === "" ? NaN : Number(input.value);
    const good = value >= min && value <= max;
    judge(good);
    if (good && value !== current) change(value);
  };
  const restore = (event) => {
    if (event.key !== "Escape") return;
    input.value = written;
    judge(true);
  };
  const input = html("input", {
    type: "number", min, max, step, "data-number": name, onchange: finish, onkeydown: restore,
  });
  return {
    element: html("label", { class: "dlx-control dlx-field" }, html("span", {}, label), input),
    // `text` is what to show for the value. What the reader is typing is left alone, unless
    // the value has changed or everything is to be shown `afresh`.
    set(value, text = String(value), afresh = false) {
      if (value === current && !afresh) return;
      current = value;
      input.value = written = text;
      judge(true);
    },
  };
}

export function checkbox({ label, change }) {
  const input = html("input", { type: "checkbox", onchange: () => change(input.checked) });
  return {
    element: html("label", { class: "dlx-check" }, input, label),
    set(value) {
      input.checked = value;
    },
  };
}

export function button(label, onclick) {
  return html("button", { type: "button", class: "dlx-button", onclick }, label);
}
