// All tenants with their budgets, and the host that they share.

import { get, live, part } from "/page/api.js";
import { charts } from "/page/charts.js";
import { add, bar, h, keep, put, say, sayLines, setBar } from "/page/dom.js";
import { cores, count, held, rate } from "/page/text.js";

const LOOK = 2000;

/** Budgets as they are called here. */
const NAMES = {
  "engine.memory": "memory", "node.memory": "memory", "node.processes": "processes", "node.links": "links",
  "node.monitors": "monitors", "node.log_bytes": "log this second",
};

/** Bars of what is used of budgets or limits, kept. */
export function budgets(parent, list, called = (name) => NAMES[name] ?? name) {
  keep(parent, list, ({ name }) => name, bar,
    (element, { name, used, limit }) => setBar(element, called(name), used, limit, (amount) => held(name, amount)));
}

/** What grows, in a second: from two looks at totals. */
export function speeds() {
  const before = new Map();
  return (key, totals) => {
    const now = performance.now(), last = before.get(key);
    before.set(key, { now, totals });
    const since = last ? (now - last.now) / 1000 : 0;
    return totals.map((total, index) => (last && since > 0 && total >= last.totals[index] ? (total - last.totals[index]) / since : null));
  };
}

/** A tenant's state as a label. */
export function badge(state) {
  return h("span", { class: `badge ${state}` }, state);
}

function services(list) {
  const by = new Map();
  for (const { state } of list) by.set(state, (by.get(state) ?? 0) + 1);
  if (by.size === 0) return "no services";
  return `services: ${[...by].map(([state, number]) => `${number} ${state.replace("_", " ")}`).join(", ")}`;
}

function card() {
  return h("li", { class: "card" },
    h("h2", null, h("a", {}), h("span", {})),
    h("p", { class: "why bad" }),
    h("p", { class: "facts" }),
    h("div", { class: "bars" }),
    h("p", { class: "quiet-text" }));
}

function fillCard(element, tenant, [cpu, messages, spawns]) {
  const [head, why, facts, bars, rest] = element.children;
  head.firstChild.href = `#/t/${part(tenant.name)}`;
  say(head.firstChild, tenant.name);
  put(head.lastChild, badge(tenant.state));
  sayLines(why, tenant.why ?? "");
  why.hidden = !tenant.why;
  const speed = (value, format) => (value === null ? "…" : format(value));
  put(facts, [[count(tenant.processes), "processes"], [speed(cpu, cores), "CPU"], [speed(messages, rate), "messages/s"], [speed(spawns, rate), "starts/s"]]
    .map(([value, name]) => h("span", null, h("b", null, value), ` ${name}`)));
  budgets(bars, tenant.budgets);
  const deployed = tenant.deployment ? `deployment ${tenant.deployment.number} since ${new Date(tenant.deployment.since).toLocaleString("en-GB")}` : "no deployment";
  say(rest, `${services(tenant.services)}; ${deployed}`);
}

export function showTenants(root, signal) {
  const facts = h("p", { class: "facts" }), bars = h("div", { class: "bars" }), list = h("ul", { class: "cards" });
  const find = h("input", { type: "search", placeholder: "Find a tenant", "aria-label": "Find a tenant", oninput: () => draw() });
  const empty = h("p", { class: "quiet-text", hidden: true }, "There are no tenants.");
  add(root, h("section", { class: "card host" }, h("h1", null, "Host"), facts, bars), h("div", { class: "row" }, h("h1", null, "Tenants"), find), empty, list,
    h("h1", null, "The last ten minutes"), charts(signal, "/v1/history"));
  const speed = speeds();
  let tenants = [];
  const draw = () => {
    const wanted = find.value.toLowerCase();
    const shown = tenants.filter(({ tenant }) => tenant.name.toLowerCase().includes(wanted));
    keep(list, shown, ({ tenant }) => tenant.name, card, (element, { tenant, grows }) => fillCard(element, tenant, grows));
    empty.hidden = tenants.length > 0;
  };
  live(signal, LOOK, async () => {
    const [host, all] = await Promise.all([get("/v1/host", signal), get("/v1/tenants", signal)]);
    const [cpu] = speed("", [host.cpu_seconds]);
    put(facts, [[count(all.tenants.length), "tenants"], [count(host.tenants.failed), "failed"], [count(all.tenants.reduce((sum, tenant) => sum + tenant.processes, 0)), "processes"], [cpu === null ? "…" : cores(cpu), "CPU"]]
      .map(([value, name]) => h("span", null, h("b", null, value), ` ${name}`)));
    budgets(bars, host.budgets);
    tenants = all.tenants.map((tenant) => ({ tenant, grows: speed(tenant.name, [tenant.cpu_seconds, tenant.messages, tenant.spawns]) }));
    draw();
  });
}
