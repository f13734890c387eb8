// Fetches the parts that have changed and puts them in place; counts ages and the clock.

const live = { tag: document.body.dataset.tag, every: Number(document.body.dataset.every) || 5000, timer: 0, busy: false, seen: Date.parse(document.body.dataset.now) };

async function refresh() {
  clearTimeout(live.timer);
  if (document.hidden || live.busy || hearth.past) return;
  live.busy = true;
  let wait = live.every;
  try {
    const res = await call("tiles.json" + location.search, { headers: { "If-None-Match": `"${live.tag}"` }, cache: "no-store", signal: AbortSignal.timeout(15000) });
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
function place({ build, rows, order, parts }) {
  if (build !== document.body.dataset.build) return reload(build);
  const main = document.querySelector("main");
  main.className = `rows-${rows}`;
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
  Object.assign(document.body.dataset, document.getElementById("sun").dataset);
  for (const cell of [...main.children]) if (!order.includes(cell.id)) cell.remove();
  count();
}

// reload loads the page again, since the server has another version of it: once for each.
function reload(build) {
  if (sessionStorage.getItem("build") === build) return;
  sessionStorage.setItem("build", build);
  location.reload();
}

// count shows how many things need a person in the title and the icon of the tab.
function count() {
  const n = Number(document.getElementById("verdict").dataset.count);
  const title = n ? `(${n}) hearth` : "hearth";
  if (document.title === title) return;
  document.title = title;
  const icon = document.querySelector("link[rel=icon]");
  live.icon ??= icon.href;
  icon.href = n ? "data:image/svg+xml," + encodeURIComponent(badge(Math.min(n, 9))) : live.icon;
}

// badge draws the icon with a number.
function badge(n) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#b4511c" d="M16 2c1 6 9 9 9 18a9 9 0 0 1-18 0c0-4 2-6 4-8 0 3 1 4 2 5 2-4 3-9 3-15z"/><circle cx="23" cy="23" r="9" fill="#c0281c"/><text x="23" y="28" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="14" fill="#fff">${n}</text></svg>`;
}

// measure tells the style how much of the screen is above the tiles.
function measure() {
  const top = document.querySelector("main").getBoundingClientRect().top + scrollY;
  document.documentElement.style.setProperty("--top", `${Math.round(top)}px`);
}

// gone says that the server does not answer, and how old what is shown is.
function gone(yes) {
  document.body.classList.toggle("gone", yes);
  set(document.getElementById("connection"), yes ? say("page.gone", older(hearth.now() - live.seen)) : "");
}

function older(ms) {
  return ms < 60000 ? say("ages.less") : age(ms);
}

function second() {
  if (document.hidden) return;
  measure();
  tick(document);
  if (document.body.classList.contains("gone")) gone(true);
  const now = new Date(hearth.now());
  set(document.getElementById("clock"), formatter("hm", hearth.zone).format(now));
  set(document.getElementById("weekday"), formatter("weekday", hearth.zone).format(now));
  set(document.getElementById("date"), formatter("day", hearth.zone).format(now));
}

const above = new ResizeObserver(measure);
for (const part of document.querySelectorAll("body > header, #verdict, #past")) above.observe(part);
measure();
local(document);
second();
count();
setInterval(second, 1000);
live.timer = setTimeout(refresh, live.every);
document.addEventListener("visibilitychange", refresh);
