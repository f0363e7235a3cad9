// What a tenant prints, logs and goes through, as it happens.
//
// Owns that only so much of it is kept here, and that who reads further up isn't moved.

import { follow, part } from "/page/api.js";
import { add, h, put } from "/page/dom.js";
import { processLink } from "/page/tenant.js";
import { clock } from "/page/text.js";

/** Lines that the page keeps. */
const KEPT = 1000;

/** A line of the log. */
export function lineOf(line, linked = true) {
  const fields = Object.entries(line.fields ?? {});
  return h("li", { class: `line-${line.level}` },
    h("time", null, clock(line.at)), " ",
    h("span", { class: "level" }, line.level), " ",
    line.pid && linked ? [processLink(line.tenant, line.pid, line.frame ?? line.pid), " "] : null,
    h("bdi", { class: "text" }, line.text),
    fields.map(([name, value]) => [" ", h("span", { class: "field" }, h("bdi", null, name), "=", h("bdi", null, typeof value === "string" ? value : JSON.stringify(value)))]));
}

function roll(root, tools) {
  const list = h("ol", { class: "log", tabindex: 0, "aria-label": "Lines" });
  const waiting = [];
  let due = 0;
  const flush = () => {
    due = 0;
    const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 20;
    add(list, waiting.splice(0).slice(-KEPT).map((make) => make()));
    while (list.children.length > KEPT) list.firstChild.remove();
    if (atEnd) list.scrollTop = list.scrollHeight;
  };
  add(root, h("div", { class: "row tools" }, tools, h("button", { onclick: () => put(list) }, "Empty")), list);
  return {
    clear: () => {
      waiting.length = 0;
      put(list);
    },
    // Once a frame, however many come: a flood costs what is kept.
    add: (make) => {
      waiting.push(make);
      if (waiting.length > 2 * KEPT) waiting.splice(0, KEPT);
      due ||= requestAnimationFrame(flush);
    },
  };
}

/** A stream into a list, asked for anew when what is wanted changes. */
function streamed(signal, path, lines, take) {
  let controller = new AbortController();
  const run = () => {
    lines.clear();
    follow(AbortSignal.any([signal, controller.signal]), path, take);
  };
  run();
  return () => {
    controller.abort();
    controller = new AbortController();
    run();
  };
}

export function showLog(root, signal, tenant) {
  const level = h("select", { "aria-label": "Least level", onchange: () => again() }, ["debug", "info", "warn", "error"].map((name) => h("option", { value: name, selected: name === "info" }, name)));
  const lines = roll(root, [level]);
  const again = streamed(signal, () => `/v1/logs?tenant=${part(tenant)}&lines=300&level=${level.value}`, lines, ({ event, data }) => {
    if (event === "missed") lines.add(() => h("li", { class: "line-warn" }, `${data.missed} lines were too fast for this page and are missing`));
    else lines.add(() => lineOf(data));
  });
}

function ending({ completed, kind, message }) {
  return completed ? "normally" : `${message} (${kind || "no kind"})`;
}

/** What an event says, in words. */
const SAYS = {
  spawned: (event) => [`${event.entry} has started`, event.parent && [", by ", processLink(event.tenant, event.parent)]],
  ended: (event) => [`${event.entry} has ended: `, h("bdi", null, ending(event.ending))],
  upgraded: (event) => [`${event.from} goes on as ${event.to}`],
  refused: (event) => [`${event.action} of `, h("bdi", null, event.target), " was refused: ", h("bdi", null, event.message)],
  limit_reached: (event) => [`goes on at its limit: ${event.limit}`],
  service: (event) => [`service ${event.service}: ${event.step.replace("_", " ")}`, event.ending && [", ", h("bdi", null, ending(event.ending))]],
  missed: (event) => [`${event.events} events were too fast for this page and are missing`],
  tenant: (event) => [`the tenant is ${event.state}`, event.why && [": ", h("bdi", null, event.why)]],
  change: (event) => [`somebody asked for ${event.change.action} `, h("bdi", null, event.change.target ?? ""), event.change.done ? "" : " (not done)"],
};

export function showEvents(root, signal, tenant) {
  const kinds = ["all kinds", ...Object.keys(SAYS)];
  const kind = h("select", { "aria-label": "Kind", onchange: () => again() }, kinds.map((name, index) => h("option", { value: index === 0 ? "" : name }, name.replace("_", " "))));
  const lines = roll(root, [kind, h("span", { class: "quiet-text" }, "from now on")]);
  const path = () => `/v1/events?tenant=${part(tenant)}${kind.value ? `&kind=${kind.value}` : ""}`;
  const again = streamed(signal, path, lines, ({ data }) => {
    const bad = data.kind === "refused" || data.kind === "missed" || data.ending?.completed === false;
    const who = data.pid ?? data.by;
    lines.add(() => h("li", { class: bad ? "line-warn" : "" }, h("time", null, clock(data.at)), " ", h("span", { class: "level" }, data.kind.replace("_", " ")), " ",
      who ? [processLink(tenant, who), " "] : null, SAYS[data.kind]?.(data) ?? ""));
  });
}
