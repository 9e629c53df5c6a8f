/** The end of the app's bar that our own switches share; whichever comes first makes it. */
export function findBar() {
  const known = document.querySelector(".explorer-bar");
  if (known) return known;
  const made = document.createElement("div");
  made.className = "explorer-bar";
  document.body.append(made);
  return made;
}
