// The last hour as bars: the number of tracks finished in each slice of time.

import { clock, count, h, lasts, plural } from "./dom.js";

const WIDTH = 640, HEIGHT = 120, LEFT = 34, BOTTOM = 18, TOP = 8, COLUMNS = 60;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// An hour in minutes, or the first ten minutes in slices of ten seconds.
function scale(slices) {
  return slices.length <= COLUMNS ? { each: 10_000, unit: "ten seconds", marks: [10, 5, 0] }
    : { each: 60_000, unit: "one minute", marks: [60, 45, 30, 15, 0] };
}

export function showChart(place, { slices, slice_seconds }) {
  const now = slices.length ? new Date(slices.at(-1).at) : new Date();
  const { each, unit, marks } = scale(slices);
  const tracks = Array.from({ length: COLUMNS }, () => 0);
  const asked = Array.from({ length: COLUMNS }, () => 0);
  for (const one of slices) {
    const ago = Math.floor((now - new Date(one.at)) / each);
    if (ago < 0 || ago >= COLUMNS) continue;
    tracks[COLUMNS - 1 - ago] += one.tracks;
    asked[COLUMNS - 1 - ago] += Object.values(one.requests).reduce((sum, value) => sum + value, 0);
  }
  const total = tracks.reduce((sum, value) => sum + value, 0);
  const most = nice(Math.max(...tracks, 1)), step = (WIDTH - LEFT) / COLUMNS, room = HEIGHT - BOTTOM - TOP;
  const y = (value) => TOP + room * (1 - value / most);
  const since = slices.length * slice_seconds;
  const span = since >= 3590 ? "the last hour" : `${lasts(since)} since the start`;
  const words = total ? `${plural(total, "track")} in ${span}; at most ${count(Math.max(...tracks))} in ${unit}` : `no tracks in ${span}`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Tracks finished: ${words}` });
  for (const value of [0, most / 2, most]) {
    picture.append(svg("line", { class: "grid", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }));
    if (Number.isInteger(value)) picture.append(svg("text", { x: LEFT - 5, y: y(value) + 4, "text-anchor": "end" }, count(value)));
  }
  tracks.forEach((value, index) => {
    const at = new Date(now - (COLUMNS - 1 - index) * each);
    if (value) {
      picture.append(svg("rect", { class: "column", x: LEFT + index * step + 1, width: step - 2, y: y(value), height: y(0) - y(value), rx: 1 },
        svg("title", {}, `${clock(at)}: ${plural(value, "track")}, ${plural(asked[index], "request")}`)));
    }
  });
  for (const ago of marks) {
    picture.append(svg("text", { x: LEFT + (1 - ago / marks[0]) * (WIDTH - LEFT), y: HEIGHT - 4,
      "text-anchor": ago === 0 ? "end" : ago === marks[0] ? "start" : "middle" }, ago ? `−${ago} min` : "now"));
  }
  place.replaceChildren(picture, h("p", { class: "hint" }, words));
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= value);
}
