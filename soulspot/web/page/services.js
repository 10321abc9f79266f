// One row a service: its state, queue, batches and requests.

import { post } from "./api.js";
import { $, bar, clock, count, h, keyed, percent, say } from "./dom.js";

const NAMES = { catalogue: "Catalogue", musicbrainz: "MusicBrainz", listenbrainz: "ListenBrainz", spotify: "Spotify", covers: "Covers" };
const COLUMNS = ["waiting", "answered", "missing", "failed", "gathering", "fill", "minute", "requests", "breaker"];
const WORTH_LIFTING_MS = 3600000; // a longer pause may be an error of the service
const NUMBERS = new Set(["waiting", "answered", "missing", "failed", "minute", "requests"]);

export function showServices(document_) {
  const gates = new Map();
  for (const gate of document_.gates) gates.set(gate.provider, [...(gates.get(gate.provider) ?? []), gate]);
  const names = [...new Set([...Object.keys(document_.lookups), ...gates.keys(), ...Object.keys(document_.pumps)])].sort();
  keyed($("services"), names, (name) => name, make, (row, name) => update(row, name, document_, gates.get(name) ?? []));
}

function make(name) {
  const title = NAMES[name] ?? name, fill = bar(`${title}: share of its batches that was filled`);
  const row = h("tr", {}, h("th", { scope: "row" }, title),
    h("td", { class: "stands" }, h("span", { class: "state" }), " ",
      h("button", { type: "button", class: "quiet lift", hidden: true, onclick: () => lift(name, row) }, "Ask again now")),
    COLUMNS.map((column) => h("td", { class: NUMBERS.has(column) ? `number ${column}` : column })));
  row.querySelector(".fill").append(h("span", { class: "share" }), fill);
  row.bar = fill;
  return row;
}

function update(row, name, document_, gates) {
  const states = document_.lookups[name] ?? {}, pump = document_.pumps[name], lately = document_.services?.[name] ?? {};
  const [state, words] = stateOf(gates, pump);
  row.dataset.state = state;
  say(row.querySelector(".state"), words);
  row.querySelector(".lift").hidden = !gates.some((gate) => gate.paused && new Date(gate.limited_until) - new Date() > WORTH_LIFTING_MS);
  const set = (column, text) => say(row.querySelector(`.${column}`), text);
  set("waiting", count((states.pending ?? 0) + (states.leased ?? 0)));
  set("answered", count(states.done));
  set("missing", count(states.missing));
  set("failed", count((states.failed ?? 0) + (states.buried ?? 0)));
  set("gathering", !pump ? "" : pump.in_flight ? `${count(pump.in_flight)} in flight, ${count(pump.gathering)} of ${count(pump.batch_size)} gathered`
    : `${count(pump.gathering)} of ${count(pump.batch_size)}`);
  const fill = lately.batch_fill;
  row.bar.hidden = fill === null || fill === undefined;
  set("share", row.bar.hidden ? "none yet" : percent(100 * fill));
  if (!row.bar.hidden) row.bar.set(100 * fill, percent(100 * fill));
  set("minute", count(lately.requests_last_minute));
  set("requests", count(document_.requests?.[name]));
  set("breaker", [...new Set(gates.map((gate) => gate.breaker))].map((one) => one.replaceAll("_", " ")).join(", ") || "–");
}

async function lift(name, row) {
  row.querySelector(".lift").hidden = true;
  try {
    await post("/api/v1/retry", { states: ["failed"], provider: name, lift_pause: true });
  } catch (error) {
    say(row.querySelector(".state"), error.message);
  }
}

function stateOf(gates, pump) {
  const limited = gates.filter((gate) => gate.limited_until && new Date(gate.limited_until) > new Date());
  if (limited.length) {
    const worst = limited.reduce((one, other) => (one.limited_until > other.limited_until ? one : other));
    return ["limited", `‖ limited until ${clock(worst.limited_until)}: ${worst.why ?? "the service asked for a pause"}`];
  }
  if (pump?.held) return ["held", `‖ held until ${clock(pump.held.until)}: ${pump.held.why}`];
  if (gates.some((gate) => gate.breaker === "open")) return ["limited", "‖ its breaker is open"];
  // No lookups of the queue go there, only requests of the moment: for a cover that somebody looks at, say.
  if (!pump && gates.length) return ["open", "○ asked when needed"];
  if (!pump) return ["off", "○ off"];
  return pump.in_flight ? ["working", "● working"] : ["open", "○ ready"];
}
