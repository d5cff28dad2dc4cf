// Filling in a key's permissions, and the one page that shows its secret. Both pages work without this.

const form = document.querySelector("[data-key-form]");

// A preset fills the table in; whoever then changes the table has made a choice of their own.
const READING = new Set(["list", "read", "copy", "render"]);
const WANTED = {
  default: (level, feature, cell) => "default" in cell.dataset,
  all: (level) => level === "delete" || level === "enabled",
  read: (level, feature) => (feature === "completions" ? level === "disabled" : level === "read" || level === "enabled"),
};
const fill = (preset) => {
  const wanted = WANTED[preset];
  if (!wanted) return;
  form.querySelectorAll("[data-level]").forEach((cell) => {
    if (cell.dataset.level && wanted(cell.value, cell.dataset.level, cell)) check(cell);
  });
  form.querySelectorAll("[name='more']:not(:disabled)").forEach((box) => {
    box.checked = preset === "all" || (preset === "read" && READING.has(box.dataset.verb));
  });
};
// Where the level itself is shut, the highest below it that is open.
const check = (cell) => {
  const cells = [...form.querySelectorAll(`[name='${cell.name}']:not([value='kept'])`)];
  const upto = cells.slice(0, cells.indexOf(cell) + 1).filter((each) => !each.disabled);
  if (upto.length) upto[upto.length - 1].checked = true;
};
form?.addEventListener("change", ({ target }) => {
  if (target.dataset.preset) fill(target.dataset.preset);
  else if (target.dataset.level || target.name === "more") form.querySelector("[data-preset='custom']").checked = true;
  if (target.dataset.preset || target.dataset.level || target.name === "more") exact(false);
});
// Typing in the list of scopes uses it; choosing in the table does not.
const exact = (used) => {
  const box = form.querySelector("[data-use-exact]");
  if (box) box.checked = used;
};
form?.addEventListener("input", ({ target }) => { if ("exact" in target.dataset) exact(true); });

// An answer about a form that has been changed since is not shown: the next one is on its way.
let changes = 0;
let asked = 0;
form?.addEventListener("change", () => { changes += 1; });
form?.addEventListener("htmx:beforeRequest", () => { asked = changes; });
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "draft" && asked !== changes) event.detail.shouldSwap = false;
});

// The secret: selected when the page opens, and not left behind by mistake.
const shown = document.querySelector("[data-shown-once]");
if (shown) {
  const stored = shown.querySelector("[data-stored]");
  const done = shown.querySelector("[data-done]");
  const follow = () => { done.disabled = !stored.checked; };
  stored.addEventListener("change", follow);
  follow();
  shown.querySelector("[data-secret]").focus();
  addEventListener("beforeunload", (event) => { if (!stored.checked) event.preventDefault(); });
}
