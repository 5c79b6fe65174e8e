/* Every text that is seen, with the contrast of its colour to what lies behind it: [ratio, text]. */
const parse = (text) => {
  const found = text.match(/[\d.]+/g).map(Number);
  return [...found.slice(0, 3), found[3] ?? 1];
};
const ofHex = (hex) => {
  const parts = hex.trim().slice(1).match(/../g).map((two) => parseInt(two, 16));
  return [...parts.slice(0, 3), (parts[3] ?? 255) / 255];
};
const over = ([r, g, b, a], back) => [r, g, b].map((part, n) => a * part + (1 - a) * back[n]);

/* relative luminance and contrast, as WCAG 2.2 defines them */
const luminance = (rgb) => {
  const [r, g, b] = rgb
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};

const chain = (one) => (one ? [one, ...chain(one.parentElement)] : []);
const behind = (one) =>
  chain(one)
    .reverse()
    .map((at) => parse(getComputedStyle(at).backgroundColor))
    .reduce((back, layer) => over(layer, back), [255, 255, 255]);
const opacity = (one) => chain(one).reduce((all, at) => all * getComputedStyle(at).opacity, 1);
const seen = (one) =>
  one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
  !one.closest(".visually-hidden, script, style, noscript");

const found = [];
const judge = (one, style, back, text) => {
  const [r, g, b, a] = parse(one.closest("svg") ? style.fill : style.color);
  found.push([ratio(over([r, g, b, a * opacity(one)], back), back), text]);
};
/* grey, where reports are still coming in, may lie behind any text of a chart */
const shade = ofHex(getComputedStyle(document.documentElement).getPropertyValue("--shade") || "#00000000");
for (const one of [...document.querySelectorAll("body *")].filter(seen)) {
  const own = [...one.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  const text = own.map((node) => node.data).join("").trim();
  const drawn = one.closest("svg");
  if (text && (!drawn || one.closest("text"))) {
    judge(one, getComputedStyle(one), behind(one), text);
    if (drawn) judge(one, getComputedStyle(one), over(shade, behind(one)), text);
  }
  if (one.placeholder) judge(one, getComputedStyle(one, "::placeholder"), behind(one), one.placeholder);
  for (const part of drawn ? [] : ["::before", "::after"]) {
    const made = getComputedStyle(one, part);
    if (["none", "normal"].includes(made.content)) continue;
    judge(one, made, over(parse(made.backgroundColor), behind(one)), made.content);
  }
}
return found;
