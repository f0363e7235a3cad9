// What the page asks of the host.
//
// Owns the token: in this tab's session storage, and in a header of each request, never in a URL. Refuses to show anything.

import { visible } from "/page/text.js";

const KEPT = "lunarium-token";

/** Why a request wasn't answered as wanted. `status` 0: nobody answered. */
export class Failed extends Error {
  constructor(status, message, help) {
    super(help ? `${message}: ${help}` : message);
    this.status = status;
  }
}

export function token() {
  return sessionStorage.getItem(KEPT);
}

export function keepToken(text) {
  if (text) sessionStorage.setItem(KEPT, text);
  else sessionStorage.removeItem(KEPT);
}

/** The headers that each request has. */
export function headers() {
  const given = token();
  return given ? { Authorization: `Bearer ${given}` } : {};
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers(), ...options.headers }, cache: "no-store", credentials: "omit", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failed(0, "the host doesn't answer");
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  const { message = `the host answers with ${response.status}`, help } = body?.error ?? {};
  throw new Failed(response.status, visible(message), help && visible(help));
}

/** Asks for JSON. */
export async function get(path, signal) {
  return (await request(path, { signal })).json();
}

/** Has something done. */
export async function post(path, body = {}) {
  const options = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  return (await request(path, options)).json();
}

/** Part of a path. */
export function part(text) {
  return encodeURIComponent(text);
}

/** Server-sent events, one after the other: `{ event, data }`. */
export async function* stream(path, signal) {
  const response = await request(path, { signal, headers: { Accept: "text/event-stream" } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value.replaceAll("\r\n", "\n");
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const event = parse(rest.slice(0, end));
      rest = rest.slice(end + 2);
      if (event) yield event;
    }
  }
}

function parse(block) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5));
  }
  return data.length > 0 ? { event, data: JSON.parse(data.join("\n")) } : null;
}

function wait(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end, { once: true });
  });
}

function seen(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
  });
}

/** Who is told how the host answers: with an error, or with null when it does. */
export const watchers = new Set();

export function told(error) {
  for (const watcher of watchers) watcher(error);
}

/** Does something again and again while the page is looked at. `step` says by `false` that it was the last time. */
export async function live(signal, milliseconds, step) {
  while (!signal.aborted) {
    if (document.hidden) await seen(signal);
    try {
      if (await step() === false) return;
      told(null);
    } catch (error) {
      if (signal.aborted) return;
      told(error);
    }
    await wait(milliseconds, signal);
  }
}

/** Follows a stream for as long as it is wanted: when it ends, or fails, it is asked for anew. */
export async function follow(signal, path, take) {
  while (!signal.aborted) {
    try {
      for await (const event of stream(path(), signal)) take(event);
    } catch (error) {
      if (signal.aborted) return;
      told(error);
    }
    await wait(2000, signal);
  }
}
