// The list of tracks with its search and filters; a track opens in the dialog.

import { get, post } from "./api.js";
import { beginCovers, cover } from "./covers.js";
import { $, badge, h, later, length, plural, soon } from "./dom.js";
import { openTrack } from "./track.js";

const PAGE = 50;
const AT_ONCE = 20; // rows that are fetched again one by one
let next = null, turn = 0, loaded = false, stale = new Set();

const form = () => $("track-search");
const asked = () => ({ query: form().elements.query.value.trim(), status: form().elements.status.value, limit: PAGE });

export function begin(tell) {
  beginCovers(() => { if (loaded) load(); });
  $("export-tracks").addEventListener("click", () => exportThese(tell));
  form().addEventListener("submit", (event) => { event.preventDefault(); load(); });
  form().elements.query.addEventListener("input", later(250, load));
  form().elements.status.addEventListener("change", () => {
    const status = form().elements.status.value;
    history.replaceState(null, "", `${location.pathname}${location.search}#tracks${status ? `/${status}` : ""}`);
    load();
  });
  $("more-tracks").addEventListener("click", more);
}

// Exports every track that matches search and status, not only the rows that are shown.
async function exportThese(tell) {
  const { query, status } = asked(), format = $("export-format").value;
  $("export-tracks").disabled = true;
  try {
    const filters = { query: query || null, status: status ? [status] : [] };
    const { operation_id } = await post("/api/v1/export", { format, filters, spreadsheet: format === "csv" });
    tell(`Export started as operation ${operation_id}. Download its file from the overview when it is done.`);
  } catch (error) {
    tell(`Cannot start the export: ${error.message}`);
  } finally {
    $("export-tracks").disabled = false;
  }
}

export function show(status) {
  const select = form().elements.status;
  const wanted = [...select.options].some((one) => one.value === status) ? status : "";
  if (!loaded || select.value !== wanted) {
    select.value = wanted;
    load();
  } else if (stale.size) renew();
}

export function refresh() { load(); }

async function load() {
  loaded = true;
  stale.clear();
  await fetchInto(null);
}

async function more() {
  const before = $("track-list").children.length;
  await fetchInto(next);
  $("track-list").children[before]?.querySelector("button").focus();
}

async function fetchInto(after) {
  const mine = ++turn;
  let found;
  try {
    found = await get("/api/v1/tracks", { ...asked(), after });
  } catch (error) {
    if (mine === turn) $("track-count").textContent = error.message;
    return;
  }
  if (mine !== turn) return; // a later search is under way
  const rows = found.tracks.map(row);
  if (after === null) $("track-list").replaceChildren(...rows);
  else $("track-list").append(...rows);
  next = found.next;
  $("more-tracks").hidden = next === null;
  const shown = $("track-list").children.length;
  $("track-count").textContent = shown ? `${plural(shown, "track")} shown${next === null ? "" : ", there are more"}` : "No track matches.";
}

const fileName = (track) => track.path?.split("/").at(-1) ?? track.source_key ?? `track ${track.track_id}`;

function row(track) {
  const title = track.title ?? fileName(track);
  const where = [track.album, track.release_date?.slice(0, 4)].filter(Boolean).join(", ");
  return h("li", { data: { key: String(track.track_id) } },
    h("button", { type: "button", class: "track", onclick: () => openTrack(track.track_id) },
      cover(track.cover_url, track.album ?? title),
      h("span", { class: "names" },
        h("span", { class: "title" }, title),
        h("span", { class: "artist" }, track.artist ?? "unknown artist")),
      h("span", { class: "album" }, where),
      h("span", { class: "genres" }, (track.genres ?? []).slice(0, 2).join(", ")),
      h("span", { class: "time" }, length(track.duration_ms)),
      badge(track.status)));
}

// Fetches shown rows again after they have changed, and new tracks too while the list is short.
const renew = soon(1500, async () => {
  const list = $("track-list");
  if ($("view-tracks").hidden) return;
  const shown = [...stale].filter((id) => list.querySelector(`[data-key="${id}"]`));
  const whole = shown.length > AT_ONCE || (next === null && shown.length < stale.size);
  stale.clear();
  if (whole && list.children.length <= PAGE && !list.contains(document.activeElement)) {
    await load();
    return;
  }
  for (const id of shown.slice(0, AT_ONCE)) {
    const found = await get(`/api/v1/tracks/${id}`).catch(() => null);
    const node = list.querySelector(`[data-key="${id}"]`);
    if (!found?.track || !node) continue;
    const focused = node.contains(document.activeElement), fresh = row(found.track);
    node.replaceWith(fresh);
    if (focused) fresh.querySelector("button").focus();
  }
  for (const id of shown.slice(AT_ONCE)) changed(id); // the rest follows
});

export function changed(id) {
  if (!loaded) return;
  stale.add(id);
  renew();
}
