// The page: views by the address's hash, the header, and the events of the stream.

import { get, listen, post } from "./api.js";
import { $, clock, count, later, say, soon } from "./dom.js";
import { importForm, startButtons } from "./operations.js";
import * as overview from "./overview.js";
import * as review from "./review.js";
import * as tracks from "./tracks.js";

const VIEWS = { overview, tracks, review };
let version = null, since = null;

export function notice(text) {
  const place = $("notice");
  place.hidden = !text;
  say(place, text ?? "");
}
const hide = later(8000, () => notice(""));
const tell = (text) => { notice(text); hide(); };

function shown() {
  const name = location.hash.slice(1).split("/")[0];
  return name in VIEWS ? name : "overview";
}

function route(moved) {
  const name = shown();
  for (const one of Object.keys(VIEWS)) $(`view-${one}`).hidden = one !== name;
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${name[0].toUpperCase()}${name.slice(1)} · SoulSpot`;
  VIEWS[name].show(decodeURIComponent(location.hash.split("/")[1] ?? ""));
  if (moved) {
    scrollTo(0, 0);
    $(`${name}-title`).focus({ preventScroll: true });
  }
}

function online() {
  $("connection").dataset.state = document.body.dataset.state = "online";
  say($("connection"), "live");
  $("offline").hidden = true;
  if (since) {
    since = null;
    tell("SoulSpot answers again.");
    VIEWS[shown()].refresh();
  }
}

function offline() {
  since ??= new Date();
  $("connection").dataset.state = document.body.dataset.state = "offline";
  say($("connection"), "offline");
  $("offline").hidden = false;
  say($("offline"), `SoulSpot has not answered since ${clock(since)}. This page may be out of date; it reconnects by itself.`);
}

function status(document_) {
  if (version && version !== document_.version) tell("SoulSpot has been updated: reload this page.");
  version = document_.version;
  say($("version"), `SoulSpot ${document_.version}`);
  const waiting = document_.tracks.review ?? 0;
  say($("review-count"), waiting ? count(waiting) : "");
  overview.status(document_);
}

// Operations, limits and alarms are shown at once, and not with the next status.
const statusNow = soon(100, () => get("/api/v1/status").then(status, () => {}));

function event(name, data) {
  overview.event(name, data);
  if (!name.startsWith("track.")) statusNow();
  if (name.startsWith("track.")) {
    tracks.changed(data.track_id);
    review.changed();
  }
}

startButtons(tell);
importForm();
for (const one of Object.values(VIEWS)) one.begin(tell);
addEventListener("hashchange", () => route(true));
route(false);
listen({ status, event, online, offline, reset: () => VIEWS[shown()].refresh() });

$("logout").addEventListener("click", () => post("/logout").then(() => location.assign("/login"), (error) => tell(error.message)));
fetch("/api/v1/openapi.json").then((answer) => answer.json()).then((said) => { $("logout").hidden = !said.security; }, () => {});
