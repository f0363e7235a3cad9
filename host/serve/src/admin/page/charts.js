// Curves: of the last ten minutes, as the host has kept them, and of what a page has seen itself.
//
// Owns how a curve is drawn and read, also by keyboard. Refuses to know what it is of.

import { get, live } from "/page/api.js";
import { h, say, svg } from "/page/dom.js";
import { bytes, cores, count, rate, seconds } from "/page/text.js";

const WIDTH = 320, HEIGHT = 90, LEFT = 2, TOP = 6, BOTTOM = 4;

/** What is drawn of a history: a title, the column, whether it is a total whose growth is shown, and how a value is written. */
const CURVES = [
  ["CPU", "cpu_seconds", true, cores],
  ["Memory", "memory", false, bytes],
  ["Processes", "processes", false, count],
  ["Messages/s", "messages", true, rate],
  ["Unread messages", "unread", false, count],
  ["Starts/s", "spawns", true, rate],
  ["Failures/s", "failures", true, rate],
  ["Refusals/s", "refusals", true, rate],
  ["Requests/s", "requests", true, rate],
];

/** The smallest round number that isn't below. */
function round(most) {
  if (most <= 0) return 1;
  const step = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((times) => times * step).find((bound) => bound >= most);
}

/** A curve. `draw(points, format, from)`: points are `[seconds before now, as a negative number, value]`, `from` where the axis begins. */
export function plot(title) {
  const now = h("b"), most = h("span", { class: "quiet-text" }), read = h("span", { class: "read" });
  const area = svg("path", { class: "area" }), line = svg("path", { class: "curve" });
  const cross = svg("line", { class: "cross", y1: 0, y2: HEIGHT });
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", tabindex: 0 },
    [0.25, 0.5, 0.75].map((part) => svg("line", { class: "rule", x1: 0, x2: WIDTH, y1: HEIGHT * part, y2: HEIGHT * part })), area, line, cross);
  const figure = h("figure", { class: "plot" }, h("figcaption", null, h("span", null, title), now), picture, h("div", { class: "row below" }, read, h("span", { class: "space" }), most));
  let points = [], format = count, from = -1, at = null;

  const x = (time) => LEFT + (WIDTH - 2 * LEFT) * (1 - time / from);
  const mark = () => {
    cross.classList.toggle("on", at !== null && points.length > 0);
    if (at === null || points.length === 0) return say(read, "");
    const [time, value] = points[Math.min(at, points.length - 1)];
    cross.setAttribute("x1", x(time));
    cross.setAttribute("x2", x(time));
    say(read, `${format(value)}, ${time > -1 ? "now" : `${seconds(Math.round(-time))} ago`}`);
  };
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const time = from * (1 - (event.clientX - box.left) / box.width);
    at = points.reduce((best, point, index) => (Math.abs(point[0] - time) < Math.abs(points[best][0] - time) ? index : best), 0);
    mark();
  });
  const out = () => {
    at = null;
    mark();
  };
  picture.addEventListener("pointerleave", out);
  picture.addEventListener("blur", out);
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || points.length === 0) return;
    event.preventDefault();
    at = Math.min(points.length - 1, Math.max(0, (at ?? points.length) + step));
    mark();
  });

  figure.draw = (values, how, begin = Math.min(-10, values[0]?.[0] ?? -10)) => {
    points = values;
    format = how;
    from = begin;
    const highest = values.reduce((high, [, value]) => Math.max(high, value), 0), top = round(highest);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
    const path = values.map(([time, value], index) => `${index === 0 ? "M" : "L"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    line.setAttribute("d", path);
    area.setAttribute("d", values.length > 1 ? `${path}L${x(values.at(-1)[0]).toFixed(1)} ${HEIGHT}L${x(values[0][0]).toFixed(1)} ${HEIGHT}Z` : "");
    const last = values.length > 0 ? format(values.at(-1)[1]) : "…";
    say(now, last);
    say(most, values.length > 0 ? `at most ${format(highest)}` : "");
    picture.setAttribute("aria-label", `${title}: now ${last}, at most ${format(highest)}`);
    mark();
  };
  return figure;
}

/** Rows of a history as points of one column. */
function points(history, column, grows) {
  const place = history.columns.indexOf(column), { rows } = history;
  if (place < 0 || rows.length === 0) return [];
  const now = rows.at(-1)[0];
  if (!grows) return rows.map((row) => [row[0] - now, row[place]]);
  return rows.slice(1).map((row, index) => {
    const before = rows[index], more = row[place] - before[place];
    // Less than before: the tenant was started anew.
    return [row[0] - now, more < 0 ? 0 : more / Math.max(0.001, row[0] - before[0])];
  });
}

/** The curves of a history that the host keeps. */
export function charts(signal, path) {
  const plots = CURVES.map(([title]) => plot(title));
  const box = h("div", { class: "charts" }, plots);
  live(signal, 2000, async () => {
    const history = await get(path, signal);
    CURVES.forEach(([, column, grows, format], index) => plots[index].draw(points(history, column, grows), format, -600));
  });
  return box;
}
