// At the door the network comes and goes: a tap that was not saved says so until the next one.
const unsaved = "Not saved, tap again";

function tell(event) {
  const line = event.target.closest(".door li");
  if (!line) return;
  line.classList.add("is-unsaved");
  const words = line.querySelector(".small-print");
  words.setAttribute("role", "alert");
  words.textContent = unsaved;
}

for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(failure, tell);
}
document.addEventListener("htmx:beforeRequest", (event) => {
  const line = event.target.closest(".door li");
  if (line) line.classList.remove("is-unsaved");
});
