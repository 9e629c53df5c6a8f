import { make } from "../shared/dom.js";
import { createText } from "../shared/text.js";
import { words } from "./data.js";
import { frame } from "./frame.js";
import { cleanName, cleanNumber, variantOf, writeLine } from "./line.js";

/**
 * The questions of a sheet beside the page that they speak of: the student's numbers become one line.
 * What is right is not known here.
 * @typedef {{values: Record<string, number>, page: string}} Variant
 * @typedef {{id: string, ask: string, unit: string, seed: number, variants: Variant[]}} Question
 */

class Exercises {
  /**
   * @param {HTMLElement} root
   * @param {{sheet: string, questions: Question[]}} sheet
   */
  constructor(root, sheet) {
    this.sheet = sheet;
    this.text = createText(words());
    this.store = `latent-explorer ${sheet.sheet}`;
    /** @type {Record<string, string>} */
    this.typed = this.recall();
    this.name = /** @type {HTMLInputElement} */ (this.field("name", this.text("name"), { autocomplete: "name" }));
    this.items = sheet.questions.map((question, place) => this.question(question, place));
    this.line = make("textarea", { readOnly: true, rows: 3, "data-role": "line", "aria-label": this.text("line") });
    this.state = make("p", { role: "status" });
    this.copy = make("button", { type: "button", "data-action": "copy-line", onclick: () => this.hand() }, this.text("copy"));
    this.beside = make("iframe", { name: "beside", title: this.text("beside") });
    const asked = make("div", { class: "asked" },
      make("label", {}, this.text("name"), this.name),
      make("ol", {}, ...this.items.map(({ item }) => item)),
      make("div", { class: "handed" }, make("p", {}, this.text("how")), this.line, this.copy, this.state));
    root.replaceChildren(asked, make("div", { class: "beside" }, this.beside));
    this.update();
    root.dataset.ready = "true";
  }

  /**
   * @param {string} key
   * @param {string} label
   * @param {Record<string, unknown>} more
   */
  field(key, label, more) {
    const value = this.typed[key] ?? "";
    return make("input", { type: "text", value, "aria-label": label, "data-key": key, oninput: () => this.update(), ...more });
  }

  /**
   * @param {Question} question
   * @param {number} place
   */
  question(question, place) {
    const label = this.text("answer", { number: place + 1 });
    const input = /** @type {HTMLInputElement} */ (this.field(`=${question.id}`, label, { inputMode: "decimal" }));
    const ask = make("p");
    const link = make("a", { target: "beside" }, this.text("open"));
    link.addEventListener("click", () => {
      // On a narrow screen nothing stands beside: the page opens by itself.
      link.target = this.beside.offsetParent ? "beside" : "_blank";
    });
    const told = make("span", { class: "told", role: "alert" });
    const unit = question.unit && make("span", { class: "unit" }, question.unit);
    const item = make("li", {}, ask, make("p", { class: "answer" }, input, unit, link, told));
    return { question, item, ask, link, input, told };
  }

  update() {
    const name = cleanName(this.name.value);
    /** @type {[string, string][]} */
    const numbers = [];
    let unread = 0;
    for (const { question, ask, link, input, told } of this.items) {
      const chosen = question.variants[variantOf(question, name)];
      const known = name !== "" || question.variants.length === 1;
      ask.textContent = known ? createText({ ask: question.ask })("ask", chosen.values) : this.text("first_name");
      link.hidden = input.disabled = !known;
      link.href = chosen.page;
      const number = cleanNumber(input.value);
      const isWrong = input.value.trim() !== "" && number === "";
      told.textContent = isWrong ? this.text("no_number") : "";
      input.setAttribute("aria-invalid", String(isWrong));
      if (isWrong) unread += 1;
      if (number) numbers.push([question.id, number]);
    }
    const isWhole = name !== "" && numbers.length > 0 && unread === 0;
    this.line.value = isWhole ? writeLine(this.sheet.sheet, name, numbers) : "";
    this.copy.disabled = !isWhole;
    const left = this.items.length - numbers.length;
    this.state.textContent = isWhole && left ? this.text("left", { count: left }) : "";
    this.keep();
  }

  async hand() {
    this.line.select();
    try {
      await navigator.clipboard.writeText(this.line.value);
      this.state.textContent = this.text("copied");
    } catch {
      // Pages from the disk may not write to the clipboard: the line is marked, ready to be copied.
      this.state.textContent = this.text("marked");
    }
  }

  /** What was typed outlives a reload, and ends with the tab. */
  keep() {
    const typed = Object.fromEntries([this.name, ...this.items.map(({ input }) => input)].map((input) => [input.dataset.key, input.value]));
    try {
      sessionStorage.setItem(this.store, JSON.stringify(typed));
    } catch {
      // A browser that keeps nothing still hands out the line.
    }
  }

  /** @returns {Record<string, string>} */
  recall() {
    try {
      return JSON.parse(sessionStorage.getItem(this.store) ?? "{}");
    } catch {
      return {};
    }
  }
}

const root = document.getElementById("exercises");
if (root) {
  frame();
  new Exercises(root, JSON.parse(root.dataset.sheet ?? "{}"));
}
