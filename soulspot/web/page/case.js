// One track beside a candidate, field by field, with the buttons to decide, and a search by hand.

import { get, post } from "./api.js";
import { cover } from "./covers.js";
import { badge, clock, h, percent, plural } from "./dom.js";

const FIELDS = [["title", "Title"], ["version", "Version"], ["artist", "Artist"], ["album", "Album"],
  ["position", "Position"], ["length", "Length"], ["date", "Date"], ["isrc", "ISRC"]];
const SAME = { true: ["=", "same", "same"], false: ["≠", "differs", "differs"], null: ["", "", "unsaid"] };
const WAIT_MS = 1000, MOST_WAITS = 30;

export function drawCase(place, found, chosen, on) {
  const title = found.tags.title ?? found.path?.split("/").at(-1) ?? found.source_key ?? `track ${found.track_id}`;
  const candidate = found.candidates[chosen];
  const parts = [
    h("div", { class: "case-head" }, h("h3", {}, title), badge(found.status)),
    h("p", { class: "hint path" }, found.path ?? found.source_key ?? ""),
  ];
  if (found.candidates.length > 1) {
    parts.push(h("div", { class: "choices", role: "group", "aria-label": "Candidates" }, found.candidates.map((one, index) =>
      h("button", { type: "button", class: "choice", "aria-pressed": String(index === chosen), onclick: () => on.choose(index) },
        h("strong", {}, percent(100 * one.score)), ` ${one.shown.title ?? one.entity_id}`,
        h("span", { class: "hint" }, ` ${one.provider}${one.disambiguation ? `, ${one.disambiguation}` : ""}`)))));
  }
  if (candidate) parts.push(...comparison(found, candidate), buttons(candidate, found, on));
  else parts.push(h("p", { class: "empty" }, "There is no candidate. Search for one below."));
  if (found.decisions.length) {
    parts.push(h("p", { class: "hint" }, `Decisions: ${found.decisions.map((one) => `${one.verdict} ${one.entity_id} (${clock(one.at)})`).join("; ")} `,
      h("button", { type: "button", class: "quiet", onclick: () => on.undo() }, "Undo")));
  }
  parts.push(searching(found, on));
  const focused = place.contains(document.activeElement) ? document.activeElement.textContent : null;
  place.replaceChildren(...parts);
  if (focused !== null) {
    const again = [...place.querySelectorAll("button")].find((one) => one.textContent === focused);
    (again ?? place.querySelector("button"))?.focus({ preventScroll: true });
  }
}

export function comparison(found, one) {
  const rows = FIELDS.map(([name, words]) => {
    const [ours, theirs] = [found.tags.shown[name], one.shown[name]];
    if (!ours && !theirs) return null;
    const [sign, said, kind] = SAME[String(one.same[name])];
    const apart = name === "length" && one.apart_ms && one.same[name] === false ? ` (${one.apart_ms > 0 ? "+" : "−"}${Math.round(Math.abs(one.apart_ms) / 1000)} s)` : "";
    return h("tr", { data: { same: kind } }, h("th", { scope: "row" }, words), h("td", {}, ours ?? "–"),
      h("td", { class: "sign" }, h("span", { "aria-hidden": "true" }, sign), h("span", { class: "hidden" }, said)),
      h("td", {}, (theirs ?? "–") + apart));
  });
  return [
    h("div", { class: "byline" }, cover(one.cover_url, one.shown.album ?? one.shown.title), h("div", {},
      h("p", {}, h("strong", {}, percent(100 * one.score)), " ", h("a", { href: one.url, target: "_blank", rel: "noreferrer" }, `${one.provider} ↗`),
        one.releases ? ` · on ${plural(one.releases, "release")}` : "", one.disambiguation ? ` · ${one.disambiguation}` : ""),
      h("p", { class: "hint" }, (one.reasons ?? []).join("; ")))),
    h("table", { class: "compare" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Field"), h("th", { scope: "col" }, "Your tags"),
        h("th", { scope: "col" }, h("span", { class: "hidden" }, "Comparison")), h("th", { scope: "col" }, "Candidate"))),
      h("tbody", {}, rows.filter(Boolean))),
  ];
}

function buttons(candidate, found, on) {
  return h("div", { class: "actions decide" },
    h("button", { type: "button", class: "primary", onclick: () => on.accept(candidate), "aria-keyshortcuts": "a" }, "Accept ", h("kbd", {}, "a")),
    h("button", { type: "button", onclick: () => on.reject(candidate), "aria-keyshortcuts": "r" }, "Reject ", h("kbd", {}, "r")),
    found.candidates.length > 1 && h("button", { type: "button", onclick: () => on.none(), "aria-keyshortcuts": "x" }, "None of these ", h("kbd", {}, "x")),
    h("button", { type: "button", class: "quiet", onclick: () => on.next(), "aria-keyshortcuts": "j" }, "Later ", h("kbd", {}, "j")));
}

function searching(found, on) {
  const words = [found.tags.artist, found.tags.title].filter(Boolean).join(" - ");
  const finds = h("div", { class: "finds", role: "status" });
  const field = h("input", { type: "search", maxlength: 500, value: words, autocomplete: "off" });
  const form = h("form", { class: "filters" }, h("label", {}, "Words", field), h("button", { type: "submit" }, "Search MusicBrainz"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    finds.replaceChildren(h("p", { class: "hint" }, "Searching …"));
    try {
      const { url } = await post(`/api/v1/review/${found.track_id}/search`, { words: field.value, provider: "musicbrainz" });
      for (let waits = 0; waits < MOST_WAITS && form.isConnected; waits++) {
        const said = await get(url);
        if (said.answered || !["pending", "leased"].includes(said.state)) {
          finds.replaceChildren(...results(found, said, on));
          return;
        }
        await new Promise((done) => { setTimeout(done, WAIT_MS); });
      }
      finds.replaceChildren(h("p", { class: "hint" }, "The service has not answered yet. The search stays queued: open this track again later."));
    } catch (error) {
      finds.replaceChildren(h("p", {}, error.message));
    }
  });
  return h("details", { class: "by-hand" }, h("summary", {}, "None of these? Search by hand"), form, finds);
}

function results(found, said, on) {
  if (said.error) return [h("p", {}, said.error)];
  if (!said.results.length) return [h("p", { class: "empty" }, "Nothing was found. Try other words.")];
  return said.results.slice(0, 10).map((one) => h("details", {},
    h("summary", {}, [one.shown.title, one.shown.artist, one.shown.album, one.shown.length].filter(Boolean).join(" · ")),
    comparison(found, { score: 0, reasons: [], ...one }).at(-1),
    h("button", { type: "button", class: "primary", onclick: () => on.accept(one) }, `Accept ${one.shown.title ?? one.entity_id}`)));
}
