// Copy: a button [data-copy] copies its attribute's text, or, when that is empty, the text of the
// element before it. Buttons show themselves only where copying is possible.

const SHOWN_MS = 1600;

function text(button) {
  return button.dataset.copy || button.previousElementSibling?.textContent.trim() || "";
}

function say(button, word) {
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  button.textContent = word;
  clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = String(setTimeout(() => { button.textContent = label; }, SHOWN_MS));
}

function ready() {
  if (!navigator.clipboard) return;
  document.querySelectorAll("[data-copy]").forEach((button) => { button.dataset.ready = ""; });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(text(button));
    say(button, "Copied");
  } catch {
    say(button, "Not copied");
  }
});
document.addEventListener("live:swapped", ready);
ready();
