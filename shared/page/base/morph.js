// morph changes node a into node b and touches only what differs, so that what is unfolded,
// focused or selected stays so. It calls changed with each text that it changed. What an action
// answered stays readable for a while: data-said is when it did.
function morph(a, b, changed) {
  if (a.isEqualNode(b)) return;
  if (a.nodeType !== b.nodeType || a.nodeName !== b.nodeName || a.id !== b.id) return a.replaceWith(b);
  if (Date.now() - a.dataset?.said < 15000) return;
  if (a.nodeType !== Node.ELEMENT_NODE) {
    if (a.data !== b.data) {
      a.data = b.data;
      changed?.(a);
    }
    return;
  }
  for (const { name, value } of b.attributes) if (a.getAttribute(name) !== value) a.setAttribute(name, value);
  for (const { name } of [...a.attributes]) if (!b.hasAttribute(name) && name !== "open") a.removeAttribute(name);
  let at = a.firstChild;
  for (const next of [...b.childNodes]) {
    const same = next.id ? [...a.children].find((c) => c.id === next.id) : at && !at.id ? at : null;
    if (!same) a.insertBefore(next, at);
    else {
      if (same !== at) a.insertBefore(same, at);
      else at = at.nextSibling;
      morph(same, next, changed);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}
