// The history of a tile or of a part of it: a dialog with a plot, which a link can open:
// ?tile=power&span=day, with plots= for a part, and from= and to= for a span of one's own.
{
  const past = {
    spans: { hour: say("history.hour"), day: say("history.day"), week: say("history.week"), month: say("history.month"), year: say("history.year") },
    box: null, // the dialog
    state: null, // what it shows: tile, plots, span, from, to
    answer: null,
    running: null, // the request
    timer: 0,
    names: ["tile", "plots", "span", "from", "to"],
    most: 6, // series in a plot
  };

  // node makes an element.
  function node(name, attributes = {}, ...inside) {
    const n = document.createElement(name);
    for (const [k, v] of Object.entries(attributes)) if (v !== undefined) n.setAttribute(k, v);
    n.append(...inside);
    return n;
  }

  // dialog returns the dialog; it is made once.
  function dialog() {
    if (past.box) return past.box;
    const button = (text, attributes = {}) => node("button", { type: "button", ...attributes }, text);
    const spans = Object.entries(past.spans).map(([name, text]) => button(text, { "data-span": name, "aria-pressed": "false" }));
    const input = (name, text) => node("label", {}, text, node("input", { type: "datetime-local", name, required: "", max: "2199-12-31T23:59" }));
    past.box = node("dialog", { id: "history", "aria-labelledby": "history-title" },
      node("div", { class: "inside" },
        node("header", {}, node("h2", { id: "history-title" }), button(say("history.close"), { class: "close" })),
        node("nav", { "aria-label": say("history.span") }, node("div", { class: "spans", role: "group", "aria-label": say("history.span") }, ...spans, button(say("history.own"), { "data-span": "own", "aria-pressed": "false", "aria-expanded": "false" })),
          node("div", { class: "turn" }, button(say("history.earlier"), { "data-turn": "-1" }), button(say("history.later"), { "data-turn": "1" }), node("a", { class: "button", download: "" }, say("history.csv")))),
        node("form", { class: "own", hidden: "" }, input("from", say("history.from") + " "), input("to", say("history.to") + " "), node("button", {}, say("history.show"))),
        node("p", { class: "between" }),
        node("div", { class: "plot", tabindex: "0", role: "img" }),
        node("ul", { class: "lines" }),
        node("p", { class: "said", role: "status" }),
        node("div", { class: "summary" }),
        node("ul", { class: "marks" }),
        node("details", {}, node("summary", {}, say("history.table")), node("div", { class: "values" }))));
    document.body.append(past.box);
    past.box.addEventListener("click", clicked);
    past.box.addEventListener("close", closed);
    past.box.querySelector("form").addEventListener("submit", own);
    past.box.querySelector("a.button").addEventListener("click", save);
    past.box.querySelector(".plot").addEventListener("keydown", plot.steer);
    return past.box;
  }

  function part(selector) {
    return dialog().querySelector(selector);
  }

  function clicked(e) {
    const b = e.target.closest("button");
    if (e.target === past.box || b?.classList.contains("close")) return past.box.close();
    if (b?.dataset.span === "own") return unfold(part("form").hidden);
    if (b?.dataset.span) return turn({ span: b.dataset.span });
    if (b?.dataset.turn && past.answer) {
      const from = Date.parse(past.answer.from);
      const to = Date.parse(past.answer.to);
      const by = Number(b.dataset.turn) * (to - from);
      const s = past.state;
      if (s.from) return turn({ from: iso(from + by), to: iso(to + by) });
      turn({ span: past.answer.span, to: to + by >= ended() ? "" : iso(to + by) });
    }
  }

  // save saves the CSV with the token, which a link does not send.
  async function save(e) {
    if (!sessionStorage.getItem("token")) return;
    e.preventDefault();
    const res = await call(e.target.getAttribute("href"));
    if (!res.ok) return plot.failed(await res.text());
    const url = URL.createObjectURL(await res.blob());
    node("a", { href: url, download: res.headers.get("Content-Disposition")?.match(/filename="(.+)"/)?.[1] ?? "hearth.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }

  // unfold shows or hides the inputs of one's own span.
  function unfold(yes) {
    part("form").hidden = !yes;
    part("[data-span=own]").setAttribute("aria-expanded", yes);
    if (!yes || !past.answer) return;
    for (const name of ["from", "to"]) part(`[name=${name}]`).value = wall(Date.parse(past.answer[name]));
    part("[name=from]").focus();
  }

  function own(e) {
    e.preventDefault();
    const from = part("[name=from]").value;
    const to = part("[name=to]").value;
    if (from && to) turn({ from, to });
  }

  // turn shows another span of the same.
  function turn({ span = "", from = "", to = "" }) {
    past.state = { ...past.state, span, from, to };
    history.replaceState(history.state, "", address(past.state));
    load();
  }

  // ended is the end of a span that nothing else ends: now, or the time at which the page stands.
  const ended = () => hearth.now();
  const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

  // wall writes a time as an input for times of the house takes it.
  function wall(ms) {
    const form = { timeZone: plot.zoneName(), year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const p = Object.fromEntries(new Intl.DateTimeFormat("en", form).formatToParts(new Date(ms)).map((x) => [x.type, x.value]));
    return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`;
  }

  // address returns the page's address with a state; null is that without the dialog.
  function address(state) {
    const q = new URLSearchParams(location.search);
    for (const name of past.names) {
      if (state?.[name]) q.set(name, state[name]);
      else q.delete(name);
    }
    const text = q.toString();
    return location.pathname + (text ? "?" + text : "");
  }

  // stateOf reads the state from the page's address; null if there is none.
  function stateOf() {
    const q = new URLSearchParams(location.search);
    const s = Object.fromEntries(past.names.map((name) => [name, q.get(name) ?? ""]));
    return s.plots || sourceOf(s) ? s : null;
  }

  // sourceOf returns the element whose values a state shows.
  function sourceOf(state) {
    const tile = state.tile ? document.getElementById("tile-" + state.tile) : null;
    const among = (root) => [...root.querySelectorAll("[data-plots]")].find((e) => e.dataset.plots === state.plots);
    return state.plots ? among(tile || document) : tile?.dataset.plots ? tile : null;
  }

  // openFor opens the dialog for an element that was clicked.
  function openFor(element) {
    if (past.leaving) {
      past.next = element; // the way back from the last one is not over yet
      return;
    }
    const tile = element.closest("[data-tile]");
    past.state = { tile: tile?.dataset.tile ?? "", plots: element === tile ? "" : element.dataset.plots, span: "", from: "", to: "" };
    if (history.state?.dialog) history.replaceState(history.state, "", address(past.state));
    else history.pushState({ dialog: true }, "", address(past.state));
    show();
  }

  function show() {
    const box = dialog();
    if (!box.open) box.showModal();
    unfold(false);
    past.answer = null;
    load();
  }

  function closed() {
    if (past.box.open) return; // it was opened again meanwhile
    clearTimeout(past.timer);
    past.running?.abort();
    const left = past.state;
    past.state = past.answer = null;
    plot.clear();
    if (!left || !stateOf()) return; // Back has closed it
    if (history.state?.dialog) {
      past.leaving = true;
      history.back();
    } else history.replaceState(null, "", address(null));
  }

  // follow shows what the address says: a link was opened, or a person went back or forward.
  function follow() {
    const next = past.next;
    past.leaving = past.next = null;
    if (next) return openFor(next);
    const state = stateOf();
    if (!state) {
      past.state = null;
      if (past.box?.open) past.box.close();
      return;
    }
    past.state = state;
    show();
  }

  // query returns the query of a state for history.json and history.csv.
  function query(state) {
    const q = new URLSearchParams();
    const keys = (state.plots || sourceOf(state)?.dataset.plots || "").split(" ").filter(Boolean);
    for (const key of keys.slice(0, past.most)) q.append("series", key.replaceAll("%20", " "));
    if (state.from) {
      q.set("from", state.from);
      q.set("to", state.to || iso(ended()));
    } else {
      if (state.span) q.set("span", state.span);
      if (state.to || hearth.past) q.set("at", state.to || iso(hearth.past));
    }
    const view = new URLSearchParams(location.search).get("view");
    if (view) q.set("view", view);
    return q.toString();
  }

  // load asks for the values and shows them; while it is open, again from time to time.
  async function load() {
    clearTimeout(past.timer);
    past.running?.abort();
    const running = (past.running = new AbortController());
    const box = dialog();
    const q = query(past.state);
    title();
    part("a.button").href = "history.csv?" + q;
    box.classList.add("busy");
    try {
      const [res] = await Promise.all([call("history.json?" + q, { signal: running.signal }), plot.load()]);
      const text = await res.text();
      if (running !== past.running || !past.state) return;
      if (!res.ok) throw new Error(text.startsWith("{") ? JSON.parse(text).error : text);
      const answer = JSON.parse(text);
      past.answer = plot.scaled(answer);
      name(past.answer.series);
      plot.draw(past.answer);
      pressed();
      if (!past.state.from && !past.state.to && !hearth.past) past.timer = setTimeout(again, Math.min(300000, Math.max(10000, answer.step * 500)));
    } catch (err) {
      if (err.name === "AbortError" || running !== past.running) return;
      plot.failed(err.message);
      past.timer = setTimeout(again, 15000);
    } finally {
      if (running === past.running) box.classList.remove("busy");
    }
  }

  function again() {
    if (!past.state) return;
    if (document.hidden || part(".u-over:active")) past.timer = setTimeout(again, 5000);
    else load();
  }

  function title() {
    const of = past.state && sourceOf(past.state);
    const heading = of?.dataset.title || (of && !of.dataset.tile && of.dataset.labels?.split("\n")[0]) || of?.closest("[data-tile]")?.querySelector("h2")?.firstChild?.textContent;
    set(part("h2"), (heading || past.answer?.series[0]?.title || say("history.title")).trim());
  }

  // name calls the series as the tile does, where it has a word for each.
  function name(series) {
    const labels = sourceOf(past.state)?.dataset.labels?.split("\n").slice(0, past.most) ?? [];
    if (labels.length === series.length) series.forEach((s, i) => (s.title = labels[i] || s.title));
    title();
  }

  // pressed marks the span that is shown, and what cannot be asked.
  function pressed() {
    const days = past.answer.series.some((s) => s.day);
    for (const b of past.box.querySelectorAll("[data-span]")) {
      b.setAttribute("aria-pressed", String(b.dataset.span === (past.state.from ? "own" : past.answer.span)));
      if (b.dataset.span === "hour" || b.dataset.span === "day") b.disabled = days;
    }
    part("[data-turn='1']").disabled = Date.parse(past.answer.to) >= ended() - 1000 * past.answer.step;
  }

  document.addEventListener("click", (e) => {
    if (e.defaultPrevented || e.button || e.target.closest("a, button, input, select, label, summary, dialog, form")) return;
    const of = e.target.closest("[data-plots]");
    if (of && !String(getSelection())) openFor(of);
  });
  document.addEventListener("keydown", (e) => {
    if ((e.key === "Enter" || e.key === " ") && e.target.matches?.("[data-plots]")) {
      e.preventDefault();
      openFor(e.target);
    }
  });
  addEventListener("popstate", follow);
  const plot = historyPlot(part, node, turn, ended);
  if (stateOf()) follow();
}
