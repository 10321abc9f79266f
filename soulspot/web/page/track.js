// One track in a dialog: every field with its source, the file's tags, candidates, lookups, decisions.

import { get } from "./api.js";
import { cover } from "./covers.js";
import { $, badge, clock, h, length, percent } from "./dom.js";

const FIELDS = [
  ["title", "Title"], ["artist", "Artist"], ["artists", "Artists"], ["album", "Album"], ["album_artist", "Album artist"],
  ["track_number", "Track"], ["disc_number", "Disc"], ["duration_ms", "Length"], ["isrc", "ISRC"],
  ["release_date", "Released"], ["original_date", "First released"], ["genres", "Genres"], ["label", "Label"],
  ["catalog_number", "Catalogue number"], ["barcode", "Barcode"], ["explicit", "Explicit"], ["popularity", "Popularity"],
  ["cover_url", "Cover"], ["mb_recording_id", "MusicBrainz recording"], ["mb_release_id", "MusicBrainz release"],
  ["mb_release_group_id", "MusicBrainz release group"], ["mb_artist_ids", "MusicBrainz artists"],
  ["spotify_track_id", "Spotify track"], ["spotify_album_id", "Spotify album"], ["spotify_artist_ids", "Spotify artists"],
];
const PAGES = {
  mb_recording_id: "https://musicbrainz.org/recording/", mb_release_id: "https://musicbrainz.org/release/",
  mb_release_group_id: "https://musicbrainz.org/release-group/", spotify_track_id: "https://open.spotify.com/track/",
  spotify_album_id: "https://open.spotify.com/album/",
};
const STATES = { pending: "queued", leased: "in progress", done: "answered", missing: "not found", failed: "failed", buried: "given up" };

export async function openTrack(id) {
  const dialog = $("track");
  dialog.replaceChildren(h("h2", { id: "track-title" }, "Track"), h("p", {}, "…"));
  dialog.showModal();
  try {
    dialog.replaceChildren(...contents(id, await get(`/api/v1/tracks/${id}`)));
  } catch (error) {
    dialog.replaceChildren(head("Track", null), h("p", {}, error.message));
  }
  dialog.querySelector("button").focus();
}

const close = () => $("track").close();

function head(title, status) {
  return h("header", { class: "dialog-head" }, h("h2", { id: "track-title" }, title), status && badge(status),
    h("button", { type: "button", class: "quiet", onclick: close }, "Close"));
}

function value(name, said) {
  if (said === null || said === undefined || (Array.isArray(said) && !said.length)) return null;
  if (name === "duration_ms") return length(said);
  if (name === "explicit") return said ? "yes" : "no";
  if (Array.isArray(said)) return said.join(", ");
  if (PAGES[name]) return h("a", { href: PAGES[name] + encodeURIComponent(said), target: "_blank", rel: "noreferrer" }, said);
  return String(said);
}

function contents(id, { track, library, candidates, lookups, decisions }) {
  const title = track?.title ?? library.tags.title ?? library.path?.split("/").at(-1) ?? `Track ${id}`;
  const parts = [head(title, track?.status ?? "pending")];
  const byline = [track?.artist ?? library.tags.artist, track?.album ?? library.tags.album].filter(Boolean).join(" · ");
  parts.push(h("div", { class: "byline" }, cover(track?.cover_url, track?.album ?? title), h("div", {},
    h("p", {}, byline || "Nothing is known about this track yet."),
    h("p", { class: "hint path" }, library.path ?? library.source_key ?? ""),
    library.unreadable && h("p", { class: "bad-words" }, `The file cannot be read: ${library.unreadable}`),
    track?.confidence !== null && track?.confidence !== undefined && h("p", { class: "hint" }, `${percent(100 * track.confidence)} sure`),
    track?.status === "review" && h("p", {}, h("a", { href: `#review/${id}`, onclick: close }, "Decide it in Review")))));
  const known = FIELDS.map(([name, words]) => [name, words, value(name, track?.[name])]).filter(([, , said]) => said !== null);
  parts.push(h("h3", {}, "Fields"), known.length
    ? h("table", { class: "fields" },
      h("thead", {}, h("tr", {}, ["Field", "Value", "Source", "In the file"].map((words) => h("th", { scope: "col" }, words)))),
      h("tbody", {}, known.map(([name, words, said]) => h("tr", {}, h("th", { scope: "row" }, words), h("td", {}, said),
        h("td", {}, track.sources[name] ? h("span", { class: "source" }, track.sources[name]) : ""),
        h("td", { class: "own" }, value(name, library.tags[name]) ?? "")))))
    : h("p", { class: "empty" }, "None yet."));
  if (candidates.length) {
    parts.push(h("h3", {}, "Candidates"), h("ul", { class: "plain" }, candidates.map((one) =>
      h("li", {}, h("strong", {}, `${percent(100 * one.score)} `), [one.fields.title, one.fields.artist].filter(Boolean).join(" – ") || one.entity_id,
        ` (${one.provider}, ${one.verdict}): `, h("span", { class: "hint" }, one.reasons.join("; "))))));
  }
  if (decisions.length) {
    parts.push(h("h3", {}, "Decisions of people"), h("ul", { class: "plain" }, decisions.map((one) =>
      h("li", {}, `${one.verdict} ${one.entity_id} (${one.provider}), by ${one.by}, ${clock(one.at)}${one.reason ? `: ${one.reason}` : ""}`))));
  }
  if (lookups.length) {
    parts.push(h("h3", {}, "Lookups"), h("ul", { class: "plain" }, lookups.map((one) =>
      h("li", {}, `${one.provider}, ${one.kind.replaceAll("_", " ")}: ${STATES[one.state] ?? one.state}`,
        one.last_error && h("span", { class: "bad-words" }, ` (${one.last_error})`),
        ["pending", "missing"].includes(one.state) && h("span", { class: "hint" }, `, again ${clock(one.due_at)}`)))));
  }
  return parts;
}
