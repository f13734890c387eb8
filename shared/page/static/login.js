// Fetches with the token what the address names, and puts it in the place of this page.
// An address that ends with #token=… gives the token, as for a tablet that starts by itself.
"use strict";
{
  const form = document.getElementById("login");

  async function show(token) {
    const res = await fetch(location.href, { headers: { Authorization: `Bearer ${token}`, Accept: "text/html" }, cache: "no-store" });
    const type = res.headers.get("Content-Type") || "";
    if (res.status === 401) {
      sessionStorage.removeItem("token");
      return new DOMParser().parseFromString(await res.text(), "text/html").getElementById("said").textContent;
    }
    sessionStorage.setItem("token", token);
    if (!type.startsWith("text/html")) return keep(await res.blob());
    const next = new DOMParser().parseFromString(await res.text(), "text/html");
    const scripts = [...next.querySelectorAll("script")];
    for (const node of [...scripts, ...next.querySelectorAll("noscript")]) node.remove();
    document.replaceChild(document.adoptNode(next.documentElement), document.documentElement);
    for (const { src } of scripts) document.head.append(Object.assign(document.createElement("script"), { src, async: false }));
    return "";
  }

  // keep saves a file that is no page.
  function keep(blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = location.pathname.split("/").pop();
    link.click();
    return form.dataset.saved;
  }

  // decoded reads a token of the address, in which % may stand for itself.
  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  async function attempt(token, first) {
    let said;
    try {
      said = await show(token);
    } catch {
      said = form.dataset.gone;
    }
    form.hidden = false;
    if (said && !first) document.getElementById("said").textContent = said;
  }

  form.addEventListener("submit", (e) => {
    e.preventDefault();
    attempt(document.getElementById("token").value.trim(), false);
  });
  const given = location.hash.match(/^#token=(.+)$/);
  if (given) history.replaceState(null, "", location.pathname + location.search);
  const known = given ? decoded(given[1]) : sessionStorage.getItem("token");
  if (known) attempt(known, !given);
  else form.hidden = false;
}
