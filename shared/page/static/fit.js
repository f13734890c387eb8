// Lists of class fit show only whole rows: those that do not fit wrap into columns beyond the
// edge. What is hidden takes no focus, and the element of class more behind the list says how
// many rows there are besides: the hidden ones and data-rest, which the server left out.

function fit(list) {
  const rows = [...list.children];
  let hidden = 0;
  for (const row of rows) {
    const cut = row.offsetTop + row.offsetHeight > list.clientHeight + 2; // the first row, which cannot wrap
    const beyond = list.clientWidth > 0 && (row.offsetLeft - rows[0].offsetLeft >= list.clientWidth / 2 || cut);
    if (row.inert !== beyond) row.inert = beyond;
    if (beyond) hidden++;
  }
  const more = list.nextElementSibling;
  const n = hidden + Number(list.dataset.rest || 0);
  if (more && more.classList.contains("more")) set(more, n ? say("page.more", n) : "");
}

const fitting = new ResizeObserver((entries) => entries.forEach((e) => fit(e.target)));

// fitAll fits the lists as they are now, and again whenever their size changes.
function fitAll() {
  for (const list of document.querySelectorAll(".fit")) {
    fitting.observe(list);
    fit(list);
  }
}

fitAll();
new MutationObserver(() => {
  fitAll();
  requestAnimationFrame(fitAll); // after what else changes sizes, as kiosk.js does
}).observe(document.querySelector("main"), { childList: true, subtree: true });
