// Elements, made of texts and other elements.
//
// Owns the only ways in which anything comes into the document: a text becomes a text node, an attribute is set by its name. Nothing is ever
// parsed as markup.

import { visible, visibleLines } from "/page/text.js";

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  add(element, ...children);
  return element;
}

/** An HTML element. Properties that begin with `on` are listeners. */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** An SVG element. */
export function svg(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** Adds texts and elements. */
export function add(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(visible(child)));
  }
}

/** Replaces what is in an element. */
export function put(element, ...children) {
  element.replaceChildren();
  add(element, ...children);
}

/** Replaces an element's text, if it is another one: what is selected stays so. */
export function say(element, text) {
  const shown = visible(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/** The same for a text of several lines. */
export function sayLines(element, text) {
  const shown = visibleLines(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/** Keeps a child for each item, by its key, in the order of the items: what is there is updated, so that focus and selection stay. */
export function keep(parent, items, key, make, update) {
  const known = new Map([...parent.children].map((child) => [child.key, child]));
  const kept = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    let child = known.get(id);
    if (child) {
      known.delete(id);
    } else {
      child = make(item);
      child.key = id;
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
    kept.add(child);
    update?.(child, item);
  }
  // Not by key: two of the same key may have been there.
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
}

/** An empty bar. */
export function bar() {
  return h("div", { class: "bar" });
}

/** A number of its limit as a bar; without a limit the number alone. */
export function setBar(element, label, used, limit, format) {
  if (!element.firstChild) {
    element.append(h("span", { class: "bar-name" }), h("span", { class: "bar-value" }), h("span", { class: "bar-rail" }, h("span", { class: "bar-fill" })));
  }
  const [name, value, rail] = element.children;
  say(name, label);
  say(value, limit === null ? format(used) : `${format(used)} of ${format(limit)}`);
  rail.hidden = limit === null;
  const part = limit > 0 ? Math.min(used / limit, 1) : 0;
  rail.firstChild.style.width = `${(part * 100).toFixed(1)}%`;
  element.dataset.level = limit === null ? "none" : part >= 0.9 ? "full" : part >= 0.75 ? "high" : "low";
  rail.setAttribute("role", "meter");
  rail.setAttribute("aria-label", visible(label));
  rail.setAttribute("aria-valuemin", "0");
  rail.setAttribute("aria-valuemax", String(limit ?? 0));
  rail.setAttribute("aria-valuenow", String(used));
}

let hush;

/** Tells something that has been done, for a while. */
export function tell(text, bad = false) {
  const said = document.getElementById("said");
  say(said, text);
  said.className = bad ? "bad" : "good";
  clearTimeout(hush);
  hush = setTimeout(() => put(said), 6000);
}

/** Asks whether to do something; resolves to the form's fields, or to null. What is safe has the focus. */
export function ask({ title, text, act, fields = [] }) {
  return new Promise((resolve) => {
    const form = h("form", { method: "dialog" },
      h("h2", null, title),
      text.map((line) => h("p", null, line)),
      fields.map(({ name, label, ...rest }) => h("label", null, label, h("input", { name, ...rest }))),
      h("div", { class: "buttons" },
        h("button", { value: "", autofocus: true }, "Leave it"),
        h("button", { value: "act", class: "danger" }, act)));
    const dialog = h("dialog", { onclose: () => {
      const answer = dialog.returnValue === "act" ? Object.fromEntries(new FormData(form)) : null;
      dialog.remove();
      resolve(answer);
    } }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
}
