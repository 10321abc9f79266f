// Failures with advice, and the report of an operation that has ended.

import { get } from "./api.js";
import { count, h, lasts, plural } from "./dom.js";

// One entry for each category of an error report.
export function troubles(failures) {
  const groups = [...(failures.lookups ?? []).map((one) => [one, plural(one.count, "lookup")]),
    ...(failures.files ?? []).map((one) => [one, plural(one.count, "file")]),
    ...(failures.tracks ?? []).map((one) => [one, plural(one.count, "track")])];
  return groups.map(([one, what]) => {
    const services = Object.keys(one.services).join(", ");
    return h("li", {}, h("strong", {}, what), `: ${one.what}${services ? ` (${services})` : ""}. `,
      h("span", { class: "advice" }, `What to do: ${one.advice}.`),
      h("details", {}, h("summary", {}, "Examples"), h("ul", {}, one.examples.map((text) => h("li", {}, h("code", {}, text))))));
  });
}

// The report of operation `id`, fetched when its details are opened for the first time.
export function report(id) {
  const place = h("div", { class: "report-text" });
  const details = h("details", { class: "report" }, h("summary", {}, "Report"), place);
  details.addEventListener("toggle", async () => {
    if (!details.open || place.children.length) return;
    place.replaceChildren(h("p", { class: "hint" }, "…"));
    try {
      const { metadata } = await get(`/api/v1/operations/${id}`);
      place.replaceChildren(...contents(metadata));
    } catch (error) {
      place.replaceChildren();
      details.open = false;
      details.querySelector("summary").textContent = `Report (${error.message})`;
    }
  });
  return details;
}

function contents({ performance, errors, notes }) {
  const parts = [];
  if (performance?.services) {
    parts.push(h("p", {}, [`${plural(performance.tracks, "track")} finished in ${lasts(performance.seconds)}`,
      `${plural(performance.requests, "request")}, ${count(performance.requests_saved)} fewer than one for each track`,
      performance.peak_rss_mb && `at most ${count(Math.round(performance.peak_rss_mb))} MB of memory`].filter(Boolean).join(" · ")));
    parts.push(h("ul", {}, Object.entries(performance.services).map(([name, one]) => h("li", {}, h("strong", {}, name), `: ${service(one)}`))));
  }
  if (notes?.length) parts.push(h("ul", {}, notes.map((text) => h("li", {}, text))));
  const failed = troubles(errors ?? {});
  if (failed.length) parts.push(h("p", { class: "hint" }, "Failures by its end:"), h("ul", { class: "failures" }, failed));
  return parts.length ? parts : [h("p", { class: "hint" }, "This operation has no report.")];
}

function service(one) {
  const milliseconds = (value) => (value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`);
  const parts = [plural(one.requests, "request")];
  if (one.request_ms?.p95) parts.push(`95 % of them within ${milliseconds(one.request_ms.p95)}`);
  if (one.batches) parts.push(`batches ${Math.round(one.batch_fill ?? 0)} % full`);
  if (one.http_429) parts.push(`${count(one.http_429)} times 429`);
  if (one.http_503) parts.push(`${count(one.http_503)} times 503`);
  return parts.join(", ");
}
