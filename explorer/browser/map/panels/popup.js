import { make } from "../../shared/dom.js";

/**
 * Open a small window under `anchor`; Escape or a click elsewhere closes it.
 * @param {Pick<import("../scene/app.js").App, "root" | "closePopups">} app
 * @param {HTMLElement} anchor
 * @param {HTMLElement} content
 * @param {string} label
 * @returns {() => void} which closes it
 */
export function openPopup(app, anchor, content, label) {
  const wasOpen = anchor.getAttribute("aria-expanded") === "true";
  app.closePopups?.();
  if (wasOpen) return () => {};
  const popup = make("div", { class: "popup", role: "dialog", "aria-label": label }, content);
  const root = app.root;
  root.append(popup);
  anchor.setAttribute("aria-expanded", "true");
  const [base, box] = [root.getBoundingClientRect(), anchor.getBoundingClientRect()];
  const zoom = base.width / root.offsetWidth || 1;
  popup.style.top = `${(box.bottom - base.top) / zoom + 4}px`;
  const left = (box.left - base.left) / zoom;
  popup.style.left = `${Math.max(4, Math.min(left, root.offsetWidth - popup.offsetWidth - 4))}px`;
  const close = () => {
    popup.remove();
    anchor.setAttribute("aria-expanded", "false");
    root.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("pointerdown", away);
    app.closePopups = undefined;
  };
  /** @param {PointerEvent} event */
  const outside = ({ target }) => {
    if (target instanceof Node && !popup.contains(target) && !anchor.contains(target)) close();
  };
  /** @param {PointerEvent} event */
  const away = (event) => {
    if (!event.composedPath().includes(root)) close();
  };
  root.addEventListener("pointerdown", outside, true);
  document.addEventListener("pointerdown", away);
  app.closePopups = () => {
    close();
    return true;
  };
  return close;
}
