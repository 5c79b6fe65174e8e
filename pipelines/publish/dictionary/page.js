/* Filters tables and columns as the reader types. */
const box = document.querySelector("input"), none = document.getElementById("none");
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = text => words.every(word => text.toLowerCase().includes(word));
  let shown = 0;
  for (const table of document.querySelectorAll("section")) {
    const head = fits(table.querySelector("div").textContent);
    const rows = [...table.querySelectorAll("tbody tr")];
    for (const row of rows) row.hidden = !head && !fits(table.id + " " + row.textContent);
    table.hidden = !head && rows.every(row => row.hidden);
    shown += !table.hidden;
  }
  none.hidden = shown > 0;
});
