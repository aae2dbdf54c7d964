// The search page: finds sections in BOOK (search-index.js), shows a line of each, and
// sends the words along, so that the page marks them. A word is looked up as it is
// written, by its stem, by its beginning, and as a slip of the pen if nothing else is
// found; code and quotations letter by letter; Chinese through the glossary.
(() => {
  "use strict";
  const { pages, parts, terms } = BOOK;
  const COUNTS = [2, 6, 3, 1.5]; // what a word counts in title, heading, prose, code
  const AT_ONCE = 20; // hits shown at first
  const HAN = /\p{Script=Han}/u;

  // ---- words --------------------------------------------------------------------
  const fields = parts.map(([page, , heading, prose, code]) => [pages[page][1], heading, prose, code]);
  const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const compounds = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu) ?? [];
  const vocabulary = new Set(compounds(fields.flat().join(" "))); // "warmup" is a slip of "warm-up"
  for (const compound of [...vocabulary]) compound.split("-").forEach((word) => vocabulary.add(word));
  // British and American spellings, and the forms of a word, have one stem.
  const stem = (word) => word.replace(/is(e[drs]?|ing|ations?)$/, "iz$1").replace(/our/, "or")
    .replace(/(?<=...)(?:ations?|ings?|ers?|ed|es|e|s)$/, "");
  const families = Map.groupBy(vocabulary, (word) => stem(word.replaceAll("-", "")));
  const stems = (text) => words(text).map(stem).join(" ");

  // How many letters are wrong, left out, added or swapped; `limit` + 1 if more.
  const slips = (a, b, limit) => {
    if (Math.abs(a.length - b.length) > limit) return limit + 1;
    let before, row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= b.length; j += 1) {
        next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1]));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
          next[j] = Math.min(next[j], before[j - 2] + 1);
        }
      }
      if (Math.min(...next) > limit) return limit + 1;
      [before, row] = [row, next];
    }
    return row[b.length];
  };

  // The words of the book that a word of the query may mean, and how surely.
  const meant = (word, last) => {
    const sure = new Map((families.get(stem(word)) ?? []).map((kin) => [kin, kin === word ? 1 : 0.8]));
    if (word.length > 1 && (last || !sure.size)) {
      for (const longer of vocabulary) {
        if (longer.startsWith(word) && !sure.has(longer)) sure.set(longer, (0.6 * word.length) / longer.length);
      }
    }
    let limit = sure.size || word.length < 4 ? -1 : word.length < 8 ? 1 : 2;
    for (const other of limit < 0 ? [] : vocabulary) {
      // A slip comes later than the first letter, or swaps it: "decrease" is no "increase".
      if (other[0] !== word[0] && !(other[0] === word[1] && other[1] === word[0])) continue;
      const wrong = slips(word, other, limit);
      if (wrong < limit) sure.clear();
      if (wrong <= limit) sure.set(other, 0.5);
      limit = Math.min(limit, wrong);
    }
    return sure;
  };

  // ---- query --------------------------------------------------------------------
  // One wish of a query: the texts that fulfil it, and what each part scores for it.
  const wishes = new Map();
  const wish = (said, means) => {
    const key = JSON.stringify([...means]);
    if (!wishes.has(key)) {
      const found = marks.pattern([...means.keys()]);
      const scores = new Map();
      const inside = new Set();
      fields.forEach((texts, part) => {
        const [title, heading, prose, code] = texts.map((text) =>
          (text.match(found) ?? []).reduce((sum, match) => sum + (means.get(match.toLowerCase()) ?? 1), 0));
        if (!(title + heading + prose + code)) return;
        if (heading + prose + code) inside.add(part);
        const often = prose / (prose + 0.6 + texts[2].length / 1500);
        const capped = [Math.min(1, title), Math.min(1, heading), often, Math.min(1, code)];
        scores.set(part, capped.reduce((sum, value, field) => sum + value * COUNTS[field], 0));
      });
      // What an entry of the glossary says, it says of the section that it leads to.
      for (const [, , entry, section] of terms) {
        if (inside.has(entry) && section >= 0) {
          inside.add(section);
          scores.set(section, (scores.get(section) ?? 0) + 0.6 * scores.get(entry));
        }
      }
      wishes.set(key, { said, means, scores, inside, rare: Math.log(1 + parts.length / (1 + inside.size)) });
    }
    return wishes.get(key);
  };
  const letters = (text) => wish(text, new Map([[text, 1]]));

  const asked = (query) => {
    const [wanted, rest] = chinese(query.normalize("NFKC").toLowerCase());
    const pieces = rest.match(/"[^"]+"?|\p{Script=Han}+|[^\s"\p{Script=Han}]+/gu) ?? [];
    return wanted.concat(pieces.flatMap((piece, index) => {
      const text = piece.replace(/"|\(\)$/g, "").trim();
      if (HAN.test(text)) return begun(text);
      const single = words(text).map((word) => wish(word, meant(word, index === pieces.length - 1)));
      const exact = piece.startsWith('"') || /[\p{L}\p{N}][._=([]+[\p{L}\p{N}]/u.test(text);
      return exact && letters(text).inside.size ? [{ ...letters(text), also: letters(text.split(".").at(-1)) }] : single;
    }));
  };

  // Chinese has no spaces: the longest names that the glossary knows are taken out of it.
  const names = terms.flatMap(([english, chinese]) => chinese.map((name) => [name.toLowerCase(), english[0]]))
    .sort((a, b) => b[0].length - a[0].length);
  const entry = ([name, english]) => words(english).map((word) => ({ ...wish(word, meant(word, false)), name }));
  const chinese = (text) => {
    const wanted = [];
    for (const known of HAN.test(text) ? names : []) {
      if (!text.includes(known[0])) continue;
      text = text.replace(known[0], " ");
      wanted.push(...entry(known));
    }
    return [wanted, text];
  };
  const begun = (text) => {
    const known = names.findLast(([name]) => name.includes(text));
    return known ? entry(known) : [letters(text)];
  };

  // The parts that say what is asked, the best first, each with its score.
  const search = (query) => {
    const wanted = asked(query);
    const all = wanted.reduce((sum, { rare }) => sum + rare, 0);
    const sums = new Map();
    for (const { scores, rare, also } of wanted) {
      for (const [part, score] of scores) {
        const more = 0.3 * (also?.scores.get(part) ?? 0); // `no_grad` says much of `torch.no_grad`
        const [sum, share] = sums.get(part) ?? [0, 0];
        sums.set(part, [sum + rare * (score + more), share + rare / all]);
      }
    }
    // Words in a row, as the book spells them: a heading, or the name of an entry.
    const line = wanted.map(({ said, means }) => stem(means.has(said) ? said : [...means.keys()][0] ?? "")).join(" ");
    for (const [english, , ...places] of terms) {
      if (!english.some((name) => stems(name) === line)) continue;
      for (const part of places) {
        wanted[0].inside.add(part);
        sums.set(part, [(sums.get(part)?.[0] ?? 0) + 12 * all, 1]);
      }
    }
    const most = Math.max(...[...sums.values()].map(([, share]) => share));
    const says = ([part, [, share]]) => share > most / 2 && wanted.some(({ inside }) => inside.has(part));
    const hits = [...sums].filter(says).map(([part, [sum, share]]) => {
      const [page, , heading] = parts[part];
      const row = wanted.length > 1 && ` ${stems(heading)} `.includes(` ${line} `) ? 1.6 : 1;
      const named = `.${heading}`.endsWith(`.${query.trim().replace(/\(\)$/, "")}`) ? 4 : 1; // fit, nn.Linear
      return [part, sum * share ** 3 * row * named * pages[page][2]];
    }).sort((a, b) => b[1] - a[1]);
    return { wanted, hits };
  };

  // ---- page ---------------------------------------------------------------------
  const form = document.querySelector("form.search.wide");
  const input = form.querySelector("input");
  const list = document.getElementById("hits");
  const status = document.getElementById("hits-status");
  const more = document.getElementById("hits-more");

  const make = (tag, className, ...children) => {
    const element = document.createElement(tag);
    element.className = className;
    element.append(...children);
    return element;
  };

  // A text whose matches are marked, as nodes.
  const marked = (text, found) => {
    let end = 0;
    const nodes = [...text.matchAll(found)].flatMap((match) => {
      const before = text.slice(end, match.index);
      end = match.index + match[0].length;
      return [before, make("mark", "", match[0])];
    });
    return [...nodes, text.slice(end)];
  };

  // The line of a text that says most of what was asked.
  const excerpt = (text, found) => {
    const matches = [...text.matchAll(found)].map((match) => [match.index, match[0].toLowerCase()]);
    const near = (start) => new Set(matches.filter(([at]) => at >= start && at < start + 120).map(([, word]) => word));
    const [best] = matches.map(([at]) => at).sort((a, b) => near(b).size - near(a).size || a - b);
    const from = (best ?? 0) < 70 ? 0 : text.indexOf(" ", best - 70) + 1;
    const to = from + 200 < text.length ? text.lastIndexOf(" ", from + 200) : text.length;
    return `${from ? "… " : ""}${text.slice(from, to)}${to < text.length ? " …" : ""}`;
  };

  const hit = (part, wanted) => {
    const [page, anchor, heading, prose, code] = parts[part];
    const found = marks.pattern(wanted.flatMap(({ means, name = [] }) => [...means.keys()].concat(name)));
    const said = new Set(`${heading} ${prose} ${code}`.toLowerCase().match(found));
    const [url, title] = pages[page];
    const query = new URLSearchParams([...said].slice(0, 8).map((word) => ["mark", word]));
    const link = make("a", "", ...marked(heading, found));
    link.href = `${url}${said.size ? `?${query}` : ""}#${anchor}`;
    const item = make("li", "", link);
    if (heading !== title) item.append(make("p", "where", title));
    const names = code.split(" ").filter((name) => name.match(found));
    if (prose && (prose.match(found) || !names.length)) {
      item.append(make("p", "context", ...marked(excerpt(prose, found), found)));
    } else if (names.length) {
      item.append(make("p", "context", "In its code: ", make("code", "", ...marked(names.slice(0, 6).join(" "), found))));
    }
    return item;
  };

  const report = (query, wanted, hits) => {
    if (!query) return "";
    if (!hits.length) return `Nothing found for “${query}”.`;
    const slipped = wanted.filter(({ means }) => Math.max(...means.values()) === 0.5)
      .map(({ said, means }) => `“${said}” is not in the book, shown: “${[...means.keys()].join("”, “")}”. `);
    return `${slipped.join("")}${hits.length} ${hits.length === 1 ? "section" : "sections"} for “${query}”.`;
  };

  let announce, shown;
  const show = () => {
    const query = input.value.trim();
    if (query === shown) return;
    shown = query;
    const { wanted, hits } = search(query);
    const next = () => {
      const rest = hits.slice(list.children.length);
      list.append(...rest.slice(0, AT_ONCE).map(([part]) => hit(part, wanted)));
      more.hidden = rest.length <= AT_ONCE;
    };
    list.replaceChildren();
    next();
    more.onclick = () => {
      const first = list.children.length;
      next();
      list.children[first].querySelector("a").focus();
    };
    clearTimeout(announce); // one message when the typing pauses
    announce = setTimeout(() => { status.textContent = report(query, wanted, hits); }, 400);
    const address = new URL(location.href);
    address.searchParams.set("q", query);
    history.replaceState(null, "", address); // for the way back from a hit
  };

  let wait;
  input.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(show, 120);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
    list.querySelector("a")?.focus();
  });
  document.querySelector("article").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [input, ...list.querySelectorAll("a")];
    const here = stops.indexOf(document.activeElement);
    if (!step || here < 0 || !stops[here + step]) return;
    event.preventDefault();
    stops[here + step].focus();
  });
  input.value = new URLSearchParams(location.search).get("q") ?? "";
  if (input.value) show();
})();
