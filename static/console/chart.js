// The usage chart: stacked bars drawn from the table beside it, so that the two cannot differ.
"use strict";

(() => {
  const HEIGHT = 260;
  const ORDER = ["0", "1", "2", "3", "4", "5", "other"];

  const DAYS = [1, 2, 3, 5, 7, 10, 14, 28, 56, 112].map((days) => days * 86400);

  // The table: one row per interval (data-at, epoch seconds), one cell per series (data-value, the exact figure).
  const read = (table) => {
    const heads = [...table.querySelectorAll("thead th[data-series]")];
    const rows = [...table.querySelectorAll("tbody tr[data-at]")];
    return {
      times: rows.map((row) => Number(row.dataset.at)),
      labels: rows.map((row) => row.querySelector("th").textContent.trim()),
      series: heads.map((head, index) => ({
        name: head.textContent.trim(),
        colour: head.dataset.series,
        values: rows.map((row) => Number(row.querySelectorAll("td[data-value]")[index].dataset.value)),
        shown: rows.map((row) => row.querySelectorAll("td[data-value]")[index].textContent.trim()),
      })),
    };
  };

  // Each series on top of those before it; drawn from the tallest down, so that the lower ones stay visible.
  const stack = (series) => {
    let below = series.length ? series[0].values.map(() => 0) : [];
    return series.map((one) => {
      below = one.values.map((value, index) => value + below[index]);
      return below.map((top, index) => (one.values[index] ? top : null)); // nothing is not drawn, not even its edge
    });
  };

  const colourOf = (probe, name) => {
    probe.className = `unseen series-${ORDER.includes(name) ? name : "other"}`;
    return getComputedStyle(probe).color;
  };

  const units = (figure) => {
    const isMoney = figure.dataset.unit === "usd";
    const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
    const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 4 });
    return (value) => (isMoney ? "$" : "") + (isMoney && value && value < 1000 ? cents : short).format(value);
  };

  // Days as "21 Nov", hours as "14:00"; the first tick of a day within hours says the day.
  const ticks = (isByHour) => {
    const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
    const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
    return (_plot, values) =>
      values.map((seconds) => {
        const at = new Date(seconds * 1000);
        return isByHour && seconds % 86400 ? hour.format(at) : day.format(at);
      });
  };

  const draw = (figure) => {
    const table = document.getElementById(figure.dataset.table);
    const { times, labels, series } = read(table);
    const tops = stack(series);
    const room = figure.querySelector(".plot");
    const probe = figure.querySelector(".probe");
    const style = getComputedStyle(document.documentElement);
    const text = getComputedStyle(figure).color;
    const line = style.getPropertyValue("--line");
    probe.style.color = "var(--line)";
    const grid = getComputedStyle(probe).color || line;
    probe.style.color = "var(--page)";
    const page = getComputedStyle(probe).color;
    probe.style.color = "";
    const format = units(figure);
    const width = Number(figure.dataset.seconds);
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;

    const options = {
      width: room.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: () => [times[0] - width / 2, times.at(-1) + width / 2] },
        y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
      },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      axes: [
        { stroke: text, font, grid: { show: false }, ticks: { stroke: grid, width: 1, size: 4 },
          space: 60, size: 30, gap: 6, incrs: width < 86400 ? [3600, 7200, 14400, 21600, 43200, 86400] : DAYS, values: ticks(width < 86400) },
        { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { show: false }, size: 64,
          values: (_plot, values) => values.map(format) },
      ],
      series: [
        {},
        ...series.map((one, index) => index).reverse().map((index) => ({
          label: series[index].name,
          fill: colourOf(probe, series[index].colour),
          stroke: page,
          width: 1,
          paths: uPlot.paths.bars({ size: [0.72, 48], align: 0 }),
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [(plot) => show(figure, labels, series, plot.cursor.idx)] },
    };
    room.replaceChildren();
    figure.plot?.destroy();
    figure.plot = new uPlot(options, [times, ...tops.slice().reverse()], room);
    figure.dataset.drawn = String(times.length);
    figure.state = { labels, series, times };
  };

  // What the cursor stands on, in words; also read out when the keyboard moved it.
  const show = (figure, labels, series, index) => {
    const line = figure.querySelector(".reading");
    if (index == null) return;
    const parts = series.filter((one) => one.values[index]).map((one) => `${one.name} ${one.shown[index]}`);
    line.textContent = `${labels[index]}: ${parts.join(" · ") || "nothing"}`;
  };

  const move = (figure, event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!step) return;
    event.preventDefault();
    const { times, labels, series } = figure.state;
    const start = figure.position ?? (step < 0 ? times.length : -1);
    figure.position = Math.min(times.length - 1, Math.max(0, start + step));
    const left = figure.plot.valToPos(times[figure.position], "x");
    figure.plot.setCursor({ left, top: 10 }, false);
    show(figure, labels, series, figure.position);
    document.getElementById("announce").textContent = figure.querySelector(".reading").textContent;
  };

  const drawAll = () => {
    for (const figure of document.querySelectorAll("figure[data-table]")) {
      draw(figure);
      if (figure.dataset.ready) continue;
      figure.dataset.ready = "1";
      figure.querySelector(".plot").addEventListener("keydown", (event) => move(figure, event));
      new ResizeObserver(([entry]) => {
        const now = Math.floor(entry.contentRect.width);
        if (figure.plot && now && now !== figure.plot.width) figure.plot.setSize({ width: now, height: HEIGHT });
      }).observe(figure.querySelector(".plot"));
    }
  };

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:after:swap", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
