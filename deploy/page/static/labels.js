// Labelling by keys. The buttons do the same, and are there without this.
(() => {
  "use strict";
  const typed = [];
  let waits = false;
  const press = () => {
    if (waits || !typed.length) return;
    const key = typed.shift();
    const button = document.querySelector(`[data-desk] [data-key="${CSS.escape(key)}"]`);
    if (!button) { press(); return; }
    waits = true;
    button.click();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
    if (event.target.closest?.("input, select, textarea")) return;
    const key = event.key.toLowerCase();
    if (key.length !== 1 || key === " ") return;
    if (typed.length < 50) typed.push(key);
    press();
  });
  // Keys that were typed while an answer was on its way are for the tweets after it.
  // What follows an answer is said aloud: the buttons keep the focus, and the text is not read.
  const say = () => {
    const said = document.querySelector("[data-said]");
    const text = document.querySelector("#desk .ask-text")?.innerText.trim().slice(0, 1000);
    const last = document.querySelector("#desk .ask-last .wrong")?.innerText || "";
    if (said && text) said.textContent = `${last} ${document.querySelector("#desk .done") ? "" : said.dataset.said}${text}`.trim();
  };
  document.addEventListener("htmx:after:swap", () => { waits = false; say(); press(); });
  document.addEventListener("htmx:response:error", () => { waits = false; typed.length = 0; });
  document.addEventListener("htmx:error", () => { waits = false; typed.length = 0; });
})();
