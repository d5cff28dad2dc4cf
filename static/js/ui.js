// Small comforts on pages that work without them.

const say = (message, level) => {
  const toast = Object.assign(document.createElement("div"), { className: `toast ${level}`, textContent: message });
  document.getElementById("toasts").append(toast);
};

// The theme: light, dark, or as the system has it.
const themes = document.querySelectorAll("[name='theme']");
themes.forEach((choice) => { choice.checked = choice.value === document.documentElement.dataset.theme; });
document.addEventListener("change", (event) => {
  if (event.target.name !== "theme") return;
  document.documentElement.dataset.theme = event.target.value;
  try { localStorage.setItem("theme", event.target.value); } catch { /* it lasts for this page */ }
});

// A role is saved on purpose, never by passing over it with the arrow keys.
document.addEventListener("change", (event) => {
  const form = event.target.closest(".role");
  if (form) form.classList.toggle("changed", ![...event.target.options].find((option) => option.selected).defaultSelected);
});

// Copying, downloading, and forgetting what was shown once.
const copy = async (field) => {
  try { await navigator.clipboard.writeText(field.value); } catch { field.select(); document.execCommand("copy"); }
};
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-download]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy || button.dataset.download);
  if (button.dataset.copy) {
    await copy(field);
    say("Copied.", "");
  } else {
    const file = new Blob([`${button.dataset.variable}=${field.value}\n`], { type: "text/plain" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: `${button.dataset.name}.env` });
    link.click();
    URL.revokeObjectURL(link.href);
  }
});
document.addEventListener("focusin", (event) => { if (event.target.matches("[data-secret]")) event.target.select(); });
addEventListener("pagehide", () => {
  document.querySelectorAll("[data-secret]").forEach((field) => { field.value = ""; });
  document.querySelectorAll("[data-secret-text]").forEach((text) => { text.textContent = ""; });
});

// What htmx could not do is said, and the control shows again what holds.
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful && event.detail.elt.matches("form.role")) {
    event.detail.elt.reset();
    event.detail.elt.classList.remove("changed");
  }
});
["htmx:sendError", "htmx:timeout", "htmx:responseError"].forEach((name) => document.addEventListener(name, (event) => {
  const status = event.detail.xhr ? event.detail.xhr.status : 0;
  if (![400, 403, 409].includes(status)) say("That did not work. Reload the page and try again.", "error");
}));
