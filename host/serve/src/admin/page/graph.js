// The processes of a tenant as a picture: who is linked with whom, who monitors whom, who has started whom, and what they are called.
//
// Owns drawing, and how one moves in it by pointer and keyboard. Where things stand is `layout.js`'s. On a canvas a text is drawn, never
// parsed.

import { get, live, part } from "/page/api.js";
import { add, h, put, say } from "/page/dom.js";
import { layout } from "/page/layout.js";
import { processLink } from "/page/tenant.js";
import { badge } from "/page/tenants.js";
import { count, visible } from "/page/text.js";

const LOOK = 4000;
/** Milliseconds of a frame that may be spent on where things stand. */
const BUDGET = 8;

export function showGraph(root, signal, tenant) {
  const search = h("input", { type: "search", placeholder: "Only those that match", "aria-label": "Search processes", spellcheck: "false", onchange: () => look() });
  const kinds = { links: true, monitors: true, parents: false };
  const boxes = [["links", "links"], ["monitors", "monitors"], ["parents", "who started whom"]].map(([kind, text]) =>
    h("label", { class: `kind ${kind}` }, h("input", { type: "checkbox", checked: kinds[kind], onchange: (event) => {
      kinds[kind] = event.target.checked;
      arrange();
    } }), text));
  const said = h("span", { class: "quiet-text", role: "status" }, "…");
  const canvas = h("canvas", { tabindex: 0, role: "img", "aria-label": "Graph of processes. Arrow keys go from process to process, Enter opens one, plus and minus zoom, 0 shows all." });
  const about = h("aside", { class: "card about" });
  add(root, h("div", { class: "row tools" }, search, boxes, h("button", { onclick: () => fit() }, "Show all"), said), h("div", { class: "graph" }, canvas, about));

  let graph = { nodes: [], links: [], monitors: [], parents: [] }, plan = layout([], []), where = new Map();
  let view = { x: 0, y: 0, zoom: 1 }, moved = false, chosen = null, hovered = null, due = 0, working = false;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  async function look() {
    const query = search.value ? `&search=${part(search.value.slice(0, 256))}` : "";
    const now = await get(`/v1/tenants/${part(tenant)}/graph?limit=1000${query}`, signal);
    const same = now.nodes.length === graph.nodes.length && JSON.stringify([now.links, now.monitors, now.parents]) === JSON.stringify([graph.links, graph.monitors, graph.parents])
      && now.nodes.every((node, index) => node[0] === graph.nodes[index][0]);
    graph = now;
    say(said, now.complete ? `${count(now.total)} processes` : `${count(now.nodes.length)} of ${count(now.total)} processes, the oldest`);
    if (same) draw();
    else arrange();
    tell();
  }
  live(signal, LOOK, look);

  function edges() {
    return [["links", graph.links], ["monitors", graph.monitors], ["parents", graph.parents]].filter(([kind]) => kinds[kind]);
  }

  /** Finds places anew, from where everybody stands. */
  function arrange() {
    remember();
    plan = layout(graph.nodes.map(([pid]) => pid), edges().flatMap(([, list]) => list), where);
    working = true;
    draw();
  }

  function remember() {
    where = new Map(graph.nodes.slice(0, plan.x.length).map(([pid], index) => [pid, [plan.x[index], plan.y[index]]]));
  }

  function draw() {
    if (due) return;
    due = requestAnimationFrame(() => {
      due = 0;
      if (signal.aborted) return;
      if (working) {
        working = plan.step(BUDGET);
        if (!moved) fitNow();
        if (working) draw();
        if (working && still.matches) return;
      }
      paint();
    });
  }

  function fitNow() {
    const box = canvas.getBoundingClientRect();
    if (plan.x.length === 0 || box.width === 0) return;
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    plan.x.forEach((x, index) => {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, plan.y[index]);
      bottom = Math.max(bottom, plan.y[index]);
    });
    const zoom = Math.min(2, (box.width - 80) / Math.max(1, right - left), (box.height - 80) / Math.max(1, bottom - top));
    view = { x: (left + right) / 2, y: (top + bottom) / 2, zoom };
  }

  function fit() {
    moved = false;
    fitNow();
    draw();
  }

  function paint() {
    const box = canvas.getBoundingClientRect(), scale = devicePixelRatio || 1;
    const [width, height] = [Math.round(box.width * scale), Math.round(box.height * scale)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const style = getComputedStyle(canvas), colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(view.zoom * scale, 0, 0, view.zoom * scale, width / 2 - view.x * view.zoom * scale, height / 2 - view.y * view.zoom * scale);
    const focus = hovered ?? chosen, near = focus === null ? null : neighbours(focus);
    const { x, y } = plan;
    const lines = { links: { colour: colour("link"), dash: [] }, monitors: { colour: colour("monitor"), dash: [5, 4] }, parents: { colour: colour("parent"), dash: [1, 4] } };
    for (const [kind, list] of edges()) {
      const { colour: stroke, dash } = lines[kind];
      for (const close of near ? [false, true] : [true]) {
        context.beginPath();
        context.strokeStyle = stroke;
        context.globalAlpha = close ? 0.9 : 0.15;
        context.lineWidth = (close && near ? 1.8 : 1) / Math.max(0.6, view.zoom);
        context.setLineDash(dash);
        for (const [one, other] of list) {
          if (near && (one === focus || other === focus) !== close) continue;
          if (one >= x.length || other >= x.length) continue;
          context.moveTo(x[one], y[one]);
          context.lineTo(x[other], y[other]);
        }
        context.stroke();
        if (kind !== "links") heads(context, list, stroke, (one, other) => !near || (one === focus || other === focus) === close);
      }
    }
    context.setLineDash([]);
    const states = { waiting: colour("waiting"), running: colour("running"), starting: colour("starting") };
    graph.nodes.forEach(([, , state, names], index) => {
      if (index >= x.length) return;
      context.globalAlpha = !near || near.has(index) ? 1 : 0.25;
      context.fillStyle = states[state];
      context.beginPath();
      context.arc(x[index], y[index], names.length > 0 ? 7 : 5, 0, 7);
      context.fill();
      if (index === chosen || index === hovered) {
        context.lineWidth = 2;
        context.strokeStyle = colour("text");
        context.stroke();
      }
    });
    labels(context, near, colour);
    context.globalAlpha = 1;
  }

  function heads(context, list, stroke, wanted) {
    const { x, y } = plan;
    context.setLineDash([]);
    context.fillStyle = stroke;
    context.beginPath();
    for (const [one, other] of list) {
      if (!wanted(one, other) || one >= x.length || other >= x.length) continue;
      const across = x[other] - x[one], along = y[other] - y[one], far = Math.hypot(across, along);
      if (far < 16) continue;
      const [right, down] = [across / far, along / far], [tipX, tipY] = [x[other] - right * 8, y[other] - down * 8];
      context.moveTo(tipX, tipY);
      context.lineTo(tipX - right * 7 + down * 3.5, tipY - down * 7 - right * 3.5);
      context.lineTo(tipX - right * 7 - down * 3.5, tipY - down * 7 + right * 3.5);
    }
    context.fill();
  }

  /** Names, and entries where there is room, each where none is yet. */
  function labels(context, near, colour) {
    const size = 12 / view.zoom, taken = [];
    context.font = `${size}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    const order = graph.nodes.map((node, index) => [node, index]).filter(([, index]) => index < plan.x.length);
    const weight = ([[, , , names], index]) => (index === chosen || index === hovered ? 2 : names.length > 0 ? 1 : 0);
    order.sort((one, other) => weight(other) - weight(one));
    for (const [[, entry, , names], index] of order.slice(0, 400)) {
      const strong = index === chosen || index === hovered;
      if (near && !near.has(index)) continue;
      if (!strong && names.length === 0 && view.zoom < 0.9) continue;
      const full = visible(names[0] ?? entry.replace(/^[^:]*:/, "")), text = full.length > 28 && !strong ? `${full.slice(0, 27)}…` : full;
      const [left, middle] = [plan.x[index] + 10, plan.y[index]], width = text.length * size * 0.55;
      const box = [left, middle - size * 0.6, left + width, middle + size * 0.6];
      if (!strong && taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
      taken.push(box);
      context.globalAlpha = 1;
      context.lineWidth = 3 / view.zoom;
      context.strokeStyle = colour("ground");
      context.strokeText(text, left, middle);
      context.fillStyle = colour(names.length > 0 ? "text" : "quiet");
      context.fillText(text, left, middle);
    }
  }

  function neighbours(node) {
    const near = new Set([node]);
    for (const [, list] of edges()) {
      for (const [one, other] of list) {
        if (one === node) near.add(other);
        if (other === node) near.add(one);
      }
    }
    return near;
  }

  function tell() {
    const node = chosen === null ? null : graph.nodes[chosen];
    if (!node) {
      chosen = null;
      put(about, h("h2", null, "Nothing chosen"), h("p", { class: "quiet-text" }, "Choose a process to see what hangs on it. Drag to move, turn the wheel to zoom."),
        h("ul", { class: "legend" }, ["waiting", "running", "starting"].map((name) => h("li", { class: name }, name)),
          [["links", "link"], ["monitors", "who monitors → who is monitored"], ["parents", "who has started → who was started"]].map(([name, text]) => h("li", { class: `edge ${name}` }, text))));
      about.of = null;
      return;
    }
    const [pid, entry, state, names] = node;
    const of = (list, here, there) => list.filter((edge) => edge[here] === chosen).map((edge) => graph.nodes[edge[there]]);
    const lists = [
      ["Linked with", [...of(graph.links, 0, 1), ...of(graph.links, 1, 0)]],
      ["Monitors", of(graph.monitors, 0, 1)],
      ["Monitored by", of(graph.monitors, 1, 0)],
      ["Has started", of(graph.parents, 0, 1)],
      ["Started by", of(graph.parents, 1, 0)],
    ].filter(([, list]) => list.length > 0);
    const shown = JSON.stringify([pid, state, lists]);
    if (about.of === shown) return;
    about.of = shown;
    put(about, h("h2", null, processLink(tenant, pid)), h("p", null, badge(state), " ", entry), names.length > 0 && h("p", null, `Names: ${names.join(", ")}`),
      lists.map(([title, list]) => [h("h3", null, `${title} ${list.length}`), h("ul", null, list.slice(0, 50).map(([other, , , called]) => h("li", null, processLink(tenant, other, called[0] ?? other))))]));
  }

  function choose(node) {
    chosen = node;
    tell();
    draw();
  }

  /** The node at a point of the canvas. */
  function at(event) {
    const box = canvas.getBoundingClientRect();
    const x = (event.clientX - box.left - box.width / 2) / view.zoom + view.x, y = (event.clientY - box.top - box.height / 2) / view.zoom + view.y;
    let best = null, close = 14 / Math.min(1, view.zoom);
    plan.x.forEach((there, index) => {
      const far = Math.hypot(there - x, plan.y[index] - y);
      if (far < close) [best, close] = [index, far];
    });
    return best;
  }

  function zoom(times) {
    moved = true;
    view.zoom = Math.min(6, Math.max(0.03, view.zoom * times));
    draw();
  }

  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag = { x: event.clientX, y: event.clientY, far: 0 };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      drag.far += Math.abs(event.clientX - drag.x) + Math.abs(event.clientY - drag.y);
      if (drag.far > 4) {
        moved = true;
        view.x -= (event.clientX - drag.x) / view.zoom;
        view.y -= (event.clientY - drag.y) / view.zoom;
      }
      [drag.x, drag.y] = [event.clientX, event.clientY];
      draw();
      return;
    }
    const node = at(event);
    canvas.style.cursor = node === null ? "grab" : "pointer";
    if (node !== hovered) {
      hovered = node;
      draw();
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && drag.far <= 4) choose(at(event));
    drag = null;
  });
  canvas.addEventListener("pointerleave", () => {
    hovered = null;
    draw();
  });
  canvas.addEventListener("dblclick", (event) => open(at(event)));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.0015));
  }, { passive: false });

  function open(node) {
    if (node !== null && graph.nodes[node]) location.hash = `#/t/${part(tenant)}/p/${part(graph.nodes[node][0])}`;
  }

  /** The nearest node in a direction. */
  function towards(right, down) {
    const from = chosen ?? 0;
    let best = chosen === null && plan.x.length > 0 ? 0 : null, close = Infinity;
    if (chosen !== null) {
      plan.x.forEach((there, index) => {
        const across = there - plan.x[from], along = plan.y[index] - plan.y[from];
        const ahead = across * right + along * down, aside = Math.abs(across * down) + Math.abs(along * right);
        if (index === from || ahead <= 0 || aside > 2 * ahead) return;
        if (ahead + 2 * aside < close) [best, close] = [index, ahead + 2 * aside];
      });
    }
    if (best !== null) choose(best);
  }

  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    if (steps[event.key]) towards(...steps[event.key]);
    else if (event.key === "Enter") open(chosen);
    else if (event.key === "Escape") choose(null);
    else if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fit();
    else return;
    hovered = null;
    event.preventDefault();
  });
  new ResizeObserver(() => {
    if (!moved) fitNow();
    draw();
  }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw, { signal });
  tell();
}
