// Links that are shown once, all of them together: into the clipboard, or into a file that never leaves this computer.

// A sheet takes a cell that begins so for a formula.
const cell = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-links]");
  if (!button) return;
  const rows = [...document.querySelectorAll("[data-secret][data-address]")].map((field) => [field.dataset.address, field.value]);
  if (button.dataset.links === "csv") {
    const file = new Blob(["\ufeff", rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("")], { type: "text/csv" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: button.dataset.name });
    link.click();
    URL.revokeObjectURL(link.href);
    return;
  }
  const copied = Object.assign(document.createElement("textarea"), { value: rows.map((row) => row.join("\t")).join("\n") });
  try { await navigator.clipboard.writeText(copied.value); } catch {
    document.body.append(copied);
    copied.select();
    document.execCommand("copy");
    copied.remove();
  }
  const label = button.lastChild;
  const before = label.textContent;
  label.textContent = `${before} ✓`;
  setTimeout(() => { label.textContent = before; }, 2000);
});
