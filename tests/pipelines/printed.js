/* What is on paper, measured while it is printed: where charts lie, what is cut off or outside. */
window.printed = null;
const box = (one) => {
  const { left, top, right, bottom } = one.getBoundingClientRect();
  return [left, top, right, bottom].map(Math.round);
};
const seen = (one) =>
  one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
  !one.closest(".visually-hidden");
const names = (elements) => elements.map((one) => one.outerHTML.slice(0, 200));

matchMedia("print").addEventListener("change", ({ matches }) => {
  if (!matches) return;
  const width = document.documentElement.clientWidth;
  const all = [...document.querySelectorAll("body *")].filter(seen);
  const clips = (one) =>
    getComputedStyle(one).overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1;
  window.printed = {
    width,
    cut: names(all.filter((one) => !one.closest("svg") && clips(one))),
    outside: names(all.filter((one) => !one.closest(".chart") && box(one)[2] > width + 1)),
    codes: all.filter((one) => one.matches(".codes code")).map((one) => one.textContent),
    background: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    charts: Object.fromEntries(
      [...document.querySelectorAll(".chart")].map((chart) => [
        chart.id,
        {
          box: box(chart),
          panel: box(chart.closest(".panel")),
          shapes: [...chart.querySelectorAll(".trace path, text")].filter(seen).map(box),
          fills: [...chart.querySelectorAll("text")].map((one) => getComputedStyle(one).fill),
        },
      ]),
    ),
  };
});
