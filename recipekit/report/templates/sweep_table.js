"use strict";
// The table: sorted by any column, filtered by words and verdicts, a page of rows at a time. What is shown is the
// page's one state; whoever else shows children is told when it changes.
const sweep = (() => {
  const PAGE = 100;
  const find = (id) => document.getElementById(id);
  const { columns, rows, verdicts, words, exactDecibels, frontRows } = JSON.parse(find("children").textContent);
  const place = Object.fromEntries(columns.map((column, at) => [column.key, at]));
  const formats = columns.map(
    ({ decimals }) =>
      new Intl.NumberFormat("en-US", {
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
        roundingMode: "halfEven",
      }),
  );
  const value = (row, key) => rows[row][place[key]];

  const read = (at, cell) => {
    const { kind } = columns[at];
    if (cell === null || cell === undefined) return words.absent;
    if (kind === "verdict") return verdicts[cell][1];
    if (kind === "front") return words.front;
    if (kind === "child") return String(cell);
    if (kind === "list") return cell.join(", ");
    if (kind === "link") return decodeURIComponent(cell.split("/").at(-2));
    if (kind === "decibels" && cell >= exactDecibels) return words.exact;
    return typeof cell === "number" ? formats[at].format(cell) : cell;
  };
  const text = (row, key) => read(place[key], value(row, key));
  const changes = (row) =>
    columns
      .filter(({ kind, key }) => kind === "setting" && value(row, key) !== null)
      .map(({ key, label }) => `${label}=${value(row, key)}`)
      .join(", ");
  const element = (tag, content, style = "") => {
    const made = document.createElement(tag);
    if (style) made.className = style;
    made.append(content);
    return made;
  };
  const link = (address, content) => {
    const made = element("a", content);
    made.href = address;
    return made;
  };

  const cell = (row, at) => {
    const { kind, numeric } = columns[at];
    const content = read(at, rows[row][at]);
    if (at === 0) {
      const head = element("th", content, "number");
      head.scope = "row";
      return head;
    }
    if (kind === "verdict") return element("td", content, `verdict ${verdicts[rows[row][at]][0]}`);
    if (kind === "link" && rows[row][at]) return element("td", link(rows[row][at], content));
    return element("td", content, numeric ? "number" : kind);
  };

  const order = { key: "number", ascending: true };
  const state = { sought: [], verdicts: new Set(rows.map((_, row) => value(row, "verdict"))), best: false, page: 0 };
  const collator = new Intl.Collator("en", { numeric: true });
  let haystacks = null;
  let shown = rows.map((_, row) => row);
  const listeners = [];

  const matches = (row) => {
    if (!state.verdicts.has(value(row, "verdict")) || (state.best && !value(row, "pareto"))) return false;
    if (!state.sought.length) return true;
    haystacks ??= rows.map((cells) => cells.map((it, at) => read(at, it)).join("\n").toLowerCase());
    return state.sought.every((word) => haystacks[row].includes(word));
  };

  const sorted = (found) => {
    const at = place[order.key];
    const { numeric, kind } = columns[at];
    const key = numeric ? Number : (it) => read(at, it);
    const ranks = Object.keys(verdicts);
    const keys = new Map(
      found.map((row) => [row, kind === "verdict" ? ranks.indexOf(rows[row][at]) : key(rows[row][at])]),
    );
    const compare = numeric || kind === "verdict" ? (a, b) => a - b : collator.compare;
    const sign = order.ascending ? 1 : -1;
    const absent = (row) => rows[row][at] === null;
    return found.sort((a, b) => absent(a) - absent(b) || sign * compare(keys.get(a), keys.get(b)) || a - b);
  };

  const draw = () => {
    const first = state.page * PAGE;
    const part = shown.slice(first, first + PAGE);
    const body = document.createDocumentFragment();
    for (const row of part) {
      const line = document.createElement("tr");
      line.append(...columns.map((_, at) => cell(row, at)));
      body.append(line);
    }
    find("rows").tBodies[0].replaceChildren(body);
    const count = (number) => number.toLocaleString("en-US");
    const range = part.length < shown.length ? `${count(first + 1)} to ${count(first + part.length)} of ` : "";
    const rest = shown.length < rows.length ? ` (of ${count(rows.length)})` : "";
    find("shown").textContent = `Shown: ${range}${count(shown.length)}${rest}`;
    find("pages").hidden = shown.length <= PAGE;
    find("previous").disabled = first === 0;
    find("next").disabled = first + PAGE >= shown.length;
  };
  const update = () => {
    shown = sorted(rows.map((_, row) => row).filter(matches));
    state.page = 0;
    draw();
    listeners.forEach((listener) => listener());
  };
  const turn = (pages) => {
    state.page += pages;
    draw();
    document.querySelector(".children").scrollTop = 0;
  };

  const sortable = (head, at) => {
    const { key } = columns[at];
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      order.ascending = order.key === key ? !order.ascending : true;
      order.key = key;
      [...head.parentElement.cells].forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", order.ascending ? "ascending" : "descending");
      shown = sorted(shown);
      state.page = 0;
      draw();
    });
    head.setAttribute("aria-sort", key === order.key ? "ascending" : "none");
    head.append(button);
  };

  const listen = () => {
    [...find("rows").tHead.rows[0].cells].forEach(sortable);
    find("filters").hidden = false;
    find("filters").addEventListener("submit", (event) => event.preventDefault());
    find("filters").addEventListener("input", () => {
      state.sought = find("words").value.toLowerCase().split(/\s+/).filter(Boolean);
      state.best = find("best")?.checked ?? false;
      const boxes = [...document.querySelectorAll("[name=verdict]")];
      state.verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
      update();
    });
    find("previous").addEventListener("click", () => turn(-1));
    find("next").addEventListener("click", () => turn(1));
    draw();
  };
  if (rows.length) listen();

  return {
    columns,
    verdicts,
    absent: words.absent,
    exact: words.exact,
    frontRows,
    value,
    text,
    changes,
    element,
    link,
    shown: () => shown,
    onChange: (listener) => listeners.push(listener),
  };
})();
