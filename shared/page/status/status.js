// Updates the ages every second, and fetches the sections that have changed.
const every = 500; // ms; a new value is shown within a second
const slow = 5000; // after a failure

// ago writes an age as format.go does, but with seconds.
function ago(ms) {
  const s = Math.abs(ms) / 1000;
  const text =
    s < 60 ? `${Math.floor(s)} s` : s < 3600 ? `${Math.floor(s / 60)} min` : s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} days`;
  if (ms < 0) return s < 60 ? "in a moment" : `in ${text}`;
  return s < 2 ? "just now" : `${text} ago`;
}

// Ages are counted from the server's clock: that of this computer may be wrong.
let ahead = 0;

function tick(root) {
  for (const t of root.querySelectorAll("time.ago")) {
    const at = Date.parse(t.dateTime);
    if (isNaN(at) || at < 0) continue;
    const text = ago(Date.now() + ahead - at);
    if (t.textContent !== text) t.textContent = text;
  }
}

// write writes a time in the zone of the house and the language of the viewer.
function write(at) {
  const zone = document.getElementById("about").dataset.zone || "UTC";
  try {
    return at.toLocaleString(undefined, { timeZone: zone });
  } catch {
    return at.toLocaleString(undefined, { timeZone: "UTC", timeZoneName: "short" }); // the browser does not know the zone
  }
}

// local writes all times of day below root with write. A day has no time of day: it is
// the same in every zone.
function local(root) {
  for (const t of root.querySelectorAll("time:not(.day)")) {
    const at = new Date(t.dateTime);
    if (isNaN(at) || at < 0) continue;
    if (t.className === "clock") t.textContent = write(at);
    else t.title = write(at);
  }
}

function flash(node) {
  const value = node.parentElement && node.parentElement.closest(".value");
  if (!value) return;
  value.classList.remove("fresh");
  void value.offsetWidth; // restarts the animation
  value.classList.add("fresh");
}

const main = document.querySelector("main");
let tag = main.dataset.tag;
let busy = false;

async function refresh() {
  if (document.hidden || busy) return;
  busy = true;
  if ("whole" in main.dataset) return refreshWhole();
  const connection = document.getElementById("connection");
  let wait = every;
  try {
    const res = await call("sections.json", { headers: { "If-None-Match": `"${tag}"` }, cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (res.status !== 304 && !res.ok) throw new Error(res.status);
    const now = Date.parse(res.headers.get("Date"));
    if (!isNaN(now) && Math.abs(now - Date.now()) > 2000) ahead = now - Date.now();
    if (res.status !== 304) {
      for (const [id, html] of Object.entries(await res.json())) {
        const next = new DOMParser().parseFromString(html, "text/html").getElementById(id);
        local(next);
        tick(next);
        morph(document.getElementById(id), next, flash);
      }
      tag = res.headers.get("ETag").replace(/^W\/|"/g, "");
    }
    const asof = document.getElementById("asof");
    asof.textContent = write(new Date(Date.now() + ahead));
    connection.textContent = "";
  } catch {
    connection.textContent = "The server does not answer: values may be old";
    wait = slow;
  }
  busy = false;
  clearTimeout(timer);
  timer = setTimeout(refresh, wait);
}

// request asks the server to replay or drop the dead letters of a cause.
async function request(button) {
  const { ask: action, cause, count } = button.dataset;
  if (action === "drop" && !confirm(`Drop ${count} dead letter${count === "1" ? "" : "s"} for good?`)) return;
  await send(button, "dead", { action, cause });
}

// refreshWhole fetches a page that has no sections, every two seconds.
async function refreshWhole() {
  try {
    const res = await call(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (!res.ok) throw new Error(res.status);
    const next = new DOMParser().parseFromString(await res.text(), "text/html").querySelector("main");
    local(next);
    tick(next);
    morph(main, next, flash);
    document.getElementById("asof").textContent = write(new Date(Date.now() + ahead));
    document.getElementById("connection").textContent = "";
  } catch {
    document.getElementById("connection").textContent = "The server does not answer: values may be old";
  }
  busy = false;
  clearTimeout(timer);
  timer = setTimeout(refresh, 2000);
}

// send sends what a button asks for, and writes the answer beside it. It returns the answer,
// "" if it was not carried out.
async function send(button, path, fields) {
  const status = button.parentElement.querySelector("[role=status]");
  let answer = "";
  button.disabled = true;
  try {
    status.textContent = answer = await post(path, fields);
  } catch (e) {
    status.textContent = e.status || e.message === "Nothing was done." ? e.message : "no answer: try again";
  }
  status.dataset.said = Date.now();
  button.disabled = false;
  refresh();
  return answer;
}

// forget asks what would be deleted, and deletes it if the person agrees.
async function forget(button) {
  const device = button.dataset.forget;
  const what = await send(button, "forget", { device, sure: "no" });
  if (what && confirm(what)) await send(button, "forget", { device, sure: "yes" });
}

document.addEventListener("click", (e) => {
  const button = e.target.closest("button");
  if (!button) return;
  const { ask, act, key, fault, device, run, maintain } = button.dataset;
  if (ask) request(button);
  else if (act) send(button, "alerts", { do: act, key });
  else if (run) send(button, "run", { function: run });
  else if (maintain) send(button, "maintenance", { subject: maintain, for: button.dataset.for });
  else if (button.dataset.forget) forget(button);
  else if (fault) send(button, "faults", { device, fault });
});

local(document);
tick(document);
setInterval(() => document.hidden || tick(document), 1000);
let timer = setTimeout(refresh, every);
document.addEventListener("visibilitychange", refresh);
