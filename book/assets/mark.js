// Marks words in the text: shared by the search page and by the page that a hit leads to,
// `page.html?mark=word&mark=other#section`. Nothing in the page is changed by it.
const marks = {
  // What finds the words: whole ones, but code and Chinese anywhere.
  pattern(words) {
    const whole = (word) => /^[\p{L}\p{N}]+$/u.test(word) && !/\p{Script=Han}/u.test(word);
    const one = (word) => {
      const text = word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/\s+/g, "\\s+");
      return whole(word) ? `(?<![\\p{L}\\p{N}])${text}(?![\\p{L}\\p{N}])` : text;
    };
    const longest = [...words].sort((a, b) => b.length - a.length);
    return new RegExp(longest.map(one).join("|") || "(?!)", "giu");
  },

  // What belongs to an anchor: a section without its subsections, or an entry of a list.
  own(place) {
    if (place.tagName === "DT") return [place, place.nextElementSibling];
    return [...place.children].filter((child) => child.tagName !== "SECTION");
  },

  // The ranges in which an element says one of the words, across the tags inside it.
  ranges(element, found) {
    const skip = "script, style, .headerlink, mjx-container, .copy, [data-dlnotes-explorer]";
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const nodes = [];
    let text = "";
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node.parentElement.closest(skip)) continue;
      nodes.push([text.length, node]);
      text += node.data;
    }
    const at = (offset) => {
      const [start, node] = nodes.findLast(([from]) => from <= offset);
      return [node, offset - start];
    };
    return [...text.matchAll(found)].map((match) => {
      const range = new Range();
      range.setStart(...at(match.index));
      const [last, end] = at(match.index + match[0].length - 1);
      range.setEnd(last, end + 1);
      return range;
    });
  },

  // On arrival: mark the words in the section that the address names, and say how to stop.
  show() {
    const words = new URLSearchParams(location.search).getAll("mark");
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!words.length || !place || !CSS.highlights) return;
    const found = marks.own(place).flatMap((part) => marks.ranges(part, marks.pattern(words)));
    if (!found.length) return;
    const folds = found.map((range) => range.startContainer.parentElement.closest("details:not([open])"));
    if (folds.every(Boolean)) folds[0].open = true;
    CSS.highlights.set("found", new Highlight(...found));

    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "unmark";
    clear.textContent = "Remove the marks";
    const remove = () => {
      CSS.highlights.delete("found");
      clear.remove();
      removeEventListener("keydown", escape);
      const address = new URL(location.href);
      address.searchParams.delete("mark");
      history.replaceState(null, "", address);
    };
    const escape = (event) => { if (event.key === "Escape") remove(); };
    clear.addEventListener("click", remove);
    addEventListener("keydown", escape);
    document.querySelector("main").prepend(clear);
  },
};
