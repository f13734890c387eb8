// All devices with room, battery, when they were last seen, topic and id: a dialog, which the
// tile house opens.
{
  const list = { box: null, rows: [], by: "room", turned: false };

  // columns say how a device is shown, and by what it is sorted.
  const columns = {
    name: { title: say("devices.device"), of: (d) => (d.name || d.id).toLowerCase(), show: (cell, d) => cell.append(d.name || d.id, Object.assign(document.createElement("small"), { textContent: d.name && d.name !== d.id ? ` ${d.id}` : "" })) },
    room: { title: say("devices.room"), of: (d) => d.room?.toLowerCase() || undefined, show: (cell, d) => cell.append(d.room || "") },
    battery: { title: say("devices.battery"), of: (d) => d.battery, show: (cell, d) => cell.append(d.battery === undefined ? "" : `${Math.round(d.battery)} %`) },
    seen: { title: say("devices.seen"), of: (d) => d.seen || undefined, show: (cell, d) => seen(cell, d.seen) },
    topic: { title: say("devices.topic"), of: (d) => d.publisher?.toLowerCase() || undefined, show: (cell, d) => cell.append(d.publisher || "") },
  };

  function seen(cell, ms) {
    if (!ms) return;
    const t = document.createElement("time");
    t.dateTime = new Date(ms).toISOString();
    t.dataset.f = "age";
    cell.append(t);
  }

  // deviceOf adds to a device of api/devices its battery and when it was seen.
  function deviceOf(d) {
    const battery = d.values.find((v) => v.metric === "battery_percent" && v.value !== null);
    return { ...d, battery: battery?.value, seen: Math.max(0, ...d.values.map((v) => Date.parse(v.time) || 0)) };
  }

  function make() {
    const box = document.createElement("dialog");
    box.id = "devices";
    box.setAttribute("aria-labelledby", "devices-title");
    box.innerHTML = `<header><h2 id="devices-title"></h2><input type="search"><a class="button" href="status"></a><button type="button" class="close"></button></header><p role="status"></p><div class="values" tabindex="0" role="region"><table><thead><tr></tr></thead><tbody></tbody></table></div>`;
    const of = (selector) => box.querySelector(selector);
    of("h2").textContent = say("devices.title");
    of(".values").setAttribute("aria-label", say("devices.title"));
    of("input").setAttribute("aria-label", say("devices.find"));
    of("input").placeholder = say("devices.hint");
    of("a").textContent = say("devices.values");
    of(".close").textContent = say("devices.close");
    for (const [name, c] of Object.entries(columns)) {
      const th = document.createElement("th");
      const b = document.createElement("button");
      th.scope = "col";
      b.type = "button";
      b.dataset.by = name;
      b.textContent = c.title;
      th.append(b);
      box.querySelector("tr").append(th);
    }
    box.addEventListener("click", (e) => {
      const b = e.target.closest("button");
      if (e.target === box || b?.classList.contains("close")) box.close();
      if (!b?.dataset.by) return;
      list.turned = list.by === b.dataset.by && !list.turned;
      list.by = b.dataset.by;
      draw();
    });
    box.querySelector("input").addEventListener("input", draw);
    document.body.append(box);
    return box;
  }

  // draw writes the rows that match what is searched, in their order.
  function draw() {
    const want = list.box.querySelector("input").value.trim().toLowerCase();
    const of = columns[list.by].of;
    const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    const sign = list.turned ? -1 : 1;
    const unknown = (d) => Number(of(d) === undefined); // what is unknown comes last
    const rows = list.rows
      .filter((d) => !want || [d.name, d.id, d.room, d.kind, d.publisher].some((t) => (t || "").toLowerCase().includes(want)))
      .sort((a, b) => unknown(a) - unknown(b) || sign * order(of(a), of(b)) || order(columns.name.of(a), columns.name.of(b)));
    for (const b of list.box.querySelectorAll("[data-by]")) {
      if (b.dataset.by === list.by) b.parentElement.setAttribute("aria-sort", list.turned ? "descending" : "ascending");
      else b.parentElement.removeAttribute("aria-sort");
    }
    list.box.querySelector("tbody").replaceChildren(...rows.map((d) => {
      const tr = document.createElement("tr");
      for (const c of Object.values(columns)) c.show(tr.insertCell(), d);
      return tr;
    }));
    tick(list.box);
  }

  async function open() {
    list.box ??= make();
    if (!list.box.open) list.box.showModal();
    const said = list.box.querySelector("[role=status]");
    try {
      const res = await call("api/devices");
      const answer = await res.json();
      if (!res.ok) throw new Error(answer.error);
      list.rows = answer.filter((d) => !d.replaced_by && d.values.length).map(deviceOf);
      set(said, "");
    } catch (err) {
      set(said, say("devices.unread", err.message));
    }
    draw();
  }

  document.addEventListener("click", (e) => {
    const tile = e.target.closest(".t-house");
    if (e.target.closest("[data-devices]") || (tile?.querySelector("[data-devices]") && !e.target.closest("a, button"))) open();
  });
}
