// What all parts of the page's script share: time by the server's clock, numbers and dates in
// the locale of the house, requests. The files of this folder are one script, in the order of
// assets.go.
"use strict";
const hearth = {
  zone: document.body.dataset.zone || "UTC",
  locale: document.body.dataset.locale || "", // "": as the server writes
  ahead: 0, // ms by which the server's clock is ahead of this computer's
  past: Date.parse(document.body.dataset.past) || 0, // the time at which the house is shown; 0: now
  now: () => hearth.past || Date.now() + hearth.ahead,
};
{
  const ahead = Date.parse(document.body.dataset.now) - Date.now();
  if (!hearth.past && Math.abs(ahead) > 60000) hearth.ahead = ahead; // live.js measures it
}
// A gateway may serve the page at an address without a slash at its end: then relative
// addresses would lead beside it.
if (!location.pathname.endsWith("/")) history.replaceState(history.state, "", location.pathname + "/" + location.search + location.hash);

// Where the clock has 12 hours, it is 7 PM, not 07 PM.
const hours = new Intl.DateTimeFormat(hearth.locale || "en-GB", { hour: "numeric" }).resolvedOptions().hour12 ? "numeric" : "2-digit";
const formats = {
  hm: { hour: hours, minute: "2-digit" },
  h: { hour: hours },
  wd: { weekday: "short" },
  dm: { day: "numeric", month: "short" },
  weekday: { weekday: "long" },
  day: { day: "numeric", month: "long" },
  ymd: { day: "numeric", month: "short", year: "numeric" },
  full: { day: "numeric", month: "short", year: "numeric", hour: hours, minute: "2-digit" },
};
const formatters = new Map();

function formatter(form, zone) {
  const key = form + " " + zone;
  if (!formatters.has(key)) {
    const make = (z) => new Intl.DateTimeFormat(hearth.locale || "en-GB", { ...formats[form], timeZone: z });
    try {
      formatters.set(key, make(zone));
    } catch {
      formatters.set(key, make("UTC")); // the browser does not know the zone
    }
  }
  return formatters.get(key);
}

// age writes how long something lasts, as format.go does.
function age(ms) {
  const min = Math.floor(Math.abs(ms) / 60000);
  return min < 1 ? say("ages.now") : min < 60 ? say("ages.minutes", min) : min < 2880 ? say("ages.hours", Math.floor(min / 60)) : say("ages.days", Math.floor(min / 1440));
}

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// timeText writes a time in its form. Below a plot there is room for "16", not for "16 Uhr".
function timeText(t) {
  const parts = formatter(t.dataset.f, t.dateTime.length === 10 ? "UTC" : hearth.zone).formatToParts(new Date(t.dateTime));
  const bare = t.dataset.f === "h" && t.closest(".axis, .own-hour") && !parts.some((p) => p.type === "dayPeriod");
  return parts.filter((p) => !bare || p.type === "hour").map((p) => p.value).join("");
}

// local writes the numbers and times below root in the locale and the zone of the house.
function local(root) {
  if (hearth.locale) {
    for (const d of root.querySelectorAll("[data-d]")) {
      const digits = Number(d.dataset.d);
      set(d, new Intl.NumberFormat(hearth.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: d.dataset.sign ? "exceptZero" : "auto", ...(d.dataset.currency && { style: "currency", currency: d.dataset.currency }) }).format(Number(d.value ?? d.dataset.value)));
    }
    for (const t of root.querySelectorAll("time[data-f]")) {
      if (t.dataset.f !== "age") set(t, timeText(t));
    }
  }
  tick(root);
}

// tick counts ages on, and marks tiles whose values are old.
function tick(root) {
  for (const t of root.querySelectorAll("time[data-f=age]")) set(t, age(hearth.now() - Date.parse(t.dateTime)));
  for (const tile of root.querySelectorAll("[data-at]")) {
    const old = hearth.now() - Date.parse(tile.dataset.at);
    const stale = Number(tile.dataset.stale) > 0 && old > 1000 * Number(tile.dataset.stale);
    tile.classList.toggle("stale", stale);
    const mark = tile.querySelector(".old");
    if (mark) set(mark, stale ? say("page.old", age(old)) : "");
  }
}
