// Live: an element [data-live-source="/runs/1/events"] names a stream of server-sent events. On each
// message `changed` (event name or data) the page is fetched again and every element [data-live] with
// an id is replaced by its namesake. Focus, scroll, open details and typed text survive; a failed
// fetch changes nothing; once the fetched page names no stream, listening ends.

const PAUSE_MS = 400;
let stream = null;
let busy = false;
let again = false;

function typing(element) {
  return element.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
}

function openDetails(element) {
  return [...element.querySelectorAll("details[id][open]")].map((each) => each.id);
}

function focusedPlace(element) {
  const active = document.activeElement;
  if (!active || !element.contains(active)) return null;
  if (active.id) return `#${CSS.escape(active.id)}`;
  const href = active.getAttribute("href");
  return href ? `#${CSS.escape(element.id)} a[href="${CSS.escape(href)}"]` : null;
}

function swap(old, fresh) {
  if (old.isEqualNode(fresh) || typing(old)) return;
  const open = openDetails(old);
  const focus = focusedPlace(old);
  const scroll = old.scrollLeft;
  old.replaceWith(fresh);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  fresh.scrollLeft = scroll;
  if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
}

async function page() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function refresh() {
  const fresh = await page();
  if (!fresh) return;
  for (const old of document.querySelectorAll("[data-live][id]")) {
    const next = fresh.getElementById(old.id);
    if (next) swap(old, document.importNode(next, true));
  }
  document.dispatchEvent(new Event("live:swapped"));
  const wanted = fresh.querySelector("[data-live-source]");
  if (!wanted) close();
}

// One fetch at a time; messages that arrive meanwhile cause exactly one more.
async function changed() {
  again = true;
  if (busy) return;
  busy = true;
  while (again) {
    again = false;
    try { await refresh(); } catch { /* the next message tries again */ }
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
  busy = false;
}

function close() {
  stream?.close();
  stream = null;
}

function listen() {
  const source = document.querySelector("[data-live-source]")?.dataset.liveSource;
  if (!source || stream || !("EventSource" in window)) return;
  stream = new EventSource(source);
  stream.addEventListener("changed", changed);
  stream.addEventListener("message", (event) => { if (event.data === "changed") changed(); });
}

addEventListener("pagehide", close);
addEventListener("pageshow", listen);
