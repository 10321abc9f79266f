// The overview: progress of the library, operations, services, the last hour, and failures.

import { get } from "./api.js";
import { $, STATUSES, bar, clock, count, h, keyed, lasts, percent, plural, say, soon } from "./dom.js";
import { showChart } from "./chart.js";
import { showOperations } from "./operations.js";
import { troubles } from "./report.js";
import { showServices } from "./services.js";

const ACTIVITY_MS = 5_000; // between two updates of the last hour, while the overview is shown
let overall, told = 0, last = null;

export function begin() {
  overall = bar("Tracks finished");
  overall.classList.add("large", "stacked");
  const parts = STATUSES.map(([name]) => h("span", { class: "part", data: { status: name } }));
  overall.replaceChildren(...parts);
  const legend = h("dl", { class: "legend" }, STATUSES.map(([name, glyph, what]) =>
    h("div", { title: what, data: { status: name } },
      h("dt", {}, h("a", { href: `#tracks/${name}` }, h("span", { class: "swatch", "aria-hidden": "true" }, glyph), name)),
      h("dd", { id: `count-${name}` }, "0"))));
  $("overall").append(
    h("p", { class: "figure" }, h("strong", { id: "overall-percent" }, "–"), " ", h("span", { id: "overall-words" })),
    overall, legend, h("p", { class: "hint", id: "overall-more" }));
}

export function show() { refresh(); }
export function refresh() { activity(); }

export function status(document_) {
  last = document_;
  const { tracks } = document_;
  const pending = tracks.pending ?? 0, done = tracks.total - pending;
  const share = tracks.total ? (100 * done) / tracks.total : 0;
  const words = tracks.total ? [`${count(done)} of ${plural(tracks.total, "track")}`, ...pace(document_)].join(" · ") : "no tracks yet";
  say($("overall-percent"), tracks.total ? percent(share) : "–");
  say($("overall-words"), words);
  overall.setAttribute("aria-valuenow", String(Math.floor(share)));
  overall.setAttribute("aria-valuetext", `${percent(share)}, ${words}`);
  for (const [name] of STATUSES) {
    overall.querySelector(`[data-status=${name}]`).style.width = `${tracks.total ? (100 * (tracks[name] ?? 0)) / tracks.total : 0}%`;
    say($(`count-${name}`), count(tracks[name] ?? 0));
  }
  say($("overall-more"), more(document_));
  showOperations(document_.operations);
  showServices(document_);
  const questions = (document_.questions ?? []).map((one) => ({ alarm: `files missing in ${one.place}`, why: one.question }));
  showAlarms([...questions, ...(document_.alarms ?? [])]);
  if (!$("view-overview").hidden && Date.now() - told > ACTIVITY_MS) activity();
}

function pace({ tracks_per_second: rate, eta_seconds: left }) {
  return [rate && `${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))}/s`, left && `${lasts(left)} left`].filter(Boolean);
}

function more(document_) {
  const parts = [];
  const waiting = Object.values(document_.lookups).reduce((sum, one) => sum + (one.pending ?? 0) + (one.leased ?? 0), 0);
  parts.push(waiting ? `${plural(waiting, "lookup")} in the queue` : "the queue is empty");
  const used = Object.values(document_.requests ?? {}).reduce((sum, one) => sum + one, 0);
  if (used) parts.push(`${plural(used, "request")} since the start, ${count(document_.requests_saved)} fewer than one for each track`);
  if (document_.tracks.unreadable) parts.push(`${plural(document_.tracks.unreadable, "file")} of the failed tracks unreadable`);
  if (document_.unasked) parts.push(`${plural(document_.unasked, "track")} of the unmatched say too little to be asked for`);
  if (document_.tracks.vanished) parts.push(`${plural(document_.tracks.vanished, "file")} vanished`);
  if (document_.memory?.rss_bytes) parts.push(`${count(Math.round(document_.memory.rss_bytes / 1048576))} MB of memory`);
  return parts.join(" · ");
}

function showAlarms(alarms) {
  keyed($("alarms"), alarms, (one) => one.alarm,
    () => h("p", { class: "notice warn" }, h("strong", {}), " ", h("span", {})),
    (node, one) => {
      say(node.querySelector("strong"), `Warning, ${one.alarm.replaceAll("_", " ")}:`);
      say(node.querySelector("span"), one.why);
    });
}

async function activity() {
  told = Date.now();
  try {
    const found = await get("/api/v1/activity");
    showChart($("chart"), found);
    showFailures(found.failures);
  } catch { /* the header says that we are offline */ }
}

function showFailures(failures) {
  const ended = (last?.operations ?? []).filter((one) => one.status === "failed" && one.error_message).slice(0, 3);
  $("start-retry").hidden = !failures.retryable;
  const place = $("failures"), said = JSON.stringify([failures, ended.map((one) => one.id)]);
  if (place.dataset.said === said) return; // redrawing would close opened details
  place.dataset.said = said;
  const items = [
    ...ended.map((one) => h("li", {}, h("strong", {}, `${one.kind} ${one.id} failed`), ` ${clock(one.completed_at)}: ${one.error_message}`)),
    ...troubles(failures)];
  place.replaceChildren(items.length ? h("ul", { class: "failures" }, items) : h("p", { class: "empty" }, "Nothing has failed."));
}

const lately = soon(500, activity);
export function event(name, data) {
  if ((name === "operation.finished" || name.endsWith(".failed")) && !$("view-overview").hidden) lately();
}
