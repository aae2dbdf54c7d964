// Numbers as a reader reads them. Pure functions.

// A number that is shown, under the name by which the Python class knows it: `numbers()`
// of the explorer must hold the same under this name. Several numbers in one text ("3 of
// 40") make one quantity, whose value in Python is the tuple of them.
export const quantity = (name, text) => ({ name, text });

// The plain text of a list of strings and quantities.
export const textOf = (parts) => parts.map((part) => part.text ?? part).join("");

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴" };
Object.assign(SUPERSCRIPT, { 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" });
export const powerOfTen = (k) => `10${[...String(k)].map((c) => SUPERSCRIPT[c]).join("")}`;

// A number as a reader writes it: 3 significant digits unless told, a true minus, × 10ᵏ when
// long, then with `digits` decimals.
export function number(value, digits = 1, significant = 3) {
  if (!Number.isFinite(value)) return "not a number";
  const size = Math.abs(value);
  let text;
  if (value === 0) text = "0";
  else if (size < 1e-3 || size >= 1e4) {
    const [mantissa, exponent] = size.toExponential(digits).split("e");
    text = `${mantissa} × ${powerOfTen(Number(exponent))}`;
  } else text = String(Number(size.toPrecision(significant)));
  return value < 0 ? `−${text}` : text;
}

// A number as a chapter prints it: `places` decimals, or more where two digits need
// them, no zeros at the end beyond hundredths, a true minus, × 10ᵏ when it is long.
export function decimals(value, places = 9) {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (!(size >= 1e-6 && size < 1e6)) return number(value, places > 6 ? 4 : 1);
  const text = size.toFixed(Math.max(places, 1 - Math.floor(Math.log10(size))));
  return (value < 0 ? "−" : "") + text.replace(/(\.\d\d\d*?)0+$/, "$1");
}
