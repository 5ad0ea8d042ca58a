// Drop: [data-drop] holds a text area and takes a text file, dropped or chosen, into it.
// data-drop names the accepted endings (".ionapi,.json"); data-max the most bytes.
// The file never leaves the browser except as the text area's content.

const MAX_BYTES = 65536;

function refusal(zone, file) {
  const endings = zone.dataset.drop.split(",").filter(Boolean);
  const max = Number(zone.dataset.max || MAX_BYTES);
  if (endings.length > 0 && !endings.some((ending) => file.name.toLowerCase().endsWith(ending.trim()))) {
    return `“${file.name}” is not a ${endings.join(" or ")} file.`;
  }
  if (file.size > max) return `“${file.name}” is larger than ${Math.floor(max / 1024)} KiB.`;
  return "";
}

function note(zone, words) {
  zone.querySelector("[data-drop-note]").textContent = words;
}

async function take(zone, file) {
  const no = refusal(zone, file);
  if (no) return note(zone, no);
  try {
    const area = zone.querySelector("textarea");
    area.value = await file.text();
    area.dispatchEvent(new Event("input", { bubbles: true }));
    note(zone, `Read “${file.name}”.`);
  } catch {
    note(zone, `“${file.name}” could not be read.`);
  }
}

function attach(zone) {
  const chooser = document.createElement("input");
  chooser.type = "file";
  chooser.accept = zone.dataset.drop;
  chooser.addEventListener("change", () => {
    if (chooser.files[0]) take(zone, chooser.files[0]);
    chooser.value = "";
  });
  zone.querySelector(".drop-choose")?.addEventListener("click", () => chooser.click());
  zone.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    zone.dataset.over = "";
  });
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) delete zone.dataset.over;
  });
  zone.addEventListener("drop", (event) => {
    delete zone.dataset.over;
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    take(zone, file);
  });
  zone.dataset.ready = "";
}

document.querySelectorAll("[data-drop]").forEach(attach);
