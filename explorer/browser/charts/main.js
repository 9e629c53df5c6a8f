/** Each chart gets the words that tell its figures, for those who do not see it: the page hands them over beside it. */

const PACE = 600;
const PLACE = '[data-testid="stElementContainer"]';

let timer = 0;

export default function mount() {
  // Charts come and go with every rerun of the page, without a word to anybody.
  if (!timer) timer = window.setInterval(name, PACE);
  name();
  return undefined;
}

function name() {
  for (const told of document.querySelectorAll(".explorer-told")) {
    const chart = told.closest(PLACE)?.previousElementSibling?.querySelector(".stPlotlyChart");
    const words = told.getAttribute("data-words") ?? "";
    // While a page is drawn anew a chart stands there before its words: no name is better than an empty one.
    if (!chart || !words || chart.getAttribute("aria-label") === words) continue;
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", words);
  }
}
