// One tenant: its budgets, and below them its processes, the graph of them, curves, services, or its log.

import { get, live, part } from "/page/api.js";
import { charts } from "/page/charts.js";
import { add, h, keep, say, sayLines } from "/page/dom.js";
import { showGraph } from "/page/graph.js";
import { showEvents, showLog } from "/page/log.js";
import { showTable } from "/page/table.js";
import { badge, budgets, speeds } from "/page/tenants.js";
import { cores, count, rate } from "/page/text.js";

const TABS = [["processes", "Processes"], ["graph", "Graph"], ["charts", "Charts"], ["services", "Services"], ["log", "Log"], ["events", "Events"]];

export function showTenant(root, signal, tenant, tab) {
  const path = `/v1/tenants/${part(tenant)}`;
  const state = h("span"), why = h("p", { class: "why bad", hidden: true }), facts = h("p", { class: "facts" }), bars = h("div", { class: "bars" });
  const known = TABS.some(([name]) => name === tab) ? tab : "processes";
  const tabs = h("nav", { class: "tabs", "aria-label": "Of this tenant" },
    TABS.map(([name, title]) => h("a", { href: `#/t/${part(tenant)}/${name}`, "aria-current": name === known && "page" }, title)));
  const body = h("section", { class: `tab of-${known}` });
  add(root, h("div", { class: "card" }, h("h1", null, h("bdi", null, tenant), state), why, facts, bars), tabs, body);
  // On a narrow screen it may be out of sight.
  tabs.scrollLeft = tabs.querySelector("[aria-current]").offsetLeft - tabs.offsetLeft - 40;

  const speed = speeds();
  const services = h("ul", { class: "services" });
  live(signal, 2000, async () => {
    const now = await get(path, signal);
    if (state.textContent !== now.state) state.replaceChildren(badge(now.state));
    sayLines(why, now.why ?? "");
    why.hidden = !now.why;
    const [cpu, messages] = speed("", [now.cpu_seconds, now.messages]);
    say(facts, `${count(now.processes)} processes; CPU ${cpu === null ? "…" : cores(cpu)}; ${messages === null ? "…" : rate(messages)} messages/s; ${count(now.spawns)} starts`);
    budgets(bars, now.budgets);
    if (known === "services") fillServices(services, tenant, now.services);
  });

  if (known === "processes") showTable(body, signal, tenant);
  else if (known === "graph") showGraph(body, signal, tenant);
  else if (known === "charts") add(body, charts(signal, `${path}/history`));
  else if (known === "services") add(body, services);
  else if (known === "log") showLog(body, signal, tenant);
  else showEvents(body, signal, tenant);
}

function fillServices(list, tenant, services) {
  const make = () => h("li", null, h("span", { class: "name" }), h("span", { class: "badge" }), h("span", { class: "pid" }), h("span", { class: "quiet-text" }), h("p", { class: "bad" }));
  keep(list, services, (service) => service.id, make, (element, service) => {
    const [name, state, pid, restarts, why] = element.children;
    say(name, service.id);
    say(state, service.state.replace("_", " "));
    state.className = `badge ${service.state}`;
    if (pid.textContent !== (service.pid ?? "")) {
      pid.replaceChildren();
      if (service.pid) add(pid, processLink(tenant, service.pid));
    }
    say(restarts, service.restarts > 0 ? `started again ${service.restarts} times` : "");
    sayLines(why, service.why ?? "");
  });
}

/** Leads to a process. */
export function processLink(tenant, pid, text = pid) {
  return h("a", { class: "pid", href: `#/t/${part(tenant)}/p/${part(pid)}` }, text);
}
