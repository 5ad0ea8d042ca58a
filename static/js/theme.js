// Theme: [data-theme-toggle] turns light into dark and back, and remembers it in the cookie `theme`,
// which the server writes on <html> so that the next page does not flash.

const YEAR_SECONDS = 60 * 60 * 24 * 365;
const root = document.documentElement;
const night = matchMedia("(prefers-color-scheme: dark)");

function current() {
  return root.dataset.theme || (night.matches ? "dark" : "light");
}

function remember(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax${secure}`;
}

function name(button) {
  button.textContent = current() === "dark" ? "Light theme" : "Dark theme";
  button.dataset.ready = "";
}

function nameAll() {
  document.querySelectorAll("[data-theme-toggle]").forEach(name);
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const theme = current() === "dark" ? "light" : "dark";
  root.dataset.theme = theme;
  remember(theme);
  nameAll();
});
night.addEventListener("change", nameAll);
nameAll();
