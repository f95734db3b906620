// A part that asks for itself again and again ([data-asks-again]) asks only while somebody looks,
// and not while they read a table in it, which would close.
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.target;
  if (!part.matches("[data-asks-again]")) return;
  if (document.hidden || part.querySelector("details[open]")) event.preventDefault();
});
