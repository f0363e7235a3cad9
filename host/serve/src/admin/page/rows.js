// The processes of a tenant, in a thread of their own: eight thousand of them are read, sorted and searched here, and the page gets the few
// that it shows.
//
// Owns the whole list, and what follows from two looks at it: CPU time by time. Refuses to show anything.

const LOOK = 2000;
const MOST = 10000;

let tenant, headers, columns = [], rows = [], matched = [], total = 0, before = new Map();
let view = { sort: "pid", order: "asc", search: "", state: "", first: 0, count: 0 };
let place = {};
let paused = false, timer, looked = 0;

onmessage = ({ data }) => {
  if (data.open) {
    ({ tenant, headers } = data.open);
    look();
  }
  if (data.view) {
    const another = ["sort", "order", "search", "state"].some((name) => view[name] !== data.view[name]);
    view = data.view;
    if (another) choose();
    show();
  }
  if (data.paused !== undefined && data.paused !== paused) {
    paused = data.paused;
    clearTimeout(timer);
    if (!paused) look();
  }
};

async function look() {
  try {
    const response = await fetch(`/v1/tenants/${encodeURIComponent(tenant)}/processes?limit=${MOST}`,
      { headers, cache: "no-store", credentials: "omit", redirect: "error" });
    const body = await response.json();
    if (response.ok) take(body);
    else postMessage({ failed: { status: response.status, message: body.error?.message ?? `the host answers with ${response.status}` } });
  } catch {
    postMessage({ failed: { status: 0, message: "the host doesn't answer" } });
  }
  if (!paused) timer = setTimeout(look, LOOK);
}

function take(body) {
  const now = performance.now(), since = (now - looked) / 1000;
  looked = now;
  columns = [...body.columns, "cpu"];
  place = Object.fromEntries(columns.map((name, index) => [name, index]));
  const last = new Map();
  rows = body.rows;
  total = body.total;
  for (const row of rows) {
    const used = row[place.cpu_seconds], earlier = before.get(row[place.pid]);
    row.push(earlier === undefined ? 0 : Math.max(0, (used - earlier) / since));
    last.set(row[place.pid], used);
  }
  before = last;
  choose();
  show();
}

const collator = new Intl.Collator("en");

function choose() {
  const wanted = view.search.toLowerCase();
  const searched = ["pid", "parent", "entry", "host", "actor"].map((name) => place[name]);
  const holds = (text) => text !== null && text.toLowerCase().includes(wanted);
  matched = rows.filter((row) => (view.state === "" || row[place.state] === view.state)
    && (wanted === "" || searched.some((index) => holds(row[index])) || row[place.names].some(holds)));
  const by = place[view.sort], sign = view.order === "desc" ? -1 : 1;
  // As the host gives them, those of a pid are in the order of their starts.
  if (by === undefined || view.sort === "pid") {
    if (sign < 0) matched.reverse();
    return;
  }
  const text = (value) => (Array.isArray(value) ? value[0] ?? "" : value ?? "");
  const numbers = matched.length > 0 && typeof matched[0][by] === "number";
  matched.sort(numbers ? (one, other) => sign * (one[by] - other[by]) : (one, other) => sign * collator.compare(text(one[by]), text(other[by])));
}

function show() {
  if (looked === 0) return;
  const { first, count } = view;
  postMessage({ columns, total, matched: matched.length, first, rows: matched.slice(first, first + count) });
}
