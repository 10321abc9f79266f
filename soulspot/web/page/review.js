// The list of tracks in review, and its keyboard shortcuts.

import { get, post } from "./api.js";
import { drawCase } from "./case.js";
import { $, count, h, later, percent, plural, say, soon } from "./dom.js";

const PAGE = 50;
let tell = () => {}, next = null, shown = null, chosen = 0, loaded = false, turn = 0, busy = false;

const list = () => $("review-list");
const buttons = () => [...list().querySelectorAll("button")];
const words = () => $("review-search").elements.query.value.trim();

export function begin(say_) {
  tell = say_;
  $("review-search").addEventListener("submit", (event) => { event.preventDefault(); load(); });
  $("review-search").elements.query.addEventListener("input", later(250, () => load()));
  $("more-review").addEventListener("click", () => fetchInto(next));
  document.addEventListener("keydown", key);
}

export function show(id) {
  if (id) load(Number(id));
  else if (!loaded) load();
}
export function refresh() { load(shown?.track_id); }

async function load(id = null) {
  loaded = true;
  await fetchInto(0);
  const first = buttons()[0];
  if (id !== null && id !== undefined) await open(id);
  else if (!shown || !buttons().some((one) => one.dataset.track === String(shown.track_id))) {
    if (first) await open(Number(first.dataset.track));
    else clear();
  }
}

function clear() {
  shown = null;
  $("case").replaceChildren(h("p", { class: "empty" }, words() ? "No track in review matches these words." : "No track waits for a decision."));
}

async function fetchInto(after) {
  const mine = ++turn;
  const found = await get("/api/v1/review", { after, limit: PAGE, query: words() }).catch((error) => { tell(error.message); return null; });
  if (!found || mine !== turn) return;
  const rows = found.review.map(row);
  if (after) list().append(...rows);
  else list().replaceChildren(...rows);
  next = found.next;
  $("more-review").hidden = next === null;
  say($("review-said"), found.total ? `${plural(found.total, "track")} to decide` : "No track waits for a decision.");
  mark();
}

function row(one) {
  const title = one.title ?? one.path?.split("/").at(-1) ?? one.source_key ?? `track ${one.track_id}`;
  return h("li", {}, h("button", { type: "button", class: "waiting-track", data: { track: String(one.track_id) }, onclick: () => open(one.track_id) },
    h("span", { class: "title" }, title),
    h("span", { class: "artist" }, [one.artist, one.album].filter(Boolean).join(" · ") || "no artist in the tags"),
    h("span", { class: "hint" }, one.best ? `${percent(100 * one.best.score)} · ${plural(one.candidates, "candidate")}` : "no candidate")));
}

function mark() {
  for (const one of buttons()) {
    if (shown && one.dataset.track === String(shown.track_id)) one.setAttribute("aria-current", "true");
    else one.removeAttribute("aria-current");
  }
}

async function open(id, candidate = 0) {
  try {
    draw(await get(`/api/v1/review/${id}`), candidate);
  } catch (error) {
    tell(error.message);
  }
}

function draw(found, candidate = 0) {
  shown = found;
  chosen = Math.min(candidate, Math.max(0, found.candidates.length - 1));
  drawCase($("case"), found, chosen, {
    choose: (index) => draw(shown, index), accept, reject, none, undo, next: () => step(1), tell,
    chosen: () => chosen,
  });
  mark();
  list().querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

// Sends one decision at a time, then opens the next track.
async function decide(verb, body, said) {
  if (!shown || busy) return;
  busy = true;
  const { track_id } = shown, title = shown.tags.title ?? `track ${track_id}`;
  try {
    const found = await post(`/api/v1/review/${track_id}/${verb}`, body);
    tell(`${title}: ${said}.`);
    if (found.status === "review" || verb === "undo") {
      draw(found);
      await fetchInto(0);
    } else {
      const all = buttons(), at = all.findIndex((one) => one.dataset.track === String(track_id));
      const focused = list().contains(document.activeElement);
      const neighbour = all[at + 1] ?? all[at - 1];
      all[at]?.closest("li").remove();
      if (neighbour) await open(Number(neighbour.dataset.track));
      else { await fetchInto(0); if (buttons()[0]) await open(Number(buttons()[0].dataset.track)); else clear(); }
      if (focused) list().querySelector("[aria-current]")?.focus();
      lastDecided = track_id;
    }
  } catch (error) {
    tell(error.message);
  } finally {
    busy = false;
  }
}
let lastDecided = null;

const named = (one) => ({ provider: one.provider, entity_id: one.entity_id });

function accept(one = shown?.candidates[chosen]) {
  if (one) decide("accept", named(one), `accepted as ${one.shown?.title ?? one.entity_id}`);
}
function reject(one = shown?.candidates[chosen]) {
  if (one) decide("reject", named(one), "rejected; this candidate is never proposed again");
}
function none() {
  const all = shown?.candidates ?? [];
  if (all.length) decide("reject", { entities: all.map(named) }, `all ${count(all.length)} candidates rejected`);
}
async function undo() {
  const id = shown?.decisions.length ? shown.track_id : lastDecided;
  if (id === null || busy) return;
  if (id !== shown?.track_id) await open(id);
  lastDecided = null;
  await decide("undo", {}, "decisions forgotten");
}

function step(by) {
  const all = buttons(), at = all.findIndex((one) => one.hasAttribute("aria-current"));
  const wanted = all[Math.min(all.length - 1, Math.max(0, at + by))];
  if (!wanted) return;
  wanted.focus();
  open(Number(wanted.dataset.track));
}

function turnTo(by) {
  const most = shown?.candidates.length ?? 0;
  if (most) draw(shown, (chosen + by + most) % most);
}

const KEYS = {
  j: () => step(1), k: () => step(-1), n: () => turnTo(1), p: () => turnTo(-1),
  a: () => accept(), r: () => reject(), x: none, u: undo, "/": () => $("review-search").elements.query.focus(),
};

function key(event) {
  if ($("view-review").hidden || $("track").open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const work = KEYS[event.key];
  if (work && !event.repeat) {
    event.preventDefault();
    work();
  } else if (work && "jknp".includes(event.key)) work();
}

// Adds new tracks to the list while it is shown; the track that is open stays.
export const changed = soon(1500, () => {
  if (loaded && !$("view-review").hidden && !busy && list().children.length < PAGE) fetchInto(0).then(() => { if (!shown && buttons()[0]) open(Number(buttons()[0].dataset.track)); });
});
