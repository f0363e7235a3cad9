// One process with everything about it, live; and how it is ended.

import { Failed, follow, get, live, part, post } from "/page/api.js";
import { add, ask, h, keep, put, say, tell } from "/page/dom.js";
import { plot } from "/page/charts.js";
import { lineOf } from "/page/log.js";
import { processLink } from "/page/tenant.js";
import { badge, budgets } from "/page/tenants.js";
import { bytes, cores, count, seconds } from "/page/text.js";

const LOOK = 1000;
/** Looks that the small curves show. */
const KEPT = 120;

export function showProcess(root, signal, tenant, pid) {
  const path = `/v1/tenants/${part(tenant)}/processes/${part(pid)}`;
  const state = h("span"), over = h("p", { class: "why bad", role: "alert", hidden: true });
  const facts = h("dl", { class: "facts-list" }), bars = h("div", { class: "bars" }), curves = h("div", { class: "charts" });
  const lists = h("div", { class: "lists" }), log = h("ol", { class: "log short" });
  const buttons = [
    h("button", { onclick: () => end("cancel") }, "Cancel…"),
    h("button", { class: "danger", onclick: () => end("terminate") }, "Terminate…"),
  ];
  add(root,
    h("div", { class: "card" }, h("div", { class: "row" }, h("h1", { class: "pid" }, pid), state, h("span", { class: "space" }), buttons), over, facts),
    h("div", { class: "two" },
      h("section", { class: "card" }, h("h2", null, "Limits"), bars),
      h("section", { class: "card" }, h("h2", null, "Since this page was opened"), curves)),
    h("section", { class: "card" }, h("h2", null, "Links and monitors"), lists),
    h("section", { class: "card" }, h("h2", null, "Last lines"), log));

  let last = null, ended = false;
  const history = [];
  live(signal, LOOK, async () => {
    let now;
    try {
      now = await get(path, signal);
    } catch (error) {
      if (!(error instanceof Failed) || error.status !== 404) throw error;
      finish(last ? "It has ended. This is how it was seen last." : "There is no such process: it has ended, or never was.");
      return false;
    }
    last = now;
    draw(now);
  });
  follow(signal, () => `/v1/events?tenant=${part(tenant)}&pid=${part(pid)}&kind=ended`, ({ data }) => {
    if (data.kind !== "ended") return;
    const { completed, kind, message } = data.ending;
    finish(completed ? "It has ended normally. This is how it was seen last." : `It has ended: ${message} (${kind || "no kind"}). This is how it was seen last.`, true);
  });

  function finish(text, surely = false) {
    if (ended && !surely) return;
    ended = true;
    say(over, text);
    over.hidden = false;
    put(state, h("span", { class: "badge failed" }, "ended"));
    for (const button of buttons) button.disabled = true;
  }

  async function end(how) {
    const entry = last ? ` It runs ${last.entry}.` : "";
    const cancel = how === "cancel";
    const answer = await ask(cancel
      ? { title: "Ask this process to end?", act: "Cancel it", text: [`${pid} of tenant ${tenant} gets a CANCEL event, and ends in its own way or not at all.${entry}`],
        fields: [{ name: "deadline", label: "Terminate it after so many seconds (nothing: never)", type: "number", min: 0, max: 86400, step: "any" }] }
      : { title: "Terminate this process?", act: "Terminate it", text: [`${pid} of tenant ${tenant} ends at once, whatever it does; who is linked with it ends or learns of it.${entry}`] });
    if (answer === null) return;
    try {
      const deadline = cancel && answer.deadline !== "" ? { deadline_ms: Math.round(Number(answer.deadline) * 1000) } : {};
      await post(`${path}/${how}`, deadline);
      tell(cancel ? `${pid} was asked to end.` : `${pid} was terminated.`);
    } catch (error) {
      tell(error.message, true);
    }
  }

  function draw(now) {
    if (ended) return;
    if (state.textContent !== now.state) put(state, badge(now.state));
    const { definition } = now;
    const rows = [
      ["Entry", now.entry],
      ["Names", now.names.length > 0 ? now.names.join(", ") : "none"],
      ["Process host", now.host],
      ["Started by", now.parent ? processLink(tenant, now.parent) : "the host"],
      ["Age", seconds(now.uptime_seconds)],
      ["CPU time", seconds(now.cpu_seconds)],
      ["Memory", bytes(now.memory)],
      ["Mailbox", `${count(now.messages)} messages, ${bytes(now.message_bytes)}`],
      ["Calls unanswered", count(now.calls)],
      ["Acts for", now.actor ?? "nobody"],
      ["Policies", now.scope === null ? "no scope" : now.scope.length > 0 ? now.scope.join(", ") : "an empty scope"],
      ["Source", definition.file === null ? "not defined any more" : `${definition.file}${definition.current === false ? ", an older version" : ""}`],
      ["Function", definition.method ?? "main"],
      ["Imports", definition.imports.length > 0 ? definition.imports.join(", ") : "none"],
      ["In the log", now.frame],
    ];
    keep(facts, rows, ([name]) => name, ([name]) => h("div", null, h("dt", null, name), h("dd")), (element, [, value]) => {
      const shown = element.lastChild;
      if (!(value instanceof Node)) say(shown, value);
      else if (shown.textContent !== value.textContent) put(shown, value);
    });
    const usage = now.usage.filter(({ name, limit }) => limit !== null || name !== "memory");
    budgets(bars, usage, (name) => name.replaceAll("_", " "));
    list("Linked with", now.linked, now.links);
    list("Monitors", now.monitoring, now.monitors);
    list("Monitored by", now.monitored_by, now.watchers);
    keep(log, now.log, (line) => `${line.at} ${line.text}`, (line) => lineOf(line, false));
    if (log.children.length === 0) put(log, h("li", { class: "quiet-text" }, "None that is kept."));
    note(now);
  }

  function list(title, pids, all) {
    let box = [...lists.children].find((child) => child.key === title);
    if (!box) {
      box = h("div", null, h("h3"), h("ul"));
      box.key = title;
      lists.append(box);
    }
    say(box.firstChild, `${title} ${count(all)}`);
    keep(box.lastChild, pids, (other) => other, (other) => h("li", null, processLink(tenant, other)));
  }

  function note(now) {
    const before = history.at(-1);
    const at = performance.now() / 1000;
    const cpu = before ? Math.max(0, (now.cpu_seconds - before.total) / (at - before.at)) : null;
    history.push({ at, total: now.cpu_seconds, cpu, memory: now.memory, messages: now.messages });
    if (history.length > KEPT) history.shift();
    const last = history.at(-1).at;
    const points = (value) => history.filter((point) => point[value] !== null).map((point) => [point.at - last, point[value]]);
    const all = [["CPU", points("cpu"), cores], ["Memory", points("memory"), bytes], ["Unread messages", points("messages"), count]];
    keep(curves, all, ([name]) => name, ([name]) => plot(name), (element, [, values, format]) => element.draw(values, format));
  }
}
