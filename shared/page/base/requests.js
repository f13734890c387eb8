// Requests to the server that the page came from. The token, if the server wants one, is kept
// for this tab only, and sent in a header: a cookie would go to every function of the gateway.

// call is fetch with the token. If the server wants one to read, or another one, it loads the
// page again, which asks for it.
async function call(path, options = {}, token = sessionStorage.getItem("token")) {
  const headers = new Headers(options.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  const res = await fetch(path, { ...options, headers });
  if (res.status === 401 && !options.method && res.headers.has("WWW-Authenticate")) location.reload();
  return res;
}

// post sends a form and returns the answer's text; it throws the text of an error. If the
// server wants a token, it asks for one and tries again. One that is wrong is not kept: with the
// one before, the page may still read.
async function post(path, fields) {
  for (let given; ; ) {
    const res = await call(path, { method: "POST", body: new URLSearchParams(fields), signal: AbortSignal.timeout(30000) }, given);
    const text = (await res.text()).trim();
    if (given && res.status !== 401) sessionStorage.setItem("token", given);
    if (res.ok) return text;
    if (res.status !== 401) throw Object.assign(new Error(text), { status: res.status });
    given = await askToken(text);
  }
}

// askToken asks for the token and returns it; it throws if the person gives none.
function askToken(why) {
  const dialog = document.createElement("dialog");
  dialog.className = "token";
  dialog.setAttribute("aria-labelledby", "token-why");
  const make = (name, fields, ...children) => {
    const node = Object.assign(document.createElement(name), fields);
    node.append(...children);
    return node;
  };
  const input = make("input", { type: "password", autocomplete: "current-password", required: true });
  const cancel = make("button", { type: "button", textContent: say("token.cancel") });
  const who = make("input", { autocomplete: "username", value: "hearth", hidden: true }); // for password managers
  const form = make("form", {}, who, make("p", { id: "token-why", textContent: why }), make("label", {}, say("token.token"), input), make("p", { className: "choice" }, cancel, make("button", { textContent: say("token.continue") })));
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve, reject) => {
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      resolve(input.value.trim());
      dialog.close();
    });
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      reject(new Error(say("token.nothing")));
    });
  });
}

// A link to a file cannot send the token: the file is fetched, and saved from memory.
document.addEventListener("click", async (e) => {
  const link = e.target.closest("a[download]");
  if (!link || link.protocol === "blob:" || !sessionStorage.getItem("token")) return;
  e.preventDefault();
  const res = await call(link.href);
  if (!res.ok) return;
  const name = (res.headers.get("Content-Disposition") || "").match(/filename="([^"]+)"/);
  const saved = document.createElement("a");
  saved.href = URL.createObjectURL(await res.blob());
  saved.download = name ? name[1] : link.pathname.split("/").pop();
  saved.click();
  URL.revokeObjectURL(saved.href);
});
