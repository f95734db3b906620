// A part that asks for itself again and again ([data-asks-again]) asks only while somebody looks.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.matches("[data-asks-again]")) event.preventDefault();
});
