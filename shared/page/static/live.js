// Fetches the parts that have changed and puts them in place; counts ages and the clock.

// morph changes node a into node b and touches only what differs, so that what is unfolded,
// focused or selected stays so.
function morph(a, b) {
  if (a.isEqualNode(b)) return;
  if (a.nodeType !== b.nodeType || a.nodeName !== b.nodeName || a.id !== b.id) return a.replaceWith(b);
  if (a.nodeType !== Node.ELEMENT_NODE) {
    if (a.data !== b.data) a.data = b.data;
    return;
  }
  for (const { name, value } of b.attributes) if (a.getAttribute(name) !== value) a.setAttribute(name, value);
  for (const { name } of [...a.attributes]) if (!b.hasAttribute(name) && name !== "open") a.removeAttribute(name);
  let at = a.firstChild;
  for (const next of [...b.childNodes]) {
    const same = next.id ? [...a.children].find((c) => c.id === next.id) : at && !at.id ? at : null;
    if (!same) a.insertBefore(next, at);
    else {
      if (same !== at) a.insertBefore(same, at);
      else at = at.nextSibling;
      morph(same, next);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const live = { tag: document.body.dataset.tag, every: Number(document.body.dataset.every) || 5000, timer: 0, busy: false, seen: Date.parse(document.body.dataset.now) };

async function refresh() {
  clearTimeout(live.timer);
  if (document.hidden || live.busy || hearth.past) return;
  live.busy = true;
  let wait = live.every;
  try {
    const res = await fetch("tiles.json" + location.search, { headers: { "If-None-Match": `"${live.tag}"` }, cache: "no-store", signal: AbortSignal.timeout(15000) });
    if (res.status !== 304 && !res.ok) throw new Error(res.status);
    const now = Date.parse(res.headers.get("Date"));
    if (!isNaN(now) && Math.abs(now - hearth.now()) > 2000) hearth.ahead = now - Date.now();
    const news = res.status === 304 ? null : await res.json();
    if (hearth.past) throw new Error("the page shows the past");
    if (news) place(news);
    if (res.headers.get("ETag")) live.tag = res.headers.get("ETag").replace(/^W\/|"/g, "");
    live.seen = hearth.now();
    gone(false);
  } catch {
    if (!hearth.past) gone(true);
    wait = Math.max(live.every, 5000);
  }
  live.busy = false;
  live.timer = setTimeout(refresh, wait);
}

// place puts parts in their places, and removes those that are no longer there.
function place({ order, parts }) {
  const main = document.querySelector("main");
  let before = null;
  for (const id of order) {
    const old = document.getElementById(id);
    let node = old;
    if (parts[id]) {
      const next = new DOMParser().parseFromString(parts[id], "text/html").body.firstElementChild;
      local(next);
      if (old) morph(old, next);
      else main.append(next);
      node = document.getElementById(id);
    }
    if (node && node.parentElement === main) {
      if ((before ? before.nextElementSibling : main.firstElementChild) !== node) main.insertBefore(node, before ? before.nextElementSibling : main.firstElementChild);
      before = node;
    }
  }
  for (const cell of [...main.children]) if (!order.includes(cell.id)) cell.remove();
}

// gone says that the server does not answer, and how old what is shown is.
function gone(yes) {
  document.body.classList.toggle("gone", yes);
  set(document.getElementById("connection"), yes ? `No answer from hearth: what you see is ${age(hearth.now() - live.seen)} old` : "");
}

function second() {
  if (document.hidden) return;
  tick(document);
  const now = new Date(hearth.now());
  set(document.getElementById("clock"), formatter("hm", hearth.zone).format(now));
}

local(document);
setInterval(second, 1000);
live.timer = setTimeout(refresh, live.every);
document.addEventListener("visibilitychange", refresh);
