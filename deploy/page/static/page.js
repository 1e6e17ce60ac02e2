// What a page does beyond its links and forms. Everything here may be missing: the page stays whole.
(() => {
  "use strict";
  const forms = {
    minute: { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" },
    second: { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" },
    day: { year: "numeric", month: "2-digit", day: "2-digit" },
    short: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
    clock: { hour: "2-digit", minute: "2-digit" },
  };
  const remembered = {
    get: (name) => { try { return localStorage.getItem(name); } catch { return null; } },
    set: (name, value) => { try { localStorage.setItem(name, value); } catch { /* a choice for this view */ } },
  };

  // Times in the reader's zone, or in UTC as they came.
  let zone = remembered.get("zone") || "local";
  const ours = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const formats = {};
  const format = (form) => (formats[form + zone] ??= new Intl.DateTimeFormat(navigator.languages, {
    ...forms[form], hourCycle: "h23", timeZone: zone === "utc" ? "UTC" : ours,
  }));
  const showTime = (element) => {
    const moment = new Date(element.dateTime);
    if (isNaN(moment)) return;
    const form = element.dataset.form || "minute";
    const utc = zone === "utc" && form !== "short" && form !== "clock" && form !== "day" ? " UTC" : "";
    const text = format(form).format(moment) + utc;
    if (element.textContent !== text) element.textContent = text;
  };
  const showTimes = (root) => root.querySelectorAll("time[datetime]").forEach(showTime);
  const showZone = () => document.querySelectorAll("[data-zone]").forEach((button) => {
    button.hidden = false;
    button.querySelector("[data-zone-name]").textContent = zone === "utc" ? "UTC" : ours.replaceAll("_", " ");
  });

  // A chart: what a bucket holds is read from the table beside it; a drag looks closer.
  const tableOf = (chart) => chart.parentElement.querySelector("[data-series]");
  const hitsOf = (chart) => [...chart.querySelectorAll(".hit")];
  const readOut = (chart, number) => {
    const table = tableOf(chart);
    const out = chart.parentElement.querySelector("[data-readout]");
    const row = table?.tBodies[0].rows[number];
    if (!row || !out) return;
    const heads = [...table.tHead.rows[0].cells];
    out.textContent = [...row.cells].map((cell, n) => (n ? `${heads[n].textContent} ${cell.textContent}` : cell.textContent)).join("  ·  ");
  };
  let drag = null;
  const span = (hits, from, to) => hits.forEach((hit, n) => hit.classList.toggle("chosen", n >= Math.min(from, to) && n <= Math.max(from, to)));
  document.addEventListener("pointerover", (event) => {
    const chart = event.target.closest?.("[data-chart]");
    if (!chart || !event.target.classList.contains("hit")) return;
    const hits = hitsOf(chart);
    const number = hits.indexOf(event.target);
    readOut(chart, number);
    if (drag && drag.chart === chart) { drag.to = number; span(hits, drag.from, number); }
  });
  document.addEventListener("pointerdown", (event) => {
    const chart = event.target.closest?.("[data-chart]");
    if (!chart || event.button || event.pointerType !== "mouse" || !event.target.classList.contains("hit")) return;
    const from = hitsOf(chart).indexOf(event.target);
    drag = { chart, from, to: from };
  });
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.("[data-chart]")) event.preventDefault(); });
  document.addEventListener("pointerup", () => {
    if (!drag) return;
    const { chart, from, to } = drag;
    const hits = hitsOf(chart);
    span(hits, 1, 0);
    hits.forEach((hit) => hit.classList.remove("chosen"));
    drag = null;
    if (from === to || !hits.length) return;
    const bounds = (number) => new URL(hits[number].parentElement.href.baseVal, location.href).searchParams;
    const target = new URL(location.href);
    target.searchParams.delete("window");
    target.searchParams.set("from", bounds(Math.min(from, to)).get("from"));
    target.searchParams.set("to", bounds(Math.max(from, to)).get("to"));
    location.assign(target);
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-zone]")) return;
    zone = zone === "utc" ? "local" : "utc";
    remembered.set("zone", zone);
    showZone();
    showTimes(document);
  });

  // New figures that cannot be read are said, once, and taken back.
  const lost = (is) => document.querySelectorAll("[data-lost]").forEach((line) => { line.hidden = !is; });
  document.addEventListener("htmx:response:error", () => lost(true));
  document.addEventListener("htmx:error", () => lost(true));
  document.addEventListener("htmx:after:request", (event) => {
    const status = event.detail?.ctx?.response?.raw?.status;
    if (status && status < 400) lost(false);
  });

  // Live: one stream tells what changes while the page is looked at. Where it is refused or breaks
  // off, parts ask by themselves after their seconds (`data-live`). Removed tweets leave at once.
  const parts = () => [...document.querySelectorAll("[data-live]")];
  const main = document.querySelector("main[data-events]");
  const minute = 60_000;
  const soon = 5_000;
  let stream = null;
  let refused = 0;
  let renewed = Date.now();
  let due = Infinity;
  const renew = () => {
    renewed = Date.now();
    due = Infinity;
    parts().forEach((part) => window.htmx?.trigger(part, "renew"));
  };
  const changed = () => { due = Math.min(due, Math.max(Date.now(), renewed + soon)); };
  const removed = (event) => {
    const what = JSON.parse(event.data);
    what.tweet_ids.forEach((id) => document.querySelectorAll(`[data-tweet~="${CSS.escape(id)}"]`).forEach((shown) => shown.remove()));
    if (parts().length) renew();
    else if (what.everything || what.author_ids.length) location.reload();
  };
  const listen = () => {
    const wanted = main && !document.hidden && document.querySelector("[data-live],[data-tweet]");
    if (!wanted) { stream?.close(); stream = null; return; }
    if (stream || Date.now() - refused < minute / 2) return;
    stream = new EventSource(`${main.dataset.events}?${new URLSearchParams({ run: main.dataset.run })}`);
    stream.addEventListener("figures", () => {
      changed();
      // What is shown may be some seconds old: what moved meanwhile is asked for once more.
      setTimeout(changed, 2 * soon);
    });
    ["alarm", "reset", "ready"].forEach((kind) => stream.addEventListener(kind, changed));
    stream.addEventListener("removal", removed);
    stream.onerror = () => {
      if (stream?.readyState !== EventSource.CLOSED) return;
      stream = null;
      refused = Date.now();
    };
  };
  if (main) {
    document.addEventListener("visibilitychange", listen);
    addEventListener("pagehide", () => { stream?.close(); stream = null; });
    setInterval(() => {
      if (document.hidden) return;
      listen();
      const seconds = Math.min(...parts().map((part) => Number(part.dataset.live)));
      const longest = stream?.readyState === EventSource.OPEN ? minute : seconds * 1000;
      if (Date.now() >= Math.min(due, renewed + longest)) renew();
    }, 1000);
    listen();
  }

  new MutationObserver((changes) => changes.forEach((change) => {
    if (change.target.nodeName === "TIME") showTime(change.target);
    change.addedNodes.forEach((node) => { if (node.nodeType === 1) { if (node.nodeName === "TIME") showTime(node); showTimes(node); } });
  })).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["datetime"] });
  showTimes(document);
  showZone();
})();
