// Where everything hangs: the head of the page, which view is shown, and what is asked for when the host wants a token.
//
// Owns the address (`#/t/TENANT/…`), so that back, forward and a reload lead where they should. Refuses to know what a view shows.

import { Failed, get, keepToken, live, part, post, token, watchers } from "/page/api.js";
import { h, put, say } from "/page/dom.js";
import { showProcess } from "/page/process.js";
import { showTenant } from "/page/tenant.js";
import { showTenants } from "/page/tenants.js";
import { seconds } from "/page/text.js";

const main = document.getElementById("main");
const state = h("span", { class: "answers" }, "…");
const version = h("span", { class: "version" });
const where = h("nav", { "aria-label": "Where" });
const forget = h("button", { class: "quiet", hidden: true, onclick: () => leave() }, "Forget token");
let running = null;

/** Themes, in the order of the button: as the system says, then each. */
const THEMES = ["auto", "dark", "light"];

function theme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  localStorage.setItem("lunarium-theme", name);
  return name;
}

function themeButton() {
  let now = theme(THEMES.includes(localStorage.getItem("lunarium-theme")) ? localStorage.getItem("lunarium-theme") : "auto");
  const label = () => `Theme: ${now}`;
  const button = h("button", { class: "quiet", onclick: () => {
    now = theme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
    say(button, label());
  } }, label());
  return button;
}

function leave() {
  keepToken(null);
  location.reload();
}

/** Which view an address means. */
function route() {
  const parts = location.hash.replace(/^#\/?/, "").split("/").map((text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  });
  if (parts[0] === "t" && parts[1]) {
    const [, tenant, tab, pid] = parts;
    return tab === "p" && pid ? { view: "process", tenant, pid } : { view: "tenant", tenant, tab: tab || "processes" };
  }
  return { view: "tenants" };
}

function show() {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const { view, tenant, tab, pid } = route();
  const root = h("div", { class: `view of-${view}` });
  put(main, root);
  const path = [h("a", { href: "#/" }, "Tenants")];
  if (tenant) path.push(h("a", { href: `#/t/${part(tenant)}` }, h("bdi", null, tenant)));
  if (pid) path.push(h("a", { href: location.hash, class: "pid" }, pid));
  path.at(-1).setAttribute("aria-current", "page");
  put(where, path);
  document.title = tenant ? `${pid ? "Process" : "Tenant"} – Lunarium` : "Lunarium";
  if (view === "process") showProcess(root, signal, tenant, pid);
  else if (view === "tenant") showTenant(root, signal, tenant, tab);
  else showTenants(root, signal);
}

function askToken(message) {
  const field = h("input", { type: "password", name: "token", autocomplete: "off", required: true, spellcheck: "false" });
  const form = h("form", { class: "token", onsubmit: async (event) => {
    event.preventDefault();
    keepToken(field.value.trim());
    await begin();
  } },
  h("h1", null, "Lunarium"),
  h("p", null, "This host wants its token: the text of the file that ", h("code", null, "--admin-token-file"), " names. It is kept in this tab until that is closed."),
  message && h("p", { class: "bad" }, message),
  h("label", null, "Token", field),
  h("button", null, "Open"));
  put(main, form);
  field.focus();
}

/** An address of `lunarium observe` that doesn't count. There is no token to ask for. */
function tellUsed(message) {
  put(main, h("div", { class: "token" }, h("h1", null, "Lunarium"), h("p", { class: "bad" }, message)));
}

/** `lunarium observe` prints an address with a key that counts once: what it is exchanged for is this tab's. */
async function useKey() {
  const key = /^#key=([\w-]+)$/.exec(location.hash)?.[1];
  if (!key) return;
  history.replaceState(null, "", "/");
  keepToken(key);
  try {
    keepToken((await post("/observe/session")).token);
  } catch (error) {
    keepToken(null);
    throw error;
  }
}

async function begin() {
  const byKey = location.hash.startsWith("#key="), had = token() !== null;
  try {
    await useKey();
    await get("/v1/host");
  } catch (error) {
    if (error instanceof Failed && error.status === 401) {
      keepToken(null);
      if (byKey) tellUsed(error.message);
      else askToken(had ? error.message : null);
      return;
    }
    put(main, h("p", { class: "bad" }, error.message), h("button", { onclick: begin }, "Try again"));
    return;
  }
  forget.hidden = token() === null;
  addEventListener("hashchange", show);
  show();
  live(new AbortController().signal, 5000, async () => {
    const host = await get("/v1/host");
    say(version, `${host.version}, up for ${seconds(host.uptime_seconds)}`);
  });
}

watchers.add((error) => {
  if (error?.status === 401) leave();
  const text = error === null ? "live" : error.status === 0 ? "no answer" : error.message;
  say(state, text);
  state.className = error === null ? "answers good" : "answers bad";
});

put(document.getElementById("head"),
  h("a", { class: "brand", href: "#/" }, h("img", { src: "/page/icon.svg", alt: "", width: 24, height: 24 }), "Lunarium"),
  where, h("span", { class: "space" }), version, state, themeButton(), forget);
begin();
