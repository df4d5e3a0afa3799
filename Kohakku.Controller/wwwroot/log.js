// A task's log, read straight from the API as it is written, into as many lines as a page bears. Nothing of it goes through the circuit.

const maxLines = 5000;
const followingWithin = 40; // pixels from the end that still count as the end
const hiddenFor = 30000; // a browser has few connections to one host; a page that nobody sees gives its own back

export function open(box, options) { return new LogView(box, options); }

class LogView {
  constructor(box, { url, label }) {
    this.box = box;
    this.url = url;
    this.label = label;
    this.following = true;
    this.open = null;     // the element of a line that has no end yet
    this.openText = "";
    this.dropped = 0;
    this.lines = 0;
    this.pending = "";
    this.stopped = false;
    this.onScroll = () => this.setFollowing(box.scrollHeight - box.scrollTop - box.clientHeight < followingWithin, false);
    box.addEventListener("scroll", this.onScroll, { passive: true });
    this.onVisibility = () => this.rest();
    document.addEventListener("visibilitychange", this.onVisibility);
    this.run();
  }

  async run() {
    let pause = 500;
    while (!this.stopped) {
      this.abort = new AbortController();
      try {
        const answer = await fetch(this.url, { signal: this.abort.signal, headers: { accept: "text/plain" } });
        if (answer.status === 404) return this.say("No log is kept of this attempt.");
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        this.clear();
        this.say("");
        pause = 500;
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          this.take(value);
        }
        this.flush();
        this.ended = true;
        return this.say(this.lines === 0 ? "The agent wrote nothing." : "");
      } catch (fault) {
        if (this.stopped || this.resting) return;
        this.say(`The log was cut off (${fault.message}); reading it again…`);
        await new Promise(done => setTimeout(done, pause));
        pause = Math.min(pause * 2, 10000);
      }
    }
  }

  // Text comes in pieces; the page is changed once per frame.
  take(text) {
    this.pending += text;
    if (this.scheduled) return;
    this.scheduled = true;
    // A hidden tab has no frames.
    const next = document.hidden ? done => setTimeout(done, 100) : requestAnimationFrame;
    next(() => this.flush());
  }

  flush() {
    this.scheduled = false;
    if (this.pending.length === 0) return;
    let parts = this.pending.split("\n");
    this.pending = "";
    if (parts.length > maxLines + 1) {
      this.dropped += parts.length - maxLines - 1;
      parts = parts.slice(-maxLines - 1);
      this.open = null;
    }
    const fragment = document.createDocumentFragment();
    parts.forEach((part, index) => {
      if (this.open === null) {
        if (index === parts.length - 1 && part === "") return;
        this.open = document.createElement("div");
        this.openText = "";
        fragment.append(this.open);
        this.lines++;
      }
      this.openText += part;
      this.open.textContent = cleaned(this.openText) || "\u200b";
      if (index < parts.length - 1) this.open = null;
    });
    this.box.append(fragment);
    this.trim();
    if (this.following) this.box.scrollTop = this.box.scrollHeight;
  }

  trim() {
    const surplus = this.box.childElementCount - maxLines;
    for (let i = 0; i < surplus; i++) this.box.firstElementChild.remove();
    if (surplus > 0) this.dropped += surplus;
    if (this.dropped > 0) this.box.dataset.dropped = `${this.dropped.toLocaleString()} earlier lines are in the download`;
  }

  clear() {
    this.box.replaceChildren();
    delete this.box.dataset.dropped;
    this.open = null;
    this.lines = this.dropped = 0;
    this.pending = "";
  }

  say(text) { this.label.textContent = text; }

  setFollowing(value, jump = true) {
    this.following = value;
    this.box.dataset.following = value;
    if (value && jump) this.box.scrollTop = this.box.scrollHeight;
  }

  rest() {
    clearTimeout(this.timer);
    if (document.hidden && !this.ended) this.timer = setTimeout(() => { this.resting = true; this.abort?.abort(); }, hiddenFor);
    else if (this.resting) { this.resting = false; this.run(); }
  }

  follow() { this.setFollowing(true); }

  close() {
    this.stopped = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.abort?.abort();
    this.box.removeEventListener("scroll", this.onScroll);
  }
}

// Terminals' colours and cursor moves say nothing here; a line that was drawn over shows its last state.
function cleaned(line) {
  const text = line.replace(/\x1b\[[0-9;?]*[ -\/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[@-_]/g, "").replace(/\r+$/, "");
  return text.slice(text.lastIndexOf("\r") + 1);
}
