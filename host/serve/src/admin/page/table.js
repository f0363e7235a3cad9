// The processes of a tenant as a table: as many rows as fit, whatever there are.
//
// Owns what is shown and where the reader is. The list itself is another thread's (`rows.js`), which sorts and searches; here a row is
// filled when it comes into sight.

import { headers, part, told } from "/page/api.js";
import { add, h, say } from "/page/dom.js";
import { bytes, cores, count, seconds } from "/page/text.js";

const ROW = 30;
const SPARE = 12;

/** Columns: what they are sorted by, their title, what they show, and whether small numbers come first. */
const COLUMNS = [
  { by: "pid", title: "Process", show: (row) => row.pid, text: true },
  { by: "entry", title: "Entry", show: (row) => (row.names.length > 0 ? `${row.names.join(", ")} · ${row.entry}` : row.entry), text: true },
  { by: "state", title: "State", show: (row) => row.state, text: true },
  { by: "cpu", title: "CPU", show: (row) => cores(row.cpu), help: "CPU time by time, since the last look" },
  { by: "cpu_seconds", title: "CPU time", show: (row) => seconds(row.cpu_seconds) },
  { by: "memory", title: "Memory", show: (row) => bytes(row.memory) },
  { by: "messages", title: "Unread", show: (row) => count(row.messages), help: "Messages that its script hasn't received" },
  { by: "links", title: "Links", show: (row) => count(row.links) },
  { by: "watchers", title: "Watched", show: (row) => count(row.watchers), help: "Processes that monitor it" },
  { by: "uptime_seconds", title: "Age", show: (row) => seconds(row.uptime_seconds) },
];

/** How the table was left, by tenant: who goes back finds it so. */
const left = new Map();

// Where the browser knows trusted types, a worker's address must be one.
const policy = globalThis.trustedTypes?.createPolicy("lunarium", { createScriptURL: (url) => (url === "/page/rows.js" ? url : "") });

export function showTable(root, signal, tenant) {
  const view = left.get(tenant) ?? { sort: "cpu", order: "desc", search: "", state: "", top: 0, selected: null };
  left.set(tenant, view);
  const search = h("input", { type: "search", placeholder: "Search ( / )", "aria-label": "Search processes", value: view.search, spellcheck: "false", oninput: () => change({ search: search.value.slice(0, 256) }) });
  const states = h("select", { "aria-label": "State", onchange: () => change({ state: states.value }) },
    [["", "all states"], ["running", "running"], ["waiting", "waiting"], ["starting", "starting"]].map(([value, text]) => h("option", { value, selected: value === view.state }, text)));
  const counted = h("span", { class: "counted", role: "status" }, "…");
  const titles = COLUMNS.map((column) => h("button", { class: `cell ${column.text ? "" : "number"} of-${column.by}`, role: "columnheader", title: column.help, onclick: () => sort(column) }, column.title));
  const spacer = h("div", { class: "spacer" });
  const grid = h("div", { class: "grid", role: "grid", tabindex: 0, "aria-label": "Processes", "aria-colcount": COLUMNS.length, onscroll: () => draw(), onkeydown: (event) => key(event) },
    h("div", { class: "titles", role: "row", "aria-rowindex": 1 }, titles), spacer);
  add(root, h("div", { class: "row tools" }, search, states, counted), grid);

  const worker = new Worker(policy ? policy.createScriptURL("/page/rows.js") : "/page/rows.js", { type: "module" });
  const made = [];
  let cache = { first: 0, rows: [], matched: 0 }, asked = { first: -1, count: 0 }, place = null, due = 0;
  worker.onmessage = ({ data }) => {
    if (signal.aborted) return;
    if (data.failed) return told(Object.assign(new Error(data.failed.message), { status: data.failed.status }));
    told(null);
    place ??= data.columns;
    cache = { first: data.first, matched: data.matched, rows: data.rows.map((row) => Object.fromEntries(place.map((name, index) => [name, row[index]]))) };
    say(counted, data.matched === data.total ? `${count(data.total)} processes` : `${count(data.matched)} of ${count(data.total)}`);
    spacer.style.height = `${data.matched * ROW}px`;
    grid.setAttribute("aria-rowcount", String(data.matched + 1));
    if (view.top > 0 && data.matched > 0) {
      grid.scrollTop = view.top;
      view.top = 0;
    }
    draw();
  };
  worker.postMessage({ open: { tenant, headers: headers() } });
  tellTitles();
  want(true);

  document.addEventListener("visibilitychange", () => worker.postMessage({ paused: document.hidden }), { signal });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && !document.querySelector("dialog")) {
      event.preventDefault();
      search.focus();
    }
  }, { signal });
  new ResizeObserver(() => !signal.aborted && draw()).observe(grid);
  signal.addEventListener("abort", () => {
    view.top = grid.scrollTop;
    worker.terminate();
  });

  function change(what) {
    Object.assign(view, what);
    grid.scrollTop = 0;
    tellTitles();
    want(true);
  }

  function sort(column) {
    const same = view.sort === column.by;
    change({ sort: column.by, order: same ? (view.order === "asc" ? "desc" : "asc") : column.text ? "asc" : "desc" });
  }

  function tellTitles() {
    COLUMNS.forEach((column, index) => {
      const sorted = view.sort === column.by;
      titles[index].setAttribute("aria-sort", sorted ? (view.order === "asc" ? "ascending" : "descending") : "none");
    });
  }

  function sight() {
    const first = Math.max(0, Math.floor(grid.scrollTop / ROW));
    return { first, count: Math.ceil(grid.clientHeight / ROW) + 1 };
  }

  /** Asks for what is in sight and some around it, if that isn't here or asked for. */
  function want(anew) {
    const { first, count: rows } = sight();
    const from = Math.max(0, first - 2 * SPARE), size = rows + 4 * SPARE;
    const covered = asked.first <= Math.max(0, first - SPARE) && asked.first + asked.count >= first + rows + SPARE;
    if (covered && !anew) return;
    asked = { first: from, count: size };
    worker.postMessage({ view: { sort: view.sort, order: view.order, search: view.search, state: view.state, first: from, count: size } });
  }

  /** Once a frame, however often it is asked for. */
  function draw() {
    if (due) return;
    due = requestAnimationFrame(() => {
      due = 0;
      if (signal.aborted) return;
      want(false);
      const { first, count: rows } = sight();
      for (let index = 0; index < Math.max(rows, made.length); index += 1) {
        const row = index < rows ? cache.rows[first + index - cache.first] : undefined;
        // Elements go around, so that a scroll by a row changes one.
        const slot = (first + index) % Math.max(rows, made.length, 1);
        made[slot] ??= makeRow();
        fillRow(made[slot], row, first + index);
      }
    });
  }

  function makeRow() {
    const cells = COLUMNS.map((column) => h("span", { class: `cell ${column.text ? "" : "number"} of-${column.by}`, role: "gridcell" }));
    const row = h("div", { class: "line", role: "row", onclick: () => open(row.pid), onmousedown: () => select(row.pid) }, cells);
    spacer.append(row);
    return row;
  }

  function fillRow(element, row, index) {
    element.hidden = row === undefined;
    if (row === undefined) return;
    if (element.at !== index) {
      element.at = index;
      element.style.transform = `translateY(${index * ROW}px)`;
      element.setAttribute("aria-rowindex", String(index + 2));
      element.id = `row-${index}`;
    }
    element.pid = row.pid;
    COLUMNS.forEach((column, place) => say(element.children[place], column.show(row)));
    element.dataset.state = row.state;
    const selected = row.pid === view.selected;
    element.setAttribute("aria-selected", String(selected));
    if (selected) grid.setAttribute("aria-activedescendant", element.id);
  }

  function select(pid) {
    view.selected = pid;
    draw();
  }

  function open(pid) {
    view.selected = pid;
    location.hash = `#/t/${part(tenant)}/p/${part(pid)}`;
  }

  function key(event) {
    const page = Math.max(1, Math.floor(grid.clientHeight / ROW) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -cache.matched, End: cache.matched };
    if (event.key === "Enter" && event.target === grid && view.selected) return open(view.selected);
    const step = steps[event.key];
    if (step === undefined || cache.matched === 0) return;
    event.preventDefault();
    const here = cache.rows.findIndex((row) => row.pid === view.selected);
    const from = here >= 0 ? cache.first + here : sight().first - Math.sign(step);
    const to = Math.min(cache.matched - 1, Math.max(0, from + step));
    const top = to * ROW, bottom = top + 2 * ROW;
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (bottom > grid.scrollTop + grid.clientHeight) grid.scrollTop = bottom - grid.clientHeight;
    const row = cache.rows[to - cache.first];
    if (row) select(row.pid);
    else waitFor(to);
  }

  /** Selects a row as soon as it is here: the other thread is asked for it. */
  function waitFor(index) {
    const before = worker.onmessage;
    want(true);
    worker.onmessage = (message) => {
      worker.onmessage = before;
      before(message);
      const row = cache.rows[index - cache.first];
      if (row) select(row.pid);
    };
  }
}
