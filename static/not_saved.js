// A tap that was not saved says so in its card, in the words of [data-not-saved], until the next one.
function card(event) {
  return event.target.closest("[data-not-saved] > li");
}

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    const where = card(event);
    if (!where) return;
    const words = document.createElement("p");
    words.className = "field-error";
    words.setAttribute("role", "alert");
    words.textContent = where.parentElement.dataset.notSaved;
    where.append(words);
  });
}
document.addEventListener("htmx:beforeRequest", (event) => {
  card(event)?.querySelector("[role=alert]")?.remove();
});
