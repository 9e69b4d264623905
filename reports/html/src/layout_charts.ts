// The layouts of a sweep as points beside their Pareto front, and as lines across their choices.
import type { EChartsCoreOption, EChartsType } from "echarts/core";

import { legendRows, tooltip } from "./bars";
import { chartBox } from "./chart";
import type { Colours } from "./chart";
import { element } from "./dom";
import { number, words } from "./format";
import { choiceText, figureText, layoutText, paretoFront } from "./layout_figures";
import type { LayoutFigure, PredictedRow } from "./layout_figures";

const hues = ["#3f7fd9", "#2e9e6b", "#8c6bd6", "#c9a227", "#d64f8b", "#5aa9a0", "#8a6642"];
const frontHue = "#e8833a";

/// What the chart shows, which the page may change before it has it drawn again.
export interface FrontView {
  rows: PredictedRow[];
  x: LayoutFigure;
  y: LayoutFigure;
}

const valueAxis = (colours: Colours, shown: LayoutFigure, nameGap: number) => ({
  type: "value",
  scale: true,
  name: `${shown.name} (${shown.unit}), ${shown.better} is better`,
  nameLocation: "middle",
  nameGap,
  nameTextStyle: { color: colours.quiet },
  axisLabel: { color: colours.quiet, formatter: (value: number) => number(value) },
  axisLine: { onZero: false, lineStyle: { color: colours.line } },
  splitLine: { lineStyle: { color: colours.line } },
});

/// A layout in words and figures: an element, so that a name cannot be read as HTML.
function rowTip(row: PredictedRow, keys: string[], figures: LayoutFigure[]): HTMLElement {
  const lines = [layoutText(row, keys),
                 ...figures.map((shown) => `${shown.name}: ${figureText(shown, row[shown.key])}`),
                 ...(row.allowed ? [] : ["not allowed by the search's constraints"])];
  return element("div", { class: "tip" }, ...lines.map((line) => element("div", {}, line)));
}

interface PointSeries {
  name: string;
  rows: PredictedRow[];
  style: object;
}

function pointSeries(view: FrontView): PointSeries[] {
  const allowed = view.rows.filter((row) => row.allowed);
  const clusters = [...new Set(allowed.map((row) => row.cluster))];
  return [
    { name: "not allowed", rows: view.rows.filter((row) => !row.allowed),
      style: { type: "scatter", symbolSize: 6, itemStyle: { color: "#8d97a3", opacity: 0.5 } } },
    ...clusters.map((cluster, index) => ({
      name: cluster || "allowed", rows: allowed.filter((row) => row.cluster === cluster),
      style: { type: "scatter", symbolSize: 8,
               itemStyle: { color: hues[index % hues.length], opacity: 0.75 } } })),
    { name: "Pareto front", rows: paretoFront(allowed, view.x, view.y),
      style: { type: "line", step: "end", symbol: "circle", symbolSize: 10, color: frontHue,
               lineStyle: { color: frontHue, width: 2 } } },
  ].filter(({ rows }) => rows.length > 0);
}

function frontOption(view: FrontView, keys: string[], figures: LayoutFigure[], colours: Colours,
                     width: number): EChartsCoreOption {
  const series = pointSeries(view);
  const point = (row: PredictedRow) => [row[view.x.key] / view.x.per, row[view.y.key] / view.y.per];
  return {
    tooltip: { ...tooltip(colours, String),
               formatter: (at: { seriesIndex: number; dataIndex: number }) =>
                 rowTip(series[at.seriesIndex].rows[at.dataIndex], keys, figures) },
    legend: { bottom: 0, textStyle: { color: colours.text }, itemWidth: 14, itemHeight: 10 },
    grid: { left: 28, right: 24, top: 12, containLabel: true,
            bottom: 44 + 22 * legendRows(series.map(({ name }) => name), width) },
    xAxis: valueAxis(colours, view.x, 26),
    yAxis: valueAxis(colours, view.y, 48),
    series: series.map(({ name, rows, style }) => ({ ...style, name, data: rows.map(point) })),
  };
}

/// Every row as a point, and the front of those that are allowed.
export const frontChart = (label: string, view: FrontView, keys: string[],
                           figures: LayoutFigure[]): HTMLElement =>
  chartBox(label, 460, (colours, width) => frontOption(view, keys, figures, colours, width));

/// A choice (the values in the axis are its texts) or a figure.
interface ParallelAxis {
  name: string;
  value: (row: PredictedRow) => number | string;
  texts?: string[];
}

function choiceAxis(key: string, rows: PredictedRow[]): ParallelAxis {
  const value = (row: PredictedRow) => choiceText(row.choices[key]);
  const texts = [...new Set(rows.map(value))];
  texts.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return { name: words(key), value, texts };
}

const figureAxis = (shown: LayoutFigure): ParallelAxis =>
  ({ name: `${shown.name} (${shown.unit})`, value: (row) => row[shown.key] / shown.per });

const axisId = (index: number): string => `axis_${index}`;

// Side by side where there is room, one below the other on a phone.
function parallelOption(rows: PredictedRow[], axes: ParallelAxis[], tip: (row: PredictedRow) =>
                        HTMLElement, colours: Colours, width: number): EChartsCoreOption {
  const upright = width >= 640;
  const room = Math.floor((width - 80) / axes.length) - 6;
  const named = (name: string) => (upright ? name.replace(/ /g, "\n") : name);
  // What is drawn last lies on top.
  const lines = [...rows].reverse();
  const style = (row: PredictedRow) => row === rows[0] && row.allowed
    ? { color: frontHue, width: 3, opacity: 1 }
    : row.allowed ? { color: hues[0], width: 1, opacity: 0.45 }
                  : { color: "#8d97a3", width: 1, opacity: 0.25 };
  return {
    tooltip: { ...tooltip(colours, String),
               formatter: (at: { dataIndex: number }) => tip(lines[at.dataIndex]) },
    parallel: {
      layout: upright ? "horizontal" : "vertical",
      ...(upright ? { left: 50, right: 60, top: 96, bottom: 24 }
                  : { left: 120, right: 30, top: 20, bottom: 30 }),
      parallelAxisDefault: {
        nameLocation: upright ? "end" : "start",
        nameGap: 12,
        nameTextStyle: { color: colours.text, fontSize: 11, lineHeight: 14 },
        nameTruncate: { maxWidth: upright ? undefined : 104 },
        axisLabel: { color: colours.quiet, fontSize: 10, overflow: "truncate", width: room,
                     formatter: (value: number | string) =>
                       typeof value === "number" ? number(value) : value },
        axisLine: { lineStyle: { color: colours.quiet } },
        areaSelectStyle: { width: 16, color: frontHue, borderColor: frontHue, opacity: 0.25 },
      },
    },
    parallelAxis: axes.map((axis, index) => ({
      id: axisId(index), dim: index, name: named(axis.name),
      ...(axis.texts ? { type: "category", data: axis.texts } : { type: "value", scale: true }) })),
    series: [{
      type: "parallel", inactiveOpacity: 0.03, emphasis: { lineStyle: { width: 3, opacity: 1 } },
      data: lines.map((row) => ({ value: axes.map((axis) => axis.value(row)),
                                  lineStyle: style(row) })),
    }],
  };
}

type Interval = [number, number];

// A stretch of an axis of choices is one of places.
function liesWithin(axis: ParallelAxis, row: PredictedRow, intervals: Interval[]): boolean {
  const value = axis.value(row);
  const place = typeof value === "number" ? value : (axis.texts ?? []).indexOf(value);
  return intervals.length === 0 || intervals.some(([low, high]) => low <= place && place <= high);
}

function listenToBrushes(chart: EChartsType, axes: ParallelAxis[],
                         onBrush: (keep: (row: PredictedRow) => boolean) => void) {
  const brushed = new Map<string, Interval[]>();
  chart.on("axisareaselected", (event) => {
    const { parallelAxisId, intervals } = event as { parallelAxisId: string;
                                                     intervals: Interval[] };
    brushed.set(parallelAxisId, intervals);
    onBrush((row) => axes.every((axis, index) =>
      liesWithin(axis, row, brushed.get(axisId(index)) ?? [])));
  });
}

/// Every row as a line across its choices and figures, the first that is allowed in bold. A stretch
/// marked on an axis keeps the lines that pass through it, and `onBrush` hears which.
export function parallelChart(label: string, rows: PredictedRow[], keys: string[],
                              figures: LayoutFigure[],
                              onBrush: (keep: (row: PredictedRow) => boolean) => void) {
  const clusters = [...new Set(rows.map((row) => row.cluster))];
  const cluster = { name: "cluster", value: (row: PredictedRow) => row.cluster, texts: clusters };
  const axes = [...(clusters.length > 1 ? [cluster] : []),
                ...keys.map((key) => choiceAxis(key, rows)), ...figures.map(figureAxis)];
  const tip = (row: PredictedRow) => rowTip(row, keys, figures);
  return chartBox(label, Math.max(420, 60 + 44 * axes.length),
                  (colours, width) => parallelOption(rows, axes, tip, colours, width),
                  (chart) => listenToBrushes(chart, axes, onBrush));
}
