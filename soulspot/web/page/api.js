// Requests to the daemon, and its stream of events.

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(method, path, body) {
  let answer;
  try {
    const isFile = body instanceof Blob;
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": isFile ? "application/octet-stream" : "application/json" },
      body: body === undefined || isFile ? body : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, "SoulSpot does not answer; is the daemon running?");
  }
  if (answer.status === 401) {
    location.assign("/login");
    throw new Refused(401, "log in first");
  }
  const said = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, said?.detail ?? `${answer.status} ${answer.statusText}`);
  return said;
}

export const get = (path, query = {}) => {
  const said = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  return ask("GET", said.size ? `${path}?${said}` : path);
};
export const post = (path, body) => ask("POST", path, body);

const SILENT_MS = 45_000; // longer than three heartbeats of the daemon, which an EventSource does not show
const AGAIN_MS = 2_000;
const TOLD = [
  "track.accepted", "track.review", "track.unmatched", "track.failed", "operation.started", "operation.finished",
  "provider.limited", "provider.recovered", "alarm.raised", "alarm.over",
];

// Listens to the stream while the page is open. `on` has status(document), event(name, data), reset(), online(), offline().
export function listen(on) {
  let source, last = null, heard = Date.now(), again = 0;

  function hear(work) {
    return (message) => {
      heard = Date.now();
      if (message.lastEventId) last = message.lastEventId;
      work(message.data === undefined ? null : JSON.parse(message.data));
    };
  }

  function open() {
    clearTimeout(again);
    source?.close();
    heard = Date.now();
    source = new EventSource(last === null ? "/api/v1/events" : `/api/v1/events?last_event_id=${encodeURIComponent(last)}`);
    source.onopen = () => { heard = Date.now(); on.online(); };
    source.onerror = () => {
      on.offline();
      // An EventSource recovers from an interruption by itself, and from a refusal never.
      if (source.readyState === EventSource.CLOSED) {
        again = setTimeout(async () => {
          try { await get("/api/v1/status"); } catch { /* still down, or this has led to the login */ }
          open();
        }, AGAIN_MS);
      }
    };
    source.addEventListener("status", hear(on.status));
    source.addEventListener("reset", hear(on.reset));
    for (const name of TOLD) source.addEventListener(name, hear((data) => on.event(name, data)));
  }

  setInterval(() => { if (Date.now() - heard > SILENT_MS) open(); }, SILENT_MS / 3);
  addEventListener("online", open);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (shown) => { if (shown.persisted) open(); });
  open();
}
