// Elements, lists that keep their focus when they change, and numbers and times as text.

export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

export const $ = (id) => document.getElementById(id);

// Writes only changed text, so that a screen reader does not read it again and a selection stays.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// One node an item, found again by its key, so that the focus stays.
export function keyed(container, items, keyOf, make, update) {
  const old = new Map([...container.children].map((node) => [node.dataset.key, node]));
  let place = container.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let node = old.get(key);
    if (!node) {
      node = make(item);
      node.dataset.key = key;
    }
    old.delete(key);
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else container.insertBefore(node, place);
  }
  for (const node of old.values()) node.remove();
}

const number = new Intl.NumberFormat("en");
export const count = (value) => number.format(value ?? 0);
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function lasts(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  if (whole < 5400) return `${Math.round(whole / 60)} min`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
  return `${Math.round(whole / 86400)} days`;
}

export function length(milliseconds) {
  if (!milliseconds) return "";
  const seconds = Math.round(milliseconds / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

// The date is left out today.
export function clock(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return String(text);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return at.toDateString() === new Date().toDateString() ? time
    : `${at.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}`;
}

export const percent = (value) => `${Math.floor(value)} %`;

export const STATUSES = [
  ["accepted", "✓", "clearly right"],
  ["review", "?", "likely: decide in Review"],
  ["unmatched", "∅", "no service knows it"],
  ["failed", "✕", "unreadable, or its lookups failed"],
  ["pending", "…", "lookups still to come"],
];
const GLYPHS = Object.fromEntries(STATUSES.map(([name, glyph]) => [name, glyph]));

export const badge = (status) =>
  h("span", { class: "badge", data: { status } }, h("span", { "aria-hidden": "true" }, `${GLYPHS[status] ?? "·"} `), status);

export function bar(label) {
  const fill = h("span", { class: "fill" });
  const node = h("div", { class: "bar", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  node.set = (value, text) => {
    fill.style.width = `${Math.min(100, Math.max(0, value))}%`;
    node.setAttribute("aria-valuenow", String(Math.floor(value)));
    node.setAttribute("aria-valuetext", text);
  };
  return node;
}

// Calls after a pause of this length, for typing.
export function later(milliseconds, work) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), milliseconds);
  };
}

// Calls this long after the first of many calls, so that a steady flow of them cannot delay it for ever.
export function soon(milliseconds, work) {
  let timer = 0;
  return (...given) => {
    timer ||= setTimeout(() => { timer = 0; work(...given); }, milliseconds);
  };
}
