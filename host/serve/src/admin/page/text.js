// Texts and numbers as people read them.
//
// Owns that a text of a script's can't hide anything: what can't be seen, or changes the direction in which others are read, is spelled
// out. Whatever the page shows has gone through `visible`.

const UNSEEN = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202f" +
  "\\u205f-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb]|[\\u{e0000}-\\u{e0fff}]|[\\ud800-\\udfff]", "gu");

/** The text with everything in sight. */
export function visible(text) {
  return String(text).replace(UNSEEN, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

/** The same of a text of several lines. */
export function visibleLines(text) {
  return String(text).split(/\r?\n/).map(visible).join("\n");
}

/** `1.5 MiB` */
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${unit > 0 && count < 100 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

/** `12,345` */
export function count(number) {
  return Math.round(number).toLocaleString("en-US");
}

/** A rate or another small number: `0.25`, `12.3`, `12,345` */
export function rate(number) {
  if (number >= 100) return count(number);
  if (number >= 10) return number.toFixed(1);
  return number === 0 ? "0" : number.toFixed(2);
}

/** `15 ms`, `3.2 s`, `4 min`, `5 h 3 min` */
export function seconds(time) {
  if (time === 0) return "0 s";
  if (time < 0.001) return `${Math.round(time * 1e6)} µs`;
  if (time < 1) return `${Math.round(time * 1e3)} ms`;
  if (time < 60) return `${time < 10 ? time.toFixed(1) : Math.round(time)} s`;
  const minutes = Math.floor(time / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** CPU time over time: `12 %` of a core. */
export function cores(share) {
  const percent = share * 100;
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** `12:03:59` of a time as the host writes it, in the browser's zone. */
export function clock(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? visible(text) : time.toLocaleTimeString("en-GB");
}

/** What is held of a limit, by its name: its unit follows from that. */
export function held(name, amount) {
  if (/(^|[._])(memory|bytes|message)$/.test(name)) return bytes(amount);
  if (/^(cpu|cpu_total|lifetime)$/.test(name)) return seconds(amount / 1e9);
  return count(amount);
}
