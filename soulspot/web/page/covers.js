// Front covers, which the daemon fetches and caches; a coloured tile where there is none.

import { $, h } from "./dom.js";

const KEY = "soulspot.covers";
const offered = document.documentElement.dataset.covers === "on"; // whether export.covers.enabled is set
let shown = offered && wanted();

function wanted() {
  try { return localStorage.getItem(KEY) !== "off"; } catch { return true; }
}

// `again` redraws the covers that are shown.
export function beginCovers(again) {
  $("covers-switch").hidden = !offered;
  $("covers").checked = shown;
  $("covers").addEventListener("change", () => {
    shown = $("covers").checked;
    try { localStorage.setItem(KEY, shown ? "on" : "off"); } catch { /* for this time, then */ }
    again();
  });
}

// A tile with two letters of the album's name, in a colour that depends on the name alone.
function tile(words) {
  const text = (words ?? "").trim();
  const letters = [...text.replace(/[^\p{L}\p{N} ]/gu, "").trim()].slice(0, 2).join("") || "♪";
  let sum = 0;
  for (const char of text) sum = (sum * 31 + char.codePointAt(0)) % 6;
  return h("span", { class: "cover", "aria-hidden": "true", data: { tone: sum } }, letters);
}

export function cover(url, words) {
  if (!shown || !url) return tile(words);
  const image = h("img", { class: "cover", src: `/api/v1/covers?url=${encodeURIComponent(url)}`, alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(tile(words)), { once: true });
  return image;
}
