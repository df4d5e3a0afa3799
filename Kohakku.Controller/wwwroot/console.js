// What of the console runs in the browser: times that stay true, the theme's memory, and the log's stream. No framework, no other host.

const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;

function durationText(ms) {
  if (ms < 0) ms = 0;
  if (ms < 950) return `${Math.round(ms)} ms`;
  if (ms < 10 * second) return `${(ms / second).toFixed(1)} s`;
  if (ms < minute) return `${Math.floor(ms / second)} s`;
  if (ms < hour) return `${Math.floor(ms / minute)} min ${Math.floor(ms % minute / second)} s`;
  if (ms < day) return `${Math.floor(ms / hour)} h ${Math.floor(ms % hour / minute)} min`;
  return `${Math.floor(ms / day)} d ${Math.floor(ms % day / hour)} h`;
}

function distanceText(ms) {
  const size = Math.abs(ms);
  const text = size < 5 * second ? null
    : size < minute ? `${Math.floor(size / second)} s`
    : size < hour ? `${Math.floor(size / minute)} min`
    : size < day ? `${Math.floor(size / hour)} h`
    : `${Math.floor(size / day)} d`;
  if (text === null) return "just now";
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

// Elements that write their own text, so that the server says a time once and never again. "shift" is how far this clock is ahead of the server's.
const ticking = new Set();
let shift = 0;

class Ticking extends HTMLElement {
  connectedCallback() { ticking.add(this); this.update(); }
  disconnectedCallback() { ticking.delete(this); }
  attributeChangedCallback() { if (this.isConnected) this.update(); }
  time(name) { const text = this.getAttribute(name); return text ? Date.parse(text) : null; }
  show(text, title) {
    if (this.textContent !== text) this.textContent = text;
    if (this.title !== title) this.title = title;
  }
}

class RelativeTime extends Ticking {
  static observedAttributes = ["datetime"];
  update() {
    const at = this.time("datetime");
    if (at !== null) this.show(distanceText(Date.now() - shift - at), new Date(at).toLocaleString());
  }
}

class ElapsedTime extends Ticking {
  static observedAttributes = ["start", "end"];
  update() {
    const start = this.time("start"), end = this.time("end");
    if (start === null) return;
    this.show(durationText((end ?? Date.now() - shift) - start), `${new Date(start).toLocaleString()} – ${end ? new Date(end).toLocaleString() : "now"}`);
  }
}

class ClockTime extends Ticking {
  static observedAttributes = ["datetime"];
  update() {
    const at = this.time("datetime");
    if (at !== null) this.show(new Date(at).toLocaleTimeString([], { hour12: false }), new Date(at).toLocaleString());
  }
}

customElements.define("relative-time", RelativeTime);
customElements.define("elapsed-time", ElapsedTime);
customElements.define("clock-time", ClockTime);
setInterval(() => { if (!document.hidden) for (const element of ticking) element.update(); }, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) for (const element of ticking) element.update(); });

// The theme: what was chosen, and what the system has, both in cookies, so that the server's first answer already has the right colours.
const year = 365 * 24 * 3600;
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const remember = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=${value ? year : 0}; samesite=lax`; };
const rememberSystem = () => remember("kohakku-system", systemDark.matches ? "dark" : "light");
rememberSystem();
systemDark.addEventListener("change", rememberSystem);

/** @param choice "dark", "light", or "" to follow the system */
export function chooseTheme(choice) { remember("kohakku-theme", choice); }
export function showTheme(isDark) { document.documentElement.dataset.theme = isDark ? "dark" : "light"; }
export function systemIsDark() { return systemDark.matches; }
export function onSystemTheme(page) {
  systemDark.addEventListener("change", () => page.invokeMethodAsync("SystemThemeChanged", systemDark.matches).catch(() => { }));
}
export function setServerTime(text) { shift = Date.now() - Date.parse(text); if (Math.abs(shift) < 2000) shift = 0; }

export function reveal(id) { document.getElementById(id)?.scrollIntoView({ block: "nearest" }); }

export async function copy(text) {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text, style: "position:fixed;opacity:0" });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

// Buttons of the banners; inline handlers are not allowed by the content security policy.
for (const button of document.querySelectorAll("[data-reload]")) button.addEventListener("click", () => location.reload());
