// The plot of the history, its sentence and its table.

// historyPlot draws into the dialog's parts. turn shows another span, ended returns when the
// present span ends.
function historyPlot(part, node, turn, ended) {
  const locale = hearth.locale || "en-GB";
  const chart = { shown: null, units: [], u: null, loading: null, colors: ["--ember", "--blue", "--good", "--sun", "--dim", "--ink"], at: -1 };

  // load loads uPlot, once.
  function load() {
    return (chart.loading ??= new Promise((done, fail) => {
      const { uplot, uplotStyle } = document.body.dataset;
      document.head.append(node("link", { rel: "stylesheet", href: uplotStyle }));
      const script = node("script", { src: uplot });
      script.addEventListener("load", done);
      script.addEventListener("error", () => {
        chart.loading = null;
        fail(new Error(say("plot.noPlot")));
      });
      document.head.append(script);
    }));
  }

  // larger are the units that large numbers are written in, with how many of the unit one is.
  const larger = {
    B: [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]], "B/s": [[1e9, "GB/s"], [1e6, "MB/s"], [1e3, "kB/s"]], Hz: [[1e9, "GHz"], [1e6, "MHz"], [1e3, "kHz"]],
    s: [[86400, say("plot.days")], [3600, "h"], [60, "min"]], W: [[1e4, "kW"]], m: [[1e4, "km"]],
  };
  const sizes = { kW: 1000, km: 1000 };

  // scaled writes large numbers in larger units.
  function scaled(answer) {
    for (const s of answer.series) {
      const most = Math.max(Math.abs(s.summary.low), Math.abs(s.summary.high));
      const found = larger[s.unit]?.find(([from]) => most >= 2 * from);
      if (!found) continue;
      const by = sizes[found[1]] ?? found[0];
      s.unit = found[1];
      s.digits = most / by >= 100 ? 0 : most / by >= 10 ? 1 : 2;
      for (const p of s.points) for (let i = 1; i < 4; i++) if (p[i] !== null) p[i] /= by;
      for (const k of ["low", "high", "mean", "last"]) s.summary[k] /= by;
    }
    return answer;
  }

  function figure(v, s, unit = true) {
    if (v === null || v === undefined) return "–";
    if (s.words && Number.isInteger(v)) return s.words[v] ?? String(v);
    const text = new Intl.NumberFormat(locale, { minimumFractionDigits: s.digits, maximumFractionDigits: s.digits }).format(v);
    return unit && s.unit ? `${text} ${s.unit}` : text;
  }

  // zoneName returns the zone of the house, or UTC if the browser does not know it.
  function zoneName() {
    return formatter("hm", hearth.zone).resolvedOptions().timeZone;
  }

  const clockOf = (s) => (s?.day ? "UTC" : zoneName());

  // moment writes a time as precisely as windows are: a day, or a day and a time.
  function moment(seconds, s, step = chart.shown.step) {
    const at = new Date(seconds * 1000);
    const date = new Intl.DateTimeFormat(locale, { timeZone: clockOf(s), weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(at);
    return step >= 86400 || s?.day ? date : `${date}, ${formatter("hm", hearth.zone).format(at)}`;
  }

  function clear() {
    chart.u?.destroy();
    chart.u = null;
    chart.at = -1;
  }

  function failed(text) {
    clear();
    part(".summary").replaceChildren(node("p", { class: "error", role: "alert" }, text));
    for (const what of [".lines", ".marks", ".values"]) part(what).replaceChildren();
  }

  // table returns the values of all series by time: uPlot's data. A gap is null; where only
  // another series has a value it is undefined.
  function table(answer) {
    const one = answer.series.length === 1;
    const columns = answer.series.map((s) => [s.points.map((p) => p[0]), s.points.map((p) => p[1]), ...(one ? [s.points.map((p) => p[3]), s.points.map((p) => p[2])] : [])]);
    return uPlot.join(columns, columns.map((c) => c.map(() => 2))); // 2: a gap stays as wide as it is where another series has values in it
  }

  function draw(answer) {
    const place = part(".plot");
    const data = answer.series.length ? table(answer) : [[]];
    clear();
    chart.shown = answer;
    place.replaceChildren();
    sized.observe(place);
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    chart.u = new uPlot(options(answer, color, place), data, place);
    sentence(answer);
    legend(answer, data, null);
    part(".marks").replaceChildren(...answer.marks.map((m) => node("li", { class: m.kind + " " + (m.severity ?? "") }, `${m.title}: ${m.from ? moment(Date.parse(m.from) / 1000) : "?"} – ${m.to ? moment(Date.parse(m.to) / 1000) : say("plot.still")}`)));
    rows(answer, data);
  }

  function options(answer, color, place) {
    const one = answer.series.length === 1;
    const units = unitsOf(answer);
    const series = answer.series.map((s, i) => ({
      show: units.includes(s.unit), scale: "y" + Math.max(0, units.indexOf(s.unit)), stroke: color(chart.colors[i]), width: 2, spanGaps: false, points: { show: (u, k, from, to) => to - from < 40, size: 5 },
      paths: s.words ? uPlot.paths.stepped({ align: 1 }) : undefined,
    }));
    const edge = { scale: "y0", stroke: "transparent", width: 0, points: { show: false } };
    const faint = { stroke: color("--line"), width: 1 };
    const axes = units.map((unit, i) => {
      const of = answer.series.find((s) => s.unit === unit);
      return { scale: "y" + i, side: i ? 1 : 3, stroke: color("--dim"), grid: i ? { show: false } : faint, ticks: { show: false }, font: font(), size: place.clientWidth < 600 ? 46 : 64, label: unit || undefined, labelFont: font(), labelSize: 18,
        incrs: of.words ? [1] : undefined, values: (u, at) => at.map((v) => (of.words ? of.words[v] ?? "" : new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(v))) };
    });
    return {
      width: place.clientWidth, height: place.clientHeight, legend: { show: false }, tzDate: (t) => uPlot.tzDate(new Date(t * 1000), clockOf(answer.series[0])),
      scales: { x: { range: [Date.parse(answer.from) / 1000, Date.parse(answer.to) / 1000] }, ...Object.fromEntries(units.map((u, i) => ["y" + i, { range: room }])) },
      axes: [{ stroke: color("--dim"), grid: faint, ticks: { show: false }, font: font(), values: (u, at, axis, space, step) => at.map((t) => tickOf(t, step, answer)) }, ...axes],
      series: [{}, ...series, ...(one ? [edge, edge] : [])], bands: one ? [{ series: [2, 3], fill: color(chart.colors[0]) + "33" }] : [],
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      hooks: { drawClear: [(u) => shade(u, answer, color)], setCursor: [(u) => legend(answer, u.data, u.cursor.idx)], setSelect: [selected] },
    };
  }

  // unitsOf returns the units of the two axes: the first ones of which there are values, unless a
  // person has chosen others.
  function unitsOf(answer) {
    const all = [...new Set([...answer.series].sort((a, b) => !a.summary.count - !b.summary.count).map((s) => s.unit))];
    chart.units = chart.units.filter((u) => all.includes(u));
    for (const u of all) if (chart.units.length < 2 && !chart.units.includes(u)) chart.units.push(u);
    return chart.units;
  }

  // choose draws the lines of a unit, in place of the ones that were chosen first.
  function choose(unit) {
    if (chart.units.includes(unit)) return;
    chart.units = [chart.units.at(-1), unit];
    draw(chart.shown);
  }

  const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;

  // room leaves some room above and below; a flat line stands in the middle.
  function room(u, low, high) {
    if (low === null || high === null) return [0, 1];
    const by = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
    return [low >= 0 && low - by < 0 ? 0 : low - by, high + by];
  }

  // tickOf writes a time below the plot: the day at midnight, otherwise the time.
  function tickOf(seconds, step, answer) {
    const s = answer.series[0];
    const at = new Date(seconds * 1000);
    const write = (form) => new Intl.DateTimeFormat(locale, { timeZone: clockOf(s), ...form }).format(at);
    if (step >= 28 * 86400) return write({ month: "short", year: "2-digit" });
    const time = write({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return step >= 86400 || time === "00:00" ? write({ day: "numeric", month: "short" }) : write({ hour: "2-digit", minute: "2-digit" });
  }

  // shade marks alerts and maintenance behind the lines.
  function shade(u, answer, color) {
    const { left, top, width, height } = u.bbox;
    for (const m of answer.marks) {
      const from = Math.max(left, u.valToPos((m.from ? Date.parse(m.from) : Math.min(m.to ? Date.parse(m.to) : Infinity, ended())) / 1000, "x", true));
      const to = Math.min(left + width, u.valToPos(m.to ? Date.parse(m.to) / 1000 : ended() / 1000, "x", true));
      u.ctx.save();
      u.ctx.globalAlpha = m.kind === "alert" ? 0.16 : 0.12;
      u.ctx.fillStyle = color(m.kind !== "alert" ? "--ghost" : m.severity === "critical" ? "--bad" : "--mid");
      u.ctx.fillRect(from, top, Math.max(2, to - from), height);
      u.ctx.restore();
    }
  }

  // selected shows the span over which somebody has dragged.
  function selected(u) {
    if (u.select.width < 10) return;
    const from = u.posToVal(u.select.left, "x");
    const to = u.posToVal(u.select.left + u.select.width, "x");
    if (to - from >= 60) turn({ from: new Date(from * 1000).toISOString(), to: new Date(to * 1000).toISOString() });
  }

  // legend names the series, with their values where the cursor stands, or their last ones.
  function legend(answer, data, at) {
    const list = part(".lines");
    const many = new Set(answer.series.map((s) => s.unit)).size > 2;
    if (list.children.length !== answer.series.length || many !== !!list.querySelector("button")) {
      list.replaceChildren(...answer.series.map((s, i) => {
        const of = many ? node("button", { type: "button", class: "of" }) : node("span", { class: "of" });
        if (many) of.addEventListener("click", () => choose(chart.shown.series[i].unit));
        return node("li", { class: "s" + i }, of, " ", node("b"));
      }));
    }
    answer.series.forEach((s, i) => {
      const [of, value] = [list.children[i].querySelector(".of"), list.children[i].querySelector("b")];
      set(of, s.title);
      list.children[i].classList.toggle("off", !chart.units.includes(s.unit));
      if (many) of.setAttribute("aria-pressed", String(chart.units.includes(s.unit)));
      const band = answer.series.length === 1 && at !== null && at !== undefined && data[2][at] !== data[3][at] && !s.words;
      set(value, at === null || at === undefined ? (s.summary.count ? figure(s.summary.last, s) : say("plot.noValues")) : band && data[1][at] !== null ? say("plot.band", figure(data[i + 1][at], s), figure(data[3][at], s, false), figure(data[2][at], s, false)) : figure(data[i + 1][at], s));
    });
    const now = at === null || at === undefined ? `${moment(Date.parse(answer.from) / 1000, answer.series[0])} – ${moment(Date.parse(answer.to) / 1000, answer.series[0])}` : moment(data[0][at], answer.series[0]);
    set(part(".between"), now);
  }

  // steer moves the cursor by the keyboard.
  function steer(e) {
    const u = chart.u;
    const n = u?.data[0].length ?? 0;
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[e.key];
    if (by === undefined || !n) return;
    e.preventDefault();
    chart.at = Math.min(n - 1, Math.max(0, (chart.at < 0 ? (by < 0 ? n : -1) : chart.at) + by));
    u.setCursor({ left: u.valToPos(u.data[0][chart.at], "x"), top: 10 });
    set(part(".said"), `${part(".between").textContent}: ${[...part(".lines").children].map((li) => li.textContent).join(", ")}`);
  }

  // sentence says in words what the plot shows.
  function sentence(answer) {
    const lines = answer.series.map((s) => (answer.series.length > 1 ? s.title + ": " : "") + inWords(s));
    part(".summary").replaceChildren(...(lines.length ? lines : [say("plot.nothing")]).map((text) => node("p", {}, text)));
    part(".plot").setAttribute("aria-label", say("plot.label", lines.join(" ")));
  }

  function inWords(s) {
    const m = s.summary;
    if (!m.count) return m.suspect ? say("plot.onlySuspects", m.suspect) : say("plot.nothing");
    const gaps = (m.gaps ? say("plot.gaps", m.gaps) : "") + (m.suspect ? say("plot.suspects", m.suspect) : "");
    if (s.words?.length === 2) return say("plot.share", s.words[1], new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(100 * m.mean), gaps);
    if (m.low === m.high) return say("plot.always", figure(m.low, s), gaps);
    return say("plot.between", figure(m.low, s, false), figure(m.high, s), figure(m.mean, s, false), when(m.high_at, s), gaps);
  }

  // when writes a time as one says it: "Friday at 14:05", "14 July", "14 July at 14:00".
  function when(time, s) {
    const at = new Date(time);
    const write = (form) => new Intl.DateTimeFormat(locale, { timeZone: clockOf(s), ...form }).format(at);
    const near = ended() - at < 6 * 86400000 && ended() >= at;
    const day = near ? write({ weekday: "long" }) : write({ day: "numeric", month: "long", year: ended() - at > 300 * 86400000 ? "numeric" : undefined });
    return chart.shown.step >= 86400 || s.day ? day : say("plot.dayAt", day, formatter("hm", hearth.zone).format(at));
  }

  // rows writes at most a hundred rows, evenly spread.
  function rows(answer, data) {
    const one = answer.series.length === 1;
    const head = node("tr", {}, node("th", { scope: "col" }, say("plot.time")));
    for (const s of answer.series) head.append(node("th", { scope: "col" }, s.title + (s.unit ? ` (${s.unit})` : "")));
    if (one) head.append(node("th", { scope: "col" }, say("plot.lowest")), node("th", { scope: "col" }, say("plot.highest")));
    const kept = data[0].map((_, i) => i).filter((i) => data.slice(1).some((column) => typeof column[i] === "number"));
    const body = node("tbody");
    const every = Math.max(1, kept.length / 100);
    for (let k = 0; k < kept.length && body.children.length < 100; k = Math.ceil((body.children.length) * every)) {
      const i = kept[k];
      const row = node("tr", {}, node("th", { scope: "row" }, moment(data[0][i], answer.series[0])));
      answer.series.forEach((s, n) => row.append(node("td", {}, figure(data[n + 1][i], s, false))));
      if (one) row.append(node("td", {}, figure(data[3][i], answer.series[0], false)), node("td", {}, figure(data[2][i], answer.series[0], false)));
      body.append(row);
    }
    part(".values").replaceChildren(node("table", {}, node("caption", {}, kept.length > 100 ? say("plot.windowsOf", kept.length) : say("plot.windows", kept.length)), node("thead", {}, head), body));
  }

  // The plot follows the size of the window and the colours.
  const sized = new ResizeObserver(([{ contentRect: r }]) => chart.u && (chart.u.width !== r.width || chart.u.height !== r.height) && chart.u.setSize({ width: r.width, height: r.height }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.u && draw(chart.shown));
  return { load, draw, clear, failed, steer, scaled, zoneName };
}
