import { Lens } from "../lens/lens.js";
import { readPayload } from "../shared/payload.js";
import { bytesOf, settle } from "./page.js";
import { answerSnapshots } from "./photograph.js";

/**
 * One image's ELBO as a notebook's widget; the best q is asked of the kernel.
 * @returns {import("./page.js").Widget}
 */
export default function widget() {
  return { render: ({ model, el }) => settle(el, "lx lens", (root) => showLens(model, root)) };
}

/**
 * @param {import("./page.js").WidgetModel} model
 * @param {HTMLElement} root
 */
function showLens(model, root) {
  const header = readPayload(bytesOf(model.get("payload")));
  const lens = new Lens(root, header, { refine: () => model.send({ refine: true }) });
  // For tests and the curious: the page's own state.
  Object.assign(root, { lens });
  /** @param {{refined?: any}} message */
  const hear = ({ refined }) => refined && lens.receive(refined);
  model.on("msg:custom", hear);
  const endSnapshots = answerSnapshots(model, root);
  return {
    refresh: () => lens.refreshTheme(),
    dispose: () => {
      endSnapshots();
      model.off("msg:custom", hear);
      lens.dispose();
    },
  };
}
