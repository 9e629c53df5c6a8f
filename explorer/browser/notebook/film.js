import { default as mount } from "../film/main.js";
import { make } from "../shared/dom.js";
import { readTheme } from "../shared/theme.js";
import { settle } from "./page.js";
import { answerSnapshots } from "./photograph.js";

/**
 * A training as a notebook's widget: what is new comes as a trait, the whole film when it is asked for.
 * @returns {import("./page.js").Widget}
 */
export default function widget() {
  return { render: ({ model, el }) => settle(el, "film-widget", (root) => showFilm(model, root)) };
}

/**
 * @param {import("./page.js").WidgetModel} model
 * @param {HTMLElement} root
 */
function showFilm(model, root) {
  readTheme(root);
  const stage = make("div", { class: "stage" });
  const waiting = make("p", {}, model.get("waiting"));
  root.replaceChildren(waiting, stage);
  /** @param {any} data */
  const show = (data) => {
    const isThere = Boolean(data?.frames?.length);
    waiting.hidden = isThere;
    stage.hidden = !isThere;
    if (isThere) mount({ data: [data], parentElement: root, setStateValue: () => {}, setTriggerValue: () => {} });
  };
  const follow = () => show(model.get("data"));
  /** @param {{film?: any}} message */
  const hear = ({ film }) => film && show(film);
  follow();
  model.on("change:data", follow);
  model.on("msg:custom", hear);
  model.send({ wants: "film" });
  const endSnapshots = answerSnapshots(model, root);
  return {
    refresh: () => {
      readTheme(root);
      Object(stage).stage?.draw();
    },
    dispose: () => {
      endSnapshots();
      model.off("change:data", follow);
      model.off("msg:custom", hear);
    },
  };
}
