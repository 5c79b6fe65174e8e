/* Draws the charts from the numbers in #figures, in the colours of page.css. */
(() => {
  "use strict";
  const root = document.documentElement;
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const stepMs = figures.period.step_hours * 3600000;
  const dayMs = 86400000;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const column = (rows, name) => rows.map((row) => row[name]);
  const count = (value) => value.toLocaleString("en-GB");
  let onPaper = false;
  const narrow = () => !onPaper && window.innerWidth < 560;

  const BOUNDS = [1, 2, 3, 5, 10, 30, 60, 180, 600, 3600, "inf"];
  const duration = (s) => (s >= 3600 ? `${s / 3600} h` : s >= 60 ? `${s / 60} min` : `${s} s`);
  const within = (bound) => (bound === "inf" ? "over 1 h" : `≤ ${duration(bound)}`);
  /* latency is drawn by bucket number: the bounds are close to a logarithmic scale */
  const bucket = (bound) => BOUNDS.indexOf(bound);
  const most = (...columns) => Math.max(0, ...columns.flat().filter((value) => value !== null));
  const counts = (top) => (top < 5 ? { dtick: 1, tickformat: "d" } : { tickformat: top < 1000 ? ",d" : "~s" });
  const unitOf = (top) => (top >= 172800 ? [86400, "d"] : top >= 7200 ? [3600, "h"] : top >= 300 ? [60, "min"] : [1, "s"]);

  function layout(more) {
    const axis = {
      gridcolor: colour("grid"), linecolor: colour("line"), zeroline: false, fixedrange: true,
      automargin: true, tickfont: { color: colour("ink-2") },
    };
    const { xaxis, yaxis, yaxis2, ...rest } = more;
    return {
      font: { family: colour("font"), size: narrow() ? 11 : 12, color: colour("ink-2") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 44, r: 6, t: 30, b: 28 }, bargap: 0.18, dragmode: false, hovermode: "x unified",
      hoverlabel: { bgcolor: colour("surface"), bordercolor: colour("line"), font: { color: colour("ink"), size: 12 } },
      legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", itemclick: false, itemdoubleclick: false, traceorder: "normal" },
      xaxis: { ...axis, showgrid: false, nticks: narrow() ? 5 : 9, ...xaxis },
      yaxis: { ...axis, rangemode: "tozero", nticks: 5, ...yaxis },
      ...(yaxis2 ? { yaxis2: { ...axis, rangemode: "tozero", nticks: 3, ...yaxis2 } } : {}),
      ...rest,
    };
  }

  /* time axis over what is shown; a step is drawn at its middle and labelled by its start */
  function time(lengthMs) {
    return {
      type: "date", range: [figures.period.from_utc, figures.period.shown_to_utc],
      tickformatstops: [
        { dtickrange: [null, 43200000], value: "%H:%M\n%a %-d %b" },
        { dtickrange: [43200000, null], value: lengthMs > dayMs ? "%-d %b\n%Y" : "%a %-d %b" },
      ],
    };
  }
  function steps(lengthMs) {
    const pattern = lengthMs < dayMs ? "%a %-d %b, %H:%M UTC" : lengthMs > dayMs ? "week from %-d %b %Y" : "%a %-d %b %Y";
    return { xperiod: lengthMs, xperiod0: figures.period.from_utc, xperiodalignment: "middle", xhoverformat: pattern };
  }

  /* runs of rows without a gap */
  function stretches(rows, name) {
    const runs = [[]];
    for (const row of rows) {
      if (row[name] === null) runs.push([]);
      else runs[runs.length - 1].push(row);
    }
    return runs.filter((stretch) => stretch.length);
  }

  function band(rows) {
    const middle = (row) => new Date(Date.parse(row.at_utc) + stepMs / 2).toISOString();
    return stretches(rows, "rate").map((stretch) => ({
      type: "scatter", mode: "lines", fill: "toself", fillcolor: colour("band"), hoverinfo: "skip", showlegend: false,
      line: stretch.length > 1 ? { width: 0 } : { width: 6, color: colour("band") },
      x: [...stretch.map(middle), ...stretch.map(middle).reverse()],
      y: [...column(stretch, "high"), ...column(stretch, "low").reverse()],
    }));
  }

  /* the axis fits steps with enough messages; the band of a few may exceed it */
  function rateRange(rows) {
    const known = rows.filter((row) => row.rate !== null);
    const firm = known.filter((row) => row.high - row.low < 0.25);
    const rates = (firm.length ? firm : known).flatMap((row) => [row.rate, row.low, row.provisional ? 1 : row.delivery_rate ?? 1]);
    const least = Math.min(1, ...rates);
    const pad = Math.max((1 - least) * 0.08, 0.002);
    return [Math.max(0, least - pad), 1 + pad / 3];
  }

  function delivery() {
    const rows = figures.delivery;
    const range = rateRange(rows);
    const digits = range[1] - range[0] < 0.04 ? 1 : 0;
    const settled = rows.filter((row) => !row.provisional);
    const open = rows.filter((row) => row.provisional);
    const line = (name, shown, dash) => ({
      type: "scatter", mode: rows.length > 40 ? "lines" : "lines+markers", name, ...steps(stepMs),
      x: column(shown, "at_utc"), y: column(shown, "rate"),
      showlegend: dash === "solid", line: { color: colour("accent"), width: 2, dash }, marker: { size: 5 },
      customdata: shown.map((row) => [row.low, row.high]),
      hovertemplate: "%{y:.2%} <i>(%{customdata[0]:.2%} to %{customdata[1]:.2%})</i><extra>delivered</extra>",
    });
    const bars = (name, key, fill) => ({
      type: "bar", name, ...steps(stepMs), x: column(rows, "at_utc"), y: column(rows, key), yaxis: "y2", width: 0.82 * stepMs,
      marker: { color: colour(fill) }, hovertemplate: `%{y:,}<extra>${name}</extra>`, showlegend: false,
    });
    const traces = [...band(rows), line("of reported", settled, "solid")];
    if (open.length) traces.push(line("provisional", [...settled.slice(-1), ...open], "dot"));
    const withSends = rows.some((row) => row.delivery_rate !== null);
    if (withSends) traces.push(ofSent(settled, "solid"), ofSent([...settled.slice(-1), ...open], "dot"));
    traces.push(bars("messages delivered", "delivered", "soft"), bars("messages failed", "failed", "c4"));
    return [traces, layout({
      barmode: "stack", xaxis: { ...time(stepMs), anchor: "y2" }, showlegend: withSends,
      margin: { l: 44, r: 6, t: 30, b: 28 }, yaxis: { domain: [0.34, 1], tickformat: `.${digits}%`, range },
      yaxis2: { domain: [0, 0.24], ...counts(most(column(rows, "reports"))) },
      shapes: open.length ? [shade(open[0].at_utc)] : [],
      annotations: [caption("messages", 0.245), ...(open.length ? [coming()] : [])],
    })];
  }
  const ofSent = (rows, dash) => ({
    type: "scatter", mode: "lines", name: "of sent", showlegend: dash === "solid", ...steps(stepMs),
    x: column(rows, "at_utc"), y: column(rows, "delivery_rate"), customdata: column(rows, "sent"),
    line: { color: colour("c2"), width: 2, dash }, hovertemplate: "%{y:.2%} <i>of %{customdata:,} sent</i><extra>of sent</extra>",
  });
  const shade = (from) => ({
    type: "rect", xref: "x", yref: "paper", x0: from, x1: figures.period.shown_to_utc, y0: 0, y1: 1,
    fillcolor: colour("shade"), line: { width: 0 }, layer: "below",
  });
  const coming = () => ({
    text: "provisional", xref: "x", yref: "paper", x: figures.period.shown_to_utc, y: 0.345, xanchor: "right", yanchor: "bottom",
    showarrow: false, font: { size: 11, color: colour("ink-2") },
  });
  const caption = (text, y) => ({
    text, xref: "paper", yref: "paper", x: 0, y, xanchor: "left", yanchor: "bottom", showarrow: false,
    font: { size: 11, color: colour("ink-2") },
  });

  const MOST = 6;
  const named = [...new Set(column(figures.causes, "category"))];
  const categoryColour = (name) => {
    const place = named.indexOf(name);
    return colour(place >= 0 && place < MOST ? `c${place + 1}` : "c7");
  };
  function failures() {
    const lengthMs = Math.max(stepMs, dayMs);
    const instants = [...new Set(column(figures.failures, "at_utc"))].sort();
    const shown = named.length > MOST ? [...named.slice(0, MOST), null] : named;
    const traces = shown.map((name) => {
      const sums = new Map();
      for (const row of figures.failures) {
        const here = name === null ? named.indexOf(row.category) >= MOST : row.category === name;
        if (here) sums.set(row.at_utc, (sums.get(row.at_utc) || 0) + row.failures);
      }
      const label = name === null ? "other" : name.replaceAll("_", " ");
      return {
        type: "bar", name: label, ...steps(lengthMs), x: instants, y: instants.map((at) => sums.get(at) || 0),
        marker: { color: name === null ? colour("c7") : categoryColour(name) }, hovertemplate: `%{y:,}<extra>${label}</extra>`,
      };
    });
    return [traces, layout({ barmode: "stack", showlegend: false, xaxis: { ...time(lengthMs), range: undefined }, margin: { l: 44, r: 6, t: 8, b: 28 }, yaxis: counts(most(instants.map((at) => traces.reduce((sum, trace) => sum + trace.y[instants.indexOf(at)], 0)))) })];
  }

  const interval = document.querySelector("main").dataset.interval;
  function latency() {
    const rows = figures.latency.filter((row) => row.interval === interval);
    const traces = [["median", "p50_s", "c1", "solid"], ["95 %", "p95_s", "c2", "solid"], ["99 %", "p99_s", "c5", "solid"]].map(
      ([name, key, fill, dash]) => ({
        type: "scatter", mode: "lines+markers", name, ...steps(stepMs), x: column(rows, "at_utc"),
        y: column(rows, key).map(bucket), customdata: column(rows, key).map(within),
        line: { color: colour(fill), width: 2, dash, shape: "hvh" }, marker: { size: rows.length > 40 ? 3 : 5 },
        hovertemplate: `%{customdata}<extra>${name}</extra>`,
      }),
    );
    const top = Math.max(6, ...rows.map((row) => bucket(row.p99_s)));
    return [traces, layout({
      xaxis: time(stepMs),
      yaxis: { tickvals: BOUNDS.map(bucket), ticktext: BOUNDS.map((bound) => (bound === "inf" ? "over" : duration(bound))), range: [-0.3, top + 0.3] },
    })];
  }

  function distribution() {
    const rows = new Map(figures.distribution.filter((row) => row.interval === interval).map((row) => [row.upper_bound_s, row]));
    const names = BOUNDS.map((bound) => (bound === "inf" ? "over" : `≤ ${duration(bound)}`));
    const trace = {
      type: "bar", orientation: "h", y: names, x: BOUNDS.map((bound) => rows.get(bound)?.share || 0),
      customdata: BOUNDS.map((bound) => count(rows.get(bound)?.n || 0)),
      text: BOUNDS.map((bound) => rows.get(bound)?.share).map((share) => (share === undefined ? "" : share < 0.001 ? "<0.1 %" : `${(100 * share).toFixed(1)} %`)),
      textposition: "outside", cliponaxis: false, textfont: { color: colour("ink-2"), size: 11 },
      marker: { color: colour("c1") }, hovertemplate: "%{customdata} messages, %{x:.2%}<extra></extra>",
    };
    const longest = Math.max(...trace.x);
    return [[trace], layout({
      hovermode: "closest", margin: { l: 60, r: 12, t: 8, b: 12 }, bargap: 0.3,
      xaxis: { showticklabels: false, range: [0, longest * 1.22] },
      yaxis: { type: "category", autorange: "reversed", nticks: 11, rangemode: "normal" },
    })];
  }

  function feed() {
    const rows = figures.health;
    const bars = ["accepted", "duplicates", "conflicts", "rejected"].map((key, place) => ({
      type: "bar", name: key === "accepted" ? "new messages" : key, ...steps(stepMs), x: column(rows, "at_utc"), y: column(rows, key), width: 0.82 * stepMs,
      marker: { color: colour(["soft", "c2", "c5", "c4"][place]) }, hovertemplate: "%{y:,}",
    }));
    const seconds = column(rows, "worst_p95_report_lag_s");
    const [size, unit] = unitOf(most(seconds));
    const lag = seconds.map((value) => (value === null ? null : value / size));
    const line = {
      type: "scatter", mode: rows.length > 40 ? "lines" : "lines+markers", name: "95 % lag", ...steps(stepMs), x: column(rows, "at_utc"), y: lag, yaxis: "y2",
      line: { color: colour("c1"), width: 2 }, marker: { size: 5 }, customdata: seconds, hovertemplate: "%{customdata:,.1f} s", showlegend: false, connectgaps: false,
    };
    return [[...bars, line], layout({
      barmode: "stack", xaxis: { ...time(stepMs), anchor: "y2" },
      yaxis: { domain: [0.44, 1], ...counts(most(column(rows, "records"))) }, yaxis2: { domain: [0, 0.28], ticksuffix: ` ${unit}` },
      annotations: [caption("95 % report lag, worst hour", 0.285)],
    })];
  }

  /* the paper's size is unknown before printing: charts are drawn at a fixed size and scaled to it */
  function paperSize(place) {
    return onPaper ? { width: 700, height: place.classList.contains("tall") ? 330 : 260 } : {};
  }
  function fit(place) {
    const { width, height } = paperSize(place);
    for (const svg of place.querySelectorAll(".main-svg")) {
      if (onPaper) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      else svg.removeAttribute("viewBox");
    }
  }

  const CHARTS = { delivery, failures, latency, distribution, feed };
  async function draw(write = Plotly.react) {
    const config = { displayModeBar: false, responsive: true, showTips: false };
    for (const [name, make] of Object.entries(CHARTS)) {
      const place = document.getElementById(`chart-${name}`);
      if (!place) continue;
      const [traces, plan] = make();
      await write(place, traces, { ...plan, ...paperSize(place) }, config);
      fit(place);
    }
    for (const swatch of document.querySelectorAll(".swatch")) swatch.style.background = categoryColour(swatch.dataset.category);
    root.dataset.drawn = colour("page");
  }
  const opened = new Set();
  const paper = (on) => () => {
    onPaper = on;
    root.classList.toggle("light", on);
    for (const rows of document.querySelectorAll(on ? ".more:not([open])" : ".more")) {
      if (on) opened.add(rows);
      if (opened.has(rows)) rows.open = on;
    }
    if (!on) opened.clear();
    draw(Plotly.newPlot); /* react would keep the legend of the other width */
  };
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  window.addEventListener("beforeprint", paper(true));
  window.addEventListener("afterprint", paper(false));
  draw();
})();
