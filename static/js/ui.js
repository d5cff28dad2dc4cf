// Small comforts on pages that work without them. What a page writes into its HTML to have them:
//   <a data-dialog>           opens the page it leads to in the dialog; [data-close] in it closes the dialog
//   <a data-panel="id">       opens the popover of that id, filled from where the link leads
//   <input data-filter="css"> hides what does not contain what is typed; Enter follows the first that is left
//   <input data-search>       the search of the page: "/" goes there
//   <a data-go="m">           "g", then this letter, follows it
//   <a data-key-create>       "c" follows it
//   <table data-rows>         "j" and "k" walk its rows; in a row:
//     <a data-key-open>         Enter follows it (or the first a.go)
//     <… data-key-edit>         "e" clicks or focuses it
//     <input data-pick>         "x" ticks it, a shift-click ticks all between; <input data-pick-all> ticks all
//   <… data-bulk>             is shown while something is picked; [data-picked] in it says how many
//   <… data-leave="text">     a form that asks before what was typed is left behind
// None of the keys is heard while somebody types or a dialog is open.

const one = (css, from = document) => from.querySelector(css);
const all = (css, from = document) => [...from.querySelectorAll(css)];

const say = (message, level) => {
  const toast = Object.assign(document.createElement("div"), { className: `toast ${level}`, textContent: message });
  document.getElementById("toasts").append(toast);
};
const words = (name) => document.body.dataset[name] || "";

// The theme: light, dark, or as the system has it.
all("[name='theme']").forEach((choice) => { choice.checked = choice.value === document.documentElement.dataset.theme; });
document.addEventListener("change", ({ target }) => {
  if (target.name !== "theme") return;
  document.documentElement.dataset.theme = target.value;
  try { localStorage.setItem("theme", target.value); } catch { /* it lasts for this page */ }
});

// A role is saved on purpose, never by passing over it with the arrow keys.
document.addEventListener("change", ({ target }) => {
  const form = target.closest(".role");
  if (form && target.options) form.classList.toggle("changed", ![...target.options].find((option) => option.selected).defaultSelected);
});

// Copying, downloading, and forgetting what was shown once.
const copy = async (field) => {
  try { await navigator.clipboard.writeText(field.value); } catch { field.select ? field.select() : getSelection().selectAllChildren(field); document.execCommand("copy"); }
};
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-download]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy || button.dataset.download);
  if (button.dataset.copy) {
    await copy(field);
    say(words("copied"), "");
  } else {
    const file = new Blob([`${button.dataset.variable}=${field.value}\n`], { type: "text/plain" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: `${button.dataset.name}.env` });
    link.click();
    URL.revokeObjectURL(link.href);
  }
});
document.addEventListener("focusin", ({ target }) => { if (target.matches("[data-secret]")) target.select(); });
addEventListener("pagehide", () => {
  all("[data-secret]").forEach((field) => { field.value = ""; });
  all("[data-secret-text]").forEach((text) => { text.textContent = ""; });
});

// Dialogs and panels: what a link leads to, opened over the page.
const plain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
const dialog = document.getElementById("dialog");
const show = (href) => htmx.ajax("GET", href, { target: "#dialog-body", swap: "innerHTML" });
const fill = (panel, href) => {
  if (panel.dataset.filled) return;
  panel.dataset.filled = "asked";
  htmx.ajax("GET", href, { target: panel, swap: "innerHTML" }).catch(() => { delete panel.dataset.filled; });
};
const start = (inside) => one("[autofocus]", inside)?.focus();
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog], a[data-panel], a[data-palette], [data-close]");
  if (!link || !plain(event) || event.defaultPrevented) return;
  if (link.matches("[data-close]")) {
    const open = link.closest("dialog[open]");
    if (!open) return;
    event.preventDefault();
    open.close();
  } else if (link.matches("[data-panel]")) {
    const panel = document.getElementById(link.dataset.panel);
    event.preventDefault();
    panel.togglePopover();
    fill(panel, link.href);
    start(panel);
  } else if (link.matches("[data-palette]")) {
    event.preventDefault();
    search();
  } else if (dialog) {
    event.preventDefault();
    link.closest("[popover]:not(.rail)")?.hidePopover();
    show(link.href);
  }
});
["pointerenter", "focusin"].forEach((name) => document.addEventListener(name, ({ target }) => {
  const link = target.closest?.("a[data-panel]");
  if (link) fill(document.getElementById(link.dataset.panel), link.href);
}, true));
document.addEventListener("click", (event) => { if (event.target.matches?.("dialog[open]")) event.target.close(); });
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id === "dialog-body") {
    const titled = one("[data-title]", target);
    if (titled) dialog.setAttribute("aria-label", titled.dataset.title);
    if (!dialog.open) dialog.showModal();
    start(target);
  } else if (target.matches("[popover]:popover-open")) {
    start(target);
  }
});
dialog?.addEventListener("close", () => {
  document.getElementById("dialog-body").replaceChildren();
  all("form.role").forEach((form) => form.reset());
});

// Lists that are short enough to be narrowed here.
document.addEventListener("input", ({ target }) => {
  if (!target.dataset.filter) return;
  const asked = target.value.trim().toLocaleLowerCase();
  all(target.dataset.filter).forEach((each) => { each.hidden = !each.textContent.toLocaleLowerCase().includes(asked); });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.dataset?.filter) return;
  event.preventDefault();
  const first = all(event.target.dataset.filter).find((each) => !each.hidden);
  if (first) (first.matches("a") ? first : one("a", first)).click();
});

// The palette: a box to type into, and a list the arrows walk.
const palette = document.getElementById("palette");
const box = palette && one("input", palette);
const found = () => all("a[role='option']", palette);
const choose = (option) => {
  found().forEach((each) => each.setAttribute("aria-selected", each === option));
  if (option) box.setAttribute("aria-activedescendant", option.id); else box.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
};
const search = () => {
  if (!palette || palette.open) return;
  all("dialog[open]").forEach((each) => each.close());
  palette.showModal();
  box.select();
  htmx.trigger(box, "open");
};
palette?.addEventListener("keydown", (event) => {
  const options = found();
  const at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 + (at < 0 ? 1 : 0), Home: null, End: null }[event.key];
  if (typeof to === "number" && options.length) {
    event.preventDefault();
    choose(options[(to + options.length) % options.length]);
  } else if (event.key === "Enter" && options.length) {
    event.preventDefault();
    (options[at] || options[0]).click();
  } else if (event.key === "Escape") { // a search field would only empty itself
    event.preventDefault();
    palette.close();
  }
});
palette?.addEventListener("htmx:afterSettle", () => choose(found()[0]));
all(".find kbd").forEach((key) => { if (/Mac|iPhone|iPad/.test(navigator.platform)) key.textContent = "⌘ K"; });

// The rows of a table, by keyboard; and what is picked of them.
const rowsOf = () => all("[data-rows] tbody tr");
const rowNow = () => document.activeElement?.closest?.("[data-rows] tbody tr") || one("[data-rows] tr.now");
const walk = (by) => {
  const rows = rowsOf();
  if (!rows.length) return;
  const now = rows.indexOf(rowNow());
  const next = rows[now < 0 ? 0 : Math.min(Math.max(now + by, 0), rows.length - 1)];
  rows.forEach((row) => row.classList.toggle("now", row === next));
  next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
};
let lastPicked;
const follow = () => {
  const picks = all("[data-pick]");
  const picked = picks.filter((pick) => pick.checked);
  all("[data-bulk]").forEach((bar) => { bar.hidden = !picked.length; });
  all("[data-picked]").forEach((count) => { count.textContent = picked.length; });
  all("[data-pick-all]").forEach((every) => {
    every.checked = picks.length > 0 && picked.length === picks.length;
    every.indeterminate = picked.length > 0 && picked.length < picks.length;
  });
  picks.forEach((pick) => pick.closest("tr")?.classList.toggle("picked", pick.checked));
};
document.addEventListener("click", (event) => {
  const pick = event.target.closest("[data-pick]");
  if (!pick) return;
  const picks = all("[data-pick]:not(:disabled)");
  const [from, to] = [picks.indexOf(lastPicked), picks.indexOf(pick)].sort((a, b) => a - b);
  if (event.shiftKey && from >= 0) picks.slice(from, to + 1).forEach((each) => { each.checked = pick.checked; });
  lastPicked = pick;
  follow();
});
document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-pick-all]")) all("[data-pick]:not(:disabled)").forEach((pick) => { pick.checked = target.checked; });
  if (target.matches("[data-pick], [data-pick-all]")) follow();
});
follow();
addEventListener("pageshow", follow);

// The keys. Typing comes first, and a dialog has the keyboard for itself.
const KEYS = {
  "/": () => (one("main [data-search]") || one("main [type='search']"))?.focus(),
  "?": () => one("a[href$='/keyboard/']")?.click(),
  c: () => one("main [data-key-create]")?.click(),
  j: () => walk(1),
  k: () => walk(-1),
  x: () => rowNow() && one("[data-pick]", rowNow())?.click(),
  e: () => {
    const edit = one("[data-key-edit]", rowNow() || one("main") || document);
    if (edit) edit.matches("a, button") ? edit.click() : edit.focus();
  },
};
let went = 0;
const typing = ({ target }) => target.matches("input:not([type='checkbox'], [type='radio']), textarea, select, [contenteditable]");
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k" && palette) {
    event.preventDefault();
    search();
  }
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event) || one("dialog[open], .panel:popover-open")) return;
  const place = event.timeStamp - went < 1500 && one(`a[data-go="${CSS.escape(event.key)}"]`);
  went = event.key === "g" ? event.timeStamp : 0;
  if (event.key === "Enter" && event.target.matches("tr")) {
    (one("[data-key-open]", event.target) || one("a.go", event.target))?.click();
  } else if (place) {
    place.click();
  } else if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  } else if (/^Arrow(Up|Down)$/.test(event.key) && event.target.matches("[data-rows] tr")) {
    event.preventDefault();
    walk(event.key === "ArrowUp" ? -1 : 1);
  }
});

// What was typed is not left behind by mistake.
const left = new Set();
document.addEventListener("input", ({ target }) => { const form = target.closest("[data-leave]"); if (form) left.add(form); });
document.addEventListener("submit", ({ target }) => { left.delete(target); });
addEventListener("beforeunload", (event) => { if ([...left].some((form) => form.isConnected)) event.preventDefault(); });

// What is under way is said, what htmx could not do too, and the control shows again what holds.
const busy = (is) => ({ detail }) => {
  const target = detail.target;
  if (target && target !== document.body) target.toggleAttribute("aria-busy", is);
  if (is && target) target.setAttribute("aria-busy", "true");
};
document.addEventListener("htmx:beforeRequest", busy(true));
document.addEventListener("htmx:afterRequest", busy(false));
document.addEventListener("htmx:afterSwap", follow);
document.addEventListener("htmx:targetError", ({ detail }) => { if (detail.elt?.href) location.assign(detail.elt.href); });
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful && detail.elt.matches("form.role")) {
    detail.elt.reset();
    detail.elt.classList.remove("changed");
  }
});
["htmx:sendError", "htmx:timeout", "htmx:responseError"].forEach((name) => document.addEventListener(name, ({ detail }) => {
  const status = detail.xhr ? detail.xhr.status : 0;
  if (![400, 403, 409, 429].includes(status)) say(words("failed"), "error");
}));

// A table that fits may let its head stick to the top of the window; one that scrolls sideways may not.
const fits = new ResizeObserver((seen) => seen.forEach(({ target }) => {
  const scroll = target.closest(".scroll");
  scroll.classList.toggle("fits", scroll.firstElementChild.scrollWidth <= scroll.clientWidth);
}));
const watch = () => all(".scroll:has(> table), .scroll > table").forEach((box) => fits.observe(box));
watch();
document.addEventListener("htmx:afterSettle", watch);
