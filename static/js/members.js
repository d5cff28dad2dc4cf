// The workspaces of somebody open under the pointer and for the keyboard; a click opens them too, without this.
const peek = (event) => {
  const more = event.target.closest?.("[data-peek]");
  const list = more && document.getElementById(more.getAttribute("popovertarget"));
  if (!list || event.pointerType === "touch" || list.matches(":popover-open")) return;
  more.click();
};
const leave = (event) => {
  const list = document.querySelector(".peek:popover-open");
  const to = event.relatedTarget;
  if (!list || !to || list.contains(to) || to.closest?.(`[popovertarget="${list.id}"]`)) return;
  list.hidePopover();
};
["pointerover", "focusin"].forEach((name) => document.addEventListener(name, peek));
["pointerout", "focusout"].forEach((name) => document.addEventListener(name, leave));
