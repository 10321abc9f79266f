// Covers lie at other hosts: they are shown when the user allows it, and a tile of ours stands in until then.

import { $, h } from "./dom.js";

const KEY = "soulspot.covers";
const allowed = new URLSearchParams(location.search).get("covers") === "1"; // the daemon's policy follows the address

function wanted() {
  try { return localStorage.getItem(KEY) === "on"; } catch { return allowed; }
}

function go(on) {
  const address = new URL(location.href);
  if (on) address.searchParams.set("covers", "1");
  else address.searchParams.delete("covers");
  location.replace(address);
}

export function beginCovers() {
  $("covers").checked = allowed;
  $("covers").addEventListener("change", () => {
    try { localStorage.setItem(KEY, $("covers").checked ? "on" : "off"); } catch { /* for this time, then */ }
    go($("covers").checked);
  });
  if (wanted() !== allowed) go(wanted());
}

// A tile of two letters in a colour of the album's name, the same each time.
function tile(words) {
  const text = (words ?? "").trim();
  const letters = [...text.replace(/[^\p{L}\p{N} ]/gu, "").trim()].slice(0, 2).join("") || "♪";
  let sum = 0;
  for (const char of text) sum = (sum * 31 + char.codePointAt(0)) % 6;
  return h("span", { class: "cover", "aria-hidden": "true", data: { tone: sum } }, letters);
}

export function cover(url, words) {
  if (!allowed || !url?.startsWith("https://")) return tile(words);
  const image = h("img", { class: "cover", src: url, alt: "", loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(tile(words)), { once: true });
  return image;
}
