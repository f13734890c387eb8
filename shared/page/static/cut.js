// What does not fit into a tile is hidden by whole lines: half a line is harder to read than
// none. Lists of class fit do that themselves (fit.js), except for their first row.

// endOf returns where what stands in a line ends; a curve below it is a line of its own.
function endOf(line) {
  if (line.matches("svg") || !line.querySelector("svg.spark")) return line.getBoundingClientRect().bottom;
  return Math.max(...[...line.querySelectorAll("*:not(svg, svg *, :has(svg.spark))")].map((e) => e.getBoundingClientRect().bottom));
}

function cut(tile) {
  const end = tile.getBoundingClientRect().bottom - 3;
  for (const line of tile.querySelectorAll("p, dl > div, tr, li, svg.spark")) {
    const list = line.closest(".fit")?.getBoundingClientRect().bottom ?? end;
    line.classList.toggle("cut", endOf(line) > Math.min(end, list + 2));
  }
}

function cutAll() {
  for (const tile of document.querySelectorAll(".tile")) {
    resized.observe(tile);
    cut(tile);
  }
}

const resized = new ResizeObserver((entries) => entries.forEach((e) => cut(e.target)));
cutAll();
new MutationObserver(cutAll).observe(document.querySelector("main"), { childList: true, subtree: true, attributeFilter: ["class", "style"] });
