// The yield curve of a day of a person's choice: the server draws it over the newest one.
{
  const chosen = { on: "" };

  async function drawCurve() {
    const box = document.querySelector(".curve");
    const input = document.getElementById("curve-on");
    if (!box || !input) return;
    const said = document.getElementById("curve-said");
    const on = (box.dataset.on = chosen.on);
    try {
      const q = new URLSearchParams(on ? { on } : {});
      for (const [name, value] of new URLSearchParams(location.search)) if (name === "view" || name === "at") q.set(name, value);
      const res = await call("curve.svg?" + q, { signal: AbortSignal.timeout(15000) });
      const text = await res.text();
      if (on !== chosen.on) return;
      if (!res.ok) throw new Error(text.trim());
      const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
      box.replaceChildren(document.importNode(svg, true));
      const { day, words } = svg.dataset;
      set(said, day ? [formatter("ymd", "UTC").format(new Date(day)), words].filter(Boolean).join(": ") : "");
    } catch (err) {
      if (on === chosen.on) set(said, err.message);
    }
  }

  document.addEventListener("change", (e) => {
    if (e.target.id !== "curve-on") return;
    chosen.on = e.target.value;
    drawCurve();
  });

  // A newer curve has replaced the drawing: draw the chosen day over it again.
  new MutationObserver(() => {
    const box = document.querySelector(".curve");
    if (chosen.on && box && box.dataset.on !== chosen.on) drawCurve();
  }).observe(document.querySelector("main"), { childList: true, subtree: true, attributes: true, attributeFilter: ["data-on"] });
}
