// Keys: `/` goes to the search field; on rows of a [data-queue] table `j` and `k` move from
// row to row by focusing the row's first link, which `enter` opens as any link. Keys typed into a
// field, or with a modifier, are left alone.

const TYPING = "input, textarea, select, [contenteditable]";

function visible(element) {
  return element.getClientRects().length > 0;
}

function search() {
  const field = [...document.querySelectorAll("[data-search]")].find(visible);
  field?.focus();
  field?.select();
  return Boolean(field);
}

function rows() {
  return [...document.querySelectorAll("[data-queue] tbody tr")].filter((row) => row.querySelector("a[href]"));
}

// Focus marks the place: it is announced, and a swap by live.js keeps it.
function link(row) {
  return row.querySelector("a[href]");
}

function move(by) {
  const all = rows();
  if (all.length === 0) return false;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  link(all[next]).focus();
  all[next].scrollIntoView({ block: "nearest" });
  return true;
}

const ACTIONS = { "/": search, j: () => move(1), k: () => move(-1) };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.(TYPING)) return;
  if (ACTIONS[event.key]?.()) event.preventDefault();
});
