import { button, make } from "../../shared/dom.js";

const STEPS = [
  [".part-input", "input"],
  [".map", "map"],
  [".part-output", "output"],
  [".part-sliders", "sliders"],
  [".part-panel", "panel"],
];

/**
 * Five cards, each beside the part of the page that it speaks of.
 * @param {Pick<import("../scene/app.js").App, "root" | "text" | "closePopups">} app
 */
export function startTour(app) {
  const { root, text } = app;
  app.closePopups?.();
  const steps = STEPS.flatMap(([selector, name]) => {
    const target = root.querySelector(selector);
    return target instanceof HTMLElement && target.offsetParent ? [{ target, name }] : [];
  });
  const card = make("div", { class: "tour", role: "dialog", "aria-label": text("tour"), tabindex: -1 });
  root.append(card);
  let at = 0;
  const end = () => {
    card.remove();
    mark(null);
    app.closePopups = undefined;
    return true;
  };
  app.closePopups = end;
  /** @param {HTMLElement | null} target */
  const mark = (target) => {
    root.querySelectorAll(".lit").forEach((element) => element.classList.remove("lit"));
    target?.classList.add("lit");
  };
  const show = () => {
    const { target, name } = steps[at];
    mark(target);
    const last = at === steps.length - 1;
    const next = button(text(last ? "tour_end" : "tour_next"), () => (last ? end() : move(1)), {
      class: "strong",
      "data-action": "tour-next",
    });
    card.replaceChildren(
      make("p", { class: "muted" }, text("tour_step", { n: at + 1, count: steps.length })),
      make("b", {}, text(`tour_${name}_title`)),
      make("p", {}, text(`tour_${name}`)),
      make(
        "div",
        { class: "buttons" },
        at > 0 && button(text("tour_back"), () => move(-1)),
        next,
        !last && button(text("tour_skip"), end, { class: "quiet" }),
      ),
    );
    place(root, card, target);
    next.focus({ preventScroll: true });
  };
  /** @param {number} by */
  const move = (by) => {
    at += by;
    show();
  };
  show();
}

/**
 * Beside the target where there is room, else over its lower part.
 * @param {HTMLElement} root
 * @param {HTMLElement} card
 * @param {HTMLElement} target
 */
function place(root, card, target) {
  target.scrollIntoView({ block: "nearest" });
  const zoom = root.getBoundingClientRect().width / root.offsetWidth || 1;
  const [base, box] = [root.getBoundingClientRect(), target.getBoundingClientRect()];
  const [left, right] = [(box.left - base.left) / zoom, (box.right - base.left) / zoom];
  const [top, bottom] = [(box.top - base.top) / zoom, (box.bottom - base.top) / zoom];
  const [width, height] = [card.offsetWidth, card.offsetHeight];
  let [x, y] = [right + 12, top + 24];
  if (x + width > root.offsetWidth) x = left - width - 12;
  if (x < 0) {
    x = Math.max(8, Math.min((left + right - width) / 2, root.offsetWidth - width - 8));
    y = top > height + 16 ? top - height - 12 : bottom - height - 16;
  }
  card.style.left = `${x}px`;
  card.style.top = `${Math.max(4, Math.min(y, root.offsetHeight - height - 4))}px`;
}
