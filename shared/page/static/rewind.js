// The page as it stood at an earlier time: a slider over the last week, and links with at=.
// While it is open nothing is fetched that is newer. The way from the present to the past is one
// step in the browser's history, however far the slider goes.
const rewind = { step: 300000, days: 7, timer: 0, running: null, leaving: false, next: 0 };

// pastURL returns an address relative to the page with another at=, "" for none.
function pastURL(path, at) {
  const query = new URLSearchParams(location.search);
  if (at) query.set("at", new Date(at).toISOString().replace(/\.\d+Z$/, "Z"));
  else query.delete("at");
  query.delete("alert");
  const text = query.toString();
  return path + (text ? "?" + text : "");
}

// travel shows the page as it stood at a time, or live again with 0, and changes its address. The
// present is left by a new entry of the browser's history; the way back to it is that of Back.
function travel(at) {
  rewind.next = at;
  if (rewind.leaving) return; // the way back is not over yet
  if (!at && hearth.past && history.state?.past) {
    rewind.leaving = true;
    history.back();
    return;
  }
  if (!at === !hearth.past) history.replaceState(history.state, "", pastURL("./", at));
  else history.pushState(at ? { past: true } : null, "", pastURL("./", at));
  showPast(at);
}

// arrived follows Back and Forward.
function arrived() {
  const at = Date.parse(new URLSearchParams(location.search).get("at") ?? "") || 0;
  if (rewind.leaving) {
    rewind.leaving = false;
    showPast(at);
    if (rewind.next) travel(rewind.next); // the slider has moved on meanwhile
    return;
  }
  if (at === hearth.past) return; // a dialog was opened or closed
  clearTimeout(rewind.timer);
  document.getElementById("rewind")?.remove();
  showPast(at);
  if (at) openRewind();
}

// showPast shows the page as it stood at a time, or live again with 0.
async function showPast(at) {
  rewind.running?.abort();
  document.getElementById("past").hidden = !at;
  hearth.past = at;
  if (!at) {
    delete document.body.dataset.past;
    return refresh();
  }
  document.body.dataset.past = new Date(at).toISOString();
  clearTimeout(live.timer);
  rewind.running = new AbortController();
  try {
    const res = await call(pastURL("tiles.json", at), { headers: { "If-None-Match": `"${live.tag}"` }, cache: "no-store", signal: rewind.running.signal });
    if (!res.ok && res.status !== 304) throw new Error(await res.text());
    if (res.status !== 304) place(await res.json());
    if (res.headers.get("ETag")) live.tag = res.headers.get("ETag").replace(/^W\/|"/g, "");
    second();
    gone(false);
  } catch (err) {
    if (err.name !== "AbortError") gone(true);
  }
}

// openRewind builds the bar with the slider.
function openRewind() {
  if (document.getElementById("rewind")) return closeRewind();
  const bar = document.createElement("form");
  bar.id = "rewind";
  bar.setAttribute("aria-label", say("rewind.title"));
  const end = Math.floor((Date.now() + hearth.ahead) / rewind.step);
  const slider = Object.assign(document.createElement("input"), { type: "range", min: end - (rewind.days * 86400000) / rewind.step, max: end, step: 1 });
  slider.value = hearth.past ? Math.floor(hearth.past / rewind.step) : end;
  slider.setAttribute("aria-label", say("rewind.time"));
  const label = document.createElement("output");
  const button = (text, act) => {
    const b = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    b.addEventListener("click", act);
    return b;
  };
  const moved = () => {
    const at = Number(slider.value) >= end ? 0 : Number(slider.value) * rewind.step;
    label.textContent = at ? formatter("full", hearth.zone).format(new Date(at)) : say("rewind.now");
    slider.setAttribute("aria-valuetext", label.textContent);
    clearTimeout(rewind.timer);
    rewind.timer = setTimeout(() => travel(at), 150);
  };
  const by = (ms) => () => {
    slider.value = Number(slider.value) + ms / rewind.step;
    moved();
  };
  slider.addEventListener("input", moved);
  bar.append(button(say("rewind.hourBack"), by(-3600000)), slider, button(say("rewind.hourOn"), by(3600000)), label, button(say("rewind.back"), closeRewind));
  bar.addEventListener("submit", (e) => e.preventDefault());
  document.body.append(bar);
  label.textContent = hearth.past ? formatter("full", hearth.zone).format(new Date(hearth.past)) : say("rewind.now");
  slider.focus();
}

function closeRewind() {
  document.getElementById("rewind")?.remove();
  clearTimeout(rewind.timer);
  if (hearth.past) travel(0);
}

const opener = Object.assign(document.createElement("button"), { type: "button", id: "rewind-open", textContent: say("rewind.earlier") });
opener.addEventListener("click", openRewind);
document.querySelector("nav").prepend(opener);
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape" && document.getElementById("rewind") && !document.querySelector("dialog[open]")) closeRewind();
});
if (hearth.past) {
  openRewind();
  document.activeElement.blur();
}
// A link in a message names the alert that it is about.
const meant = new URLSearchParams(location.search).get("alert");
// A time without a zone, or of a moment ago, is written as arrived reads it.
if (new URLSearchParams(location.search).has("at") && Date.parse(new URLSearchParams(location.search).get("at")) !== hearth.past) history.replaceState(history.state, "", pastURL("./", hearth.past));
addEventListener("popstate", arrived);
if (meant) document.querySelector(`[data-key="${CSS.escape(meant)}"]`)?.closest("li")?.classList.add("meant");
