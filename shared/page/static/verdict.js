// "Got it" in the verdict: acknowledges the alert of a line, or all of them.

async function acknowledge(button) {
  const section = document.getElementById("verdict");
  const said = section.querySelector(".said");
  const line = button.closest("li");
  const keys = line ? [line.dataset.key] : section.dataset.acks.split("\n");
  button.disabled = true;
  for (const li of section.querySelectorAll("li[data-key]")) li.classList.toggle("done", li.classList.contains("done") || keys.includes(li.dataset.key));
  let failed = "";
  for (const key of keys) {
    try {
      await post("alerts", { do: "ack", key });
    } catch (err) {
      failed = err.name === "TimeoutError" || err instanceof TypeError ? say("page.noAnswer") : err.message;
      if (err.status !== 404) break; // 404: it is over or was acknowledged by another person
      failed = "";
    }
  }
  button.disabled = false;
  if (failed) for (const li of section.querySelectorAll("li.done")) li.classList.remove("done");
  set(said, failed);
  refresh();
}

document.addEventListener("click", (e) => {
  const button = e.target.closest("button[data-ack]");
  if (button) acknowledge(button);
});
