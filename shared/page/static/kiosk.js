// ?kiosk: the screen stays on, is dark and nearly empty at night, and its picture moves a
// little, so that it leaves no traces on the screen.
const kiosk = { lock: null, awake: 0 };

// isNight reports whether the sun is down; where it is not known when, from 22 to 7.
function isNight(now) {
  const { sunrise, sunset } = document.body.dataset;
  if (sunrise && sunset) {
    const minutes = (t) => {
      const [h, m] = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: hearth.zone }).format(t).split(":");
      return Number(h) * 60 + Number(m);
    };
    const [at, rise, set] = [now, new Date(sunrise), new Date(sunset)].map(minutes);
    return rise < set ? at < rise || at >= set : at >= set && at < rise;
  }
  const h = Number(new Intl.DateTimeFormat("en-GB", { hour: "2-digit", timeZone: hearth.zone }).format(now));
  return h >= 22 || h < 7;
}

function kioskMinute() {
  const body = document.body;
  const now = new Date(hearth.now());
  body.classList.toggle("night", isNight(now) && Date.now() > kiosk.awake);
  const minute = Math.floor(now / 60000) % 9;
  body.style.setProperty("--x", `${(minute % 3) - 1}px`);
  body.style.setProperty("--y", `${Math.floor(minute / 3) - 1}px`);
}

// enlarge gives all text that would be smaller than 20 pixels that size.
function enlarge() {
  const least = 20;
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some((c) => c.nodeType === Node.TEXT_NODE && c.data.trim())) continue;
    const scale = node instanceof SVGElement ? node.getScreenCTM()?.a || 1 : 1;
    if (parseFloat(getComputedStyle(node).fontSize) * scale < least - 0.01) node.style.fontSize = `${least / scale}px`;
  }
}

async function stayOn() {
  if (document.hidden || !navigator.wakeLock) return; // only where the connection is secure
  try {
    kiosk.lock = await navigator.wakeLock.request("screen");
  } catch {
    kiosk.lock = null; // not allowed now, as when the battery is low
  }
}

if (document.body.classList.contains("kiosk")) {
  kioskMinute();
  setInterval(kioskMinute, 5000);
  enlarge();
  new MutationObserver(enlarge).observe(document.body, { childList: true, subtree: true, attributeFilter: ["style", "class"] });
  addEventListener("resize", enlarge);
  stayOn();
  document.addEventListener("visibilitychange", stayOn);
  document.addEventListener("pointerdown", () => {
    kiosk.awake = Date.now() + 60000; // a touch at night shows everything for a minute
    kioskMinute();
  });
}
