// Dragging what a plot shows by a handle over it, and moving it with the arrow keys.

// A mouse may press anywhere in the plot; a finger drags the handle only, and elsewhere a tap
// that did not become a scroll places it. `where()` says where the handle stands, in pixels of
// the plot; `follow(point)` moves it; `commit()` is called when it is let go.
export function draggable(plot, handle, { where, follow, commit }) {
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const onHandle = event.target === handle;
    const box = plot.getBoundingClientRect();
    const at = (e) => [e.clientX - box.left, e.clientY - box.top];
    const down = at(event);
    const grip = onHandle ? where().map((v, i) => v - down[i]) : [0, 0];
    const move = (e) => follow(at(e).map((v, i) => v + grip[i]));
    const drags = onHandle || event.pointerType === "mouse";
    const end = (e) => {
      for (const [type, listener] of listeners) plot.removeEventListener(type, listener);
      const still = Math.hypot(...at(e).map((v, i) => v - down[i])) < 8;
      if (!drags && e.type === "pointerup" && still) move(e);
      commit();
    };
    const listeners = [["pointerup", end], ["pointercancel", end]];
    if (drags) {
      event.preventDefault();
      plot.focus({ preventScroll: true, focusVisible: false });
      plot.setPointerCapture(event.pointerId);
      listeners.push(["pointermove", move]);
      if (!onHandle) move(event);
    }
    for (const [type, listener] of listeners) plot.addEventListener(type, listener);
  });
}

// The arrow keys of a plot that has the focus: `move([right, up])`, each -1, 0 or 1, or a
// fifth of it with Shift.
export function arrowKeys(plot, move) {
  plot.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(way.map((v) => (event.shiftKey ? v / 5 : v)));
  });
}
