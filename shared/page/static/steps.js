// First steps: the dialog that tries a key and saves it. It stands outside of the grid, so
// that what changes on the page leaves it alone.
{
  const steps = { from: null };

  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-step]");
    if (button) openStep(button.dataset.step);
  });

  async function openStep(name) {
    steps.from = name;
    const dialog = document.createElement("dialog");
    dialog.className = "steps";
    dialog.setAttribute("aria-labelledby", "step-title");
    try {
      const res = await call("steps/form?" + new URLSearchParams({ name }), { cache: "no-store", signal: AbortSignal.timeout(15000) });
      const text = await res.text();
      if (!res.ok) throw new Error(text);
      dialog.append(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    } catch (err) {
      dialog.textContent = err.message;
    }
    document.querySelector("dialog.steps")?.remove();
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove(); // and with it what was typed
      document.querySelector(`[data-step="${CSS.escape(steps.from)}"]`)?.focus();
    });
    const form = dialog.querySelector("form");
    if (form) wireStep(dialog, form);
    dialog.showModal();
  }

  function wireStep(dialog, form) {
    const save = form.querySelector(".save");
    form.querySelector(".close").addEventListener("click", () => dialog.close());
    form.addEventListener("input", () => (save.disabled = true));
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      save.disabled = true;
      save.disabled = !(await askStep(form, "try", say("steps.trying")));
    });
    save.addEventListener("click", async () => {
      if (!(await askStep(form, "save", say("steps.saving")))) return;
      form.querySelector("[type=submit]").remove();
      save.remove();
      for (const input of form.querySelectorAll("input")) input.closest(".field").remove();
      form.querySelector(".close").focus();
      refresh();
    });
  }

  // askStep sends the form, and shows the answer. It reports whether all was well.
  async function askStep(form, what, meanwhile) {
    const found = form.querySelector(".found");
    const buttons = [...form.querySelectorAll(".do button")].filter((b) => !b.disabled);
    for (const b of buttons) b.disabled = true;
    found.replaceChildren(note("p", "dim", meanwhile));
    const body = new URLSearchParams(new FormData(form));
    body.set("name", form.dataset.name);
    let ok = false;
    try {
      const answer = JSON.parse(await post("steps/" + what, body));
      if (answer.refused) throw new Error(answer.refused);
      showFound(found, answer);
      ok = true;
    } catch (err) {
      found.replaceChildren(note("p", "bad", err.name === "TimeoutError" ? say("steps.noAnswer") : err.message));
    }
    for (const b of buttons) b.disabled = false;
    return ok;
  }

  function showFound(found, { title, rows, more, note: said }) {
    const list = document.createElement("dl");
    for (const { what, value } of rows) list.append(note("dt", "", what), note("dd", "", value));
    found.replaceChildren(note("p", "", title));
    if (rows.length) found.append(list);
    if (more) found.append(note("p", "dim", say("page.andMore", more)));
    if (said) found.append(note("p", "mid", said));
  }

  function note(tag, name, text) {
    const node = document.createElement(tag);
    node.className = name;
    node.textContent = text;
    return node;
  }
}
