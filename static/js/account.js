// The time zone of the browser, offered beside the field and never chosen for anybody.
const field = document.querySelector("[data-zone]");
const offer = document.getElementById("zone-offer");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
const option = field && [...field.options].find((each) => each.value === here);

if (offer && option && field.value !== here) {
  offer.querySelector("[data-offered]").textContent = option.textContent;
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", () => {
    field.value = here;
    offer.hidden = true;
    field.focus();
  });
}
