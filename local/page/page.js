// Shows times in the viewer's zone and replaces the content when it changed.
"use strict";
const every = 15000;

function localize(root) {
  for (const t of root.querySelectorAll("time")) {
    const at = new Date(t.dateTime);
    if (isNaN(at)) continue;
    const here = at.toLocaleString();
    if (t.className === "clock") t.textContent = here;
    else t.title = here;
  }
}

async function refresh() {
  if (document.hidden) return;
  const state = document.getElementById("state");
  try {
    const res = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(every) });
    if (!res.ok) throw new Error(res.status);
    const next = new DOMParser().parseFromString(await res.text(), "text/html").querySelector("main");
    localize(next);
    const main = document.querySelector("main");
    if (main.innerHTML !== next.innerHTML) main.replaceChildren(...next.childNodes);
    state.textContent = "";
  } catch {
    state.textContent = "not answering: what is below may be old";
  }
}

localize(document);
setInterval(refresh, every);
document.addEventListener("visibilitychange", refresh);
