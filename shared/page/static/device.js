// The tile "New": saves names and rooms of new devices, and mappings of topics that hearth cannot
// read yet. What a person types stays while the page is live: values of fields are no markup.

async function sayOfDevice(form, act) {
  const said = form.querySelector(".said");
  const fields = new FormData(form);
  const area = form.querySelector("textarea");
  if (area && area.value === area.defaultValue) fields.delete("mapping"); // the proposal, which is not shown in full where it has a secret
  fields.set("do", act);
  for (const b of form.querySelectorAll("button")) b.disabled = true;
  try {
    set(said, await post("device", fields));
    said.classList.remove("failed");
    if (act !== "preview") setTimeout(refresh, 800);
  } catch (err) {
    set(said, err.name === "TimeoutError" || err instanceof TypeError ? say("page.noAnswer") : err.message);
    said.classList.add("failed");
  }
  for (const b of form.querySelectorAll("button")) b.disabled = false;
}

document.addEventListener("submit", (e) => {
  const form = e.target.closest("form[data-fresh]");
  if (!form) return;
  e.preventDefault();
  sayOfDevice(form, "save");
});
document.addEventListener("click", (e) => {
  const button = e.target.closest("form[data-fresh] button[data-do]");
  if (button) sayOfDevice(button.form, button.dataset.do);
});
