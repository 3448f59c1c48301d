"use strict";
// The plots: two metrics of the children that the table shows, verdicts apart by shape and colour, and the front of
// those that are a choice. A click on a child, or Enter where the arrow keys have gone, opens its report. A plot is
// drawn when it comes into view, and plotly, which lies in the page as text, runs with the first one.
(() => {
  const SYMBOLS = { rejected: "x", "not-judged": "diamond", accepted: "circle" }; // the last one drawn lies on top
  const FEW = 500; // children that get a large mark
  const MANY = 2500; // children of which some are drawn for those close to them
  const WIDE = 20; // times the least value that the greatest is on a logarithmic axis
  const GRID = 40; // cells along an axis, of which each holds a mark of a verdict
  const { columns, verdicts, value, text, changes, element, link } = sweep;
  const column = Object.fromEntries(columns.map((it) => [it.key, it]));
  const escaped = (words) => words.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

  // Children are compared by cost: a metric that is better the more it is counts as its negative.
  const cost = (row, key) => (column[key].better === "max" ? -1 : 1) * value(row, key);
  const isChoice = (row) => ["accepted", "not-judged"].includes(value(row, "verdict"));
  const front = (rows, x, y) => {
    const best = [];
    let least = Infinity; // of y, among those with less of x
    const ordered = rows.filter(isChoice).sort((a, b) => cost(a, x) - cost(b, x) || cost(a, y) - cost(b, y) || a - b);
    for (const row of ordered) {
      const last = best.at(-1);
      const equal = last !== undefined && cost(last, x) === cost(row, x) && cost(last, y) === cost(row, y);
      if (equal || cost(row, y) < least) best.push(row);
      least = Math.min(least, cost(row, y));
    }
    return best.sort((a, b) => value(a, x) - value(b, x) || a - b);
  };

  // An infinite ratio is no place on an axis: it is drawn a little above the others, and reads as what it is.
  const placed = (rows, key) => {
    const values = rows.map((row) => value(row, key));
    const isExact = (row) => text(row, key) === sweep.exact;
    const finite = values.filter((_, at) => !isExact(rows[at]));
    if (finite.length === values.length) return values;
    const top = finite.length ? Math.max(...finite) * 1.1 : 1;
    return values.map((it, at) => (isExact(rows[at]) ? top : it));
  };

  const thinned = (rows, best, x, y) => {
    if (rows.length <= MANY) return rows;
    const scales = [x, y].map((key) => {
      const values = placed(rows, key);
      const least = values.reduce((a, b) => Math.min(a, b));
      const span = values.reduce((a, b) => Math.max(a, b)) - least || 1;
      return values.map((it) => Math.floor(((it - least) / span) * GRID));
    });
    const kept = new Set(best);
    const taken = new Set();
    rows.forEach((row, at) => {
      const cell = `${scales[0][at]} ${scales[1][at]} ${value(row, "verdict")}`;
      if (!taken.has(cell)) kept.add(row);
      taken.add(cell);
    });
    return [...kept];
  };

  const said = (row, x, y) => [
    `Child ${text(row, "number")}: ${verdicts[value(row, "verdict")][1]}`,
    ...(changes(row) ? [changes(row)] : []),
    `${column[x].label}: ${text(row, x)}`,
    `${column[y].label}: ${text(row, y)}`,
  ];
  const open = (row, event) => {
    const report = column.output && value(row, "output");
    if (report && (event.ctrlKey || event.metaKey)) window.open(report);
    else if (report) window.location.assign(report);
  };

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    return (name) => style.getPropertyValue(`--${name}`).trim();
  };

  const traces = (rows, best, x, y) => {
    const colour = colours();
    const size = rows.length > FEW ? 6 : 11;
    const at = new Map(rows.map((row, index) => [row, index]));
    const [xs, ys] = [placed(rows, x), placed(rows, y)];
    const points = (some) => ({ x: some.map((row) => xs[at.get(row)]), y: some.map((row) => ys[at.get(row)]) });
    const line = {
      ...points(best),
      name: "Pareto front",
      mode: "lines+markers",
      hoverinfo: "skip",
      marker: { symbol: "circle-open", size: size + 7, color: colour("text"), line: { width: 1.5 } },
      line: { color: colour("quiet"), width: 2, dash: "dot", shape: column[x].better === "min" ? "hv" : "vh" },
    };
    const marks = Object.keys(SYMBOLS)
      .map((verdict) => [verdict, rows.filter((row) => value(row, "verdict") === verdict)])
      .filter(([, some]) => some.length)
      .map(([verdict, some]) => ({
        ...points(some),
        name: verdicts[verdict][1].replace(/^\S+ /, ""),
        mode: "markers",
        customdata: some,
        text: some.map((row) => said(row, x, y).map(escaped).join("<br>")),
        hovertemplate: "%{text}<extra></extra>",
        marker: {
          symbol: SYMBOLS[verdict],
          size,
          color: colour(verdicts[verdict][0]),
          opacity: rows.length > FEW ? 0.7 : 1,
        },
      }));
    return [...marks, line];
  };

  // A cost of which one child has many times another's: where all but one would lie on the axis.
  const isWide = (rows, key) => {
    const values = rows.map((row) => value(row, key));
    const least = values.reduce((a, b) => Math.min(a, b), Infinity);
    return column[key].better === "min" && least > 0 && values.some((it) => it > WIDE * least);
  };

  const layout = (rows, x, y) => {
    const colour = colours();
    const axis = (key) => ({
      type: isWide(rows, key) ? "log" : "linear",
      title: {
        text: escaped(`${column[key].label} (${column[key].better === "min" ? "less" : "more"} is better)`),
        standoff: 12, // without one, a title lies on the numbers beside it
      },
      gridcolor: colour("line"),
      linecolor: colour("line"),
      zeroline: false,
      automargin: true,
    });
    return {
      font: { family: "system-ui, sans-serif", size: 13, color: colour("text") },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 70, r: 15, t: 10, b: 60 },
      xaxis: axis(x),
      yaxis: axis(y),
      showlegend: true,
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", traceorder: "reversed", itemclick: false, itemdoubleclick: false },
      hovermode: "closest",
      hoverlabel: {
        align: "left",
        bgcolor: colour("panel"),
        bordercolor: colour("quiet"),
        font: { color: colour("text"), size: 13 },
      },
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
      uirevision: `${x} ${y}`,
    };
  };
  const CONFIG = {
    responsive: true,
    displaylogo: false,
    modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
  };

  const listFront = (table, best, x, y) => {
    const heads = table.tHead.rows[0].cells;
    [heads[1].textContent, heads[2].textContent] = [column[x].label, column[y].label];
    const lines = best.slice(0, sweep.frontRows).map((row) => {
      const line = document.createElement("tr");
      const name = `Child ${text(row, "number")}`;
      const report = column.output && value(row, "output");
      const head = element("th", report ? link(report, name) : name);
      head.scope = "row";
      const values = [x, y].map((key) => element("td", text(row, key), "number"));
      line.append(head, ...values, element("td", changes(row) || sweep.absent));
      return line;
    });
    const note = (words) => {
      const line = document.createElement("tr");
      const only = element("td", words);
      only.colSpan = 4;
      line.append(only);
      return line;
    };
    if (best.length > lines.length) lines.push(note(`and ${(best.length - lines.length).toLocaleString("en-US")} more`));
    table.tBodies[0].replaceChildren(...(lines.length ? lines : [note("none that was not rejected has both")]));
  };

  const library = () => {
    if (window.Plotly) return;
    const script = document.createElement("script");
    script.textContent = document.getElementById("plotly").textContent;
    document.head.append(script);
  };

  const plot = (section) => {
    const [chart, form, pointed] = [".chart", ".axes", ".pointed"].map((it) => section.querySelector(it));
    const table = section.querySelector(".front");
    let reachable = []; // what the arrow keys go through: curve and point numbers and the child, from the least x on
    let at = -1;

    const draw = () => {
      library();
      const [x, y] = [form.elements.x.value, form.elements.y.value];
      const rows = sweep.shown().filter((row) => value(row, x) !== null && value(row, y) !== null);
      const best = front(rows, x, y);
      const some = thinned(rows, best, x, y);
      const drawn = traces(some, best, x, y);
      reachable = drawn.flatMap(({ customdata = [] }, curveNumber) =>
        customdata.map((row, pointNumber) => ({ curveNumber, pointNumber, row })),
      );
      reachable.sort((a, b) => value(a.row, x) - value(b.row, x) || value(a.row, y) - value(b.row, y));
      at = -1;
      const count = (number) => number.toLocaleString("en-US");
      const label = `${column[y].label} against ${column[x].label}, ${count(rows.length)} children`;
      chart.setAttribute("aria-label", `${label}. Arrow keys go from child to child, Enter opens its report.`);
      const left = rows.length - some.length;
      pointed.textContent = left ? `${count(some.length)} marks stand for ${count(rows.length)} children.` : "";
      listFront(table, best, x, y);
      const isNew = !chart.data;
      Plotly.react(chart, drawn, layout(some, x, y), CONFIG);
      if (isNew) chart.on("plotly_click", ({ points, event }) => open(points[0].customdata, event));
    };
    const pointAt = (index) => {
      at = Math.max(0, Math.min(reachable.length - 1, index));
      const { curveNumber, pointNumber, row } = reachable[at];
      Plotly.Fx.hover(chart, [{ curveNumber, pointNumber }]);
      pointed.textContent = said(row, form.elements.x.value, form.elements.y.value).join(", ");
    };
    const steps = { ArrowRight: () => at + 1, ArrowLeft: () => at - 1, Home: () => 0, End: () => reachable.length - 1 };

    [chart, form, pointed].forEach((it) => (it.hidden = false));
    chart.tabIndex = 0;
    chart.setAttribute("role", "application");
    form.addEventListener("input", draw);
    chart.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && at >= 0) open(reachable[at].row, event);
      if (!steps[event.key] || !reachable.length) return;
      event.preventDefault();
      pointAt(steps[event.key]());
    });
    return { chart, draw };
  };

  const plots = [...document.querySelectorAll(".plot")].map(plot);
  const drawWhere = (condition) => plots.filter(({ chart }) => condition(chart)).forEach(({ draw }) => draw());
  const isDrawn = (chart) => chart.data;
  const watcher = new IntersectionObserver(
    (entries) => {
      const seen = new Set(entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => target));
      seen.forEach((chart) => watcher.unobserve(chart));
      drawWhere((chart) => seen.has(chart) && !isDrawn(chart));
    },
    { rootMargin: "50%" },
  );
  plots.forEach(({ chart }) => watcher.observe(chart));

  let waiting = 0;
  sweep.onChange(() => {
    clearTimeout(waiting);
    waiting = setTimeout(() => drawWhere(isDrawn), 150); // while somebody types, the table alone follows
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawWhere(isDrawn));
  matchMedia("print").addEventListener("change", () => drawWhere(() => true));
})();
