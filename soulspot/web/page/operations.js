// Operations: the list with a progress bar each, and the buttons to start and to cancel.

import { post } from "./api.js";
import { $, bar, clock, count, h, keyed, lasts, percent, say } from "./dom.js";
import { report } from "./report.js";

const WORDS = { scan: "Scan", import: "Import", enrich: "Enrichment", retry: "Retry", refresh: "Refresh", export: "Export" };
const STATES = { processing: "running", pending: "waiting for the daemon", completed: "done", failed: "failed", cancelled: "cancelled" };
let tell = () => {};

export function startButtons(say_) {
  tell = say_;
  const starts = [["start-enrich", "/api/v1/enrich", {}, "Enrichment"], ["start-scan", "/api/v1/scan", {}, "Scan"],
    ["start-retry", "/api/v1/retry", { states: ["failed"] }, "Retry"]];
  for (const [id, path, body, what] of starts) {
    $(id).addEventListener("click", async () => {
      $(id).disabled = true;
      try {
        const { operation_id } = await post(path, body);
        tell(`${what} started as operation ${operation_id}.`);
      } catch (error) {
        tell(`${what} cannot be started: ${error.message}`);
      } finally {
        $(id).disabled = false;
      }
    });
  }
}

export function importForm() {
  $("import").addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = $("import-file").files[0], query = new URLSearchParams({ name: file.name });
    // A comma ends a heading only where the next column follows.
    const given = $("import-columns").value.split(/,(?=\s*[a-z_]+\s*=)/).filter((one) => one.trim());
    const pairs = given.map((one) => [one.split("=")[0].trim(), one.split("=").slice(1).join("=").trim()]);
    if (pairs.length) query.set("columns", JSON.stringify(Object.fromEntries(pairs)));
    try {
      const { operation_id } = await post(`/api/v1/import?${query}`, file);
      tell(`Import of ${file.name} started as operation ${operation_id}.`);
      $("import").reset();
    } catch (error) {
      tell(`${file.name} cannot be imported: ${error.message}`);
    }
  });
}

function make(one) {
  const name = `${WORDS[one.kind] ?? one.kind} ${one.id}`;
  const progress = bar(name);
  const node = h("li", { class: "operation" },
    h("div", { class: "line" },
      h("strong", {}, name), h("span", { class: "state" }),
      h("button", { type: "button", class: "quiet", "aria-label": `Cancel ${name}`, onclick: () => cancel(one.id, name) }, "Cancel")),
    progress, h("p", { class: "facts" }),
    h("a", { class: "file", href: `/api/v1/operations/${one.id}/file`, download: "", "aria-label": `Download the file of ${name}` }, "Download"),
    h("p", { class: "why" }), report(one.id));
  node.progress = progress;
  return node;
}

function update(node, one) {
  node.dataset.status = one.status;
  say(node.querySelector(".state"), STATES[one.status] ?? one.status);
  say(node.querySelector(".facts"), facts(one));
  const cancel_ = node.querySelector("button");
  if (one.is_complete && document.activeElement === cancel_) $("overview-title").focus({ preventScroll: true });
  cancel_.hidden = one.is_complete;
  node.progress.set(one.progress, `${percent(one.progress)}, ${STATES[one.status]}`);
  node.progress.hidden = one.is_complete;
  const why = node.querySelector(".why");
  say(why, one.error_message ?? one.paused ?? "");
  why.hidden = !why.textContent;
  node.querySelector(".file").hidden = !(one.kind === "export" && one.status === "completed");
  node.querySelector(".report").hidden = !one.is_complete;
}

function facts(one) {
  const unit = one.kind === "retry" || one.kind === "refresh" ? "" : one.kind === "scan" ? " files" : " tracks";
  const parts = [one.is_complete || !one.total_items ? `${count(one.processed_items)}${unit}`
    : `${percent(one.progress)} · ${count(one.processed_items)} of ${count(one.total_items)}${unit}`];
  const about = one.metadata.own ? "what SoulSpot did by itself" : one.metadata.file ?? one.metadata.places?.join(", ");
  if (about) parts.unshift(about);
  if (one.failed_items) parts.push(`${count(one.failed_items)} failed`);
  if (!one.is_complete && one.rate) parts.push(`${one.rate < 10 ? one.rate.toFixed(1) : count(Math.round(one.rate))}/s`);
  if (!one.is_complete && one.eta_seconds) parts.push(`${lasts(one.eta_seconds)} left`);
  if (one.completed_at) parts.push(clock(one.completed_at));
  return parts.join(" · ");
}

async function cancel(id, name) {
  try {
    await post(`/api/v1/operations/${id}/cancel`);
    tell(`${name} cancelled. Lookups that it has queued are still sent.`);
  } catch (error) {
    tell(error.message);
  }
}

export function showOperations(operations) {
  $("no-operations").hidden = operations.length > 0;
  const running = operations.filter((one) => !one.is_complete);
  const ended = operations.filter((one) => one.is_complete).slice(0, Math.max(0, 6 - running.length));
  keyed($("operations"), [...running, ...ended], (one) => one.id, make, update);
}
