// A calibration's curves, errors and constants: what was measured, the model before, and after.
import type { EChartsCoreOption } from "echarts/core";

import { legendRows } from "./bars";
import { chartBox } from "./chart";
import type { Colours } from "./chart";
import { bytes, number, rate, seconds, share, signed, signedShare } from "./format";
import type { BandwidthCurve, BandwidthPoint, CalibratedConstant, Residual } from "./result";
import { axis, decades, identity, pointTip } from "./scatter";

const hue = { measured: "#6b7480", before: "#e8833a", after: "#3f7fd9", leftOut: "#2e9e6b" };

const legend = (colours: Colours, data: string[]) =>
  ({ bottom: 0, textStyle: { color: colours.text }, itemWidth: 14, itemHeight: 10, data });

const grid = (names: string[], width: number) =>
  ({ left: 28, right: 28, top: 14, containLabel: true, bottom: 44 + 22 * legendRows(names, width) });

const messageAxis = (colours: Colours, curve: BandwidthCurve) => ({
  ...axis(colours, "message", { type: "log", logBase: 2 }, bytes), nameGap: 26,
  min: Math.min(...curve.points.map((point) => point.message_bytes)),
  max: Math.max(...curve.points.map((point) => point.message_bytes)),
});

interface Api {
  coord: (point: [number, number]) => [number, number];
}

/// The area between the ends of each point's interval, in one polygon.
const band = (points: BandwidthPoint[], name: string) => ({
  type: "custom", name, silent: true, color: hue.after, data: [[0, 0]],
  renderItem: (_: unknown, api: Api) => {
    const edge = (end: 0 | 1) => points.map((point) =>
      api.coord([point.message_bytes, point.fitted_interval_bytes_per_s[end]]));
    return { type: "polygon", shape: { points: [...edge(0), ...edge(1).reverse()] },
             style: { fill: hue.after, opacity: 0.18 } };
  },
});

function pointLines(point: BandwidthPoint, residual: Residual): string[] {
  const [low, high] = point.fitted_interval_bytes_per_s;
  return [`${bytes(point.message_bytes)}, line ${residual.line} of ${residual.file}`,
          `measured ${rate(point.measured_bytes_per_s)}`,
          `before ${rate(point.before_bytes_per_s)}`,
          `fitted ${rate(point.fitted_bytes_per_s)}, 90 % of rows between ${rate(low)} and ${rate(high)}`];
}

function curveOption(curve: BandwidthCurve, residuals: Residual[], colours: Colours,
                     width: number): EChartsCoreOption {
  const points = curve.points;
  const names = ["measured", "before", "fitted", "90 % of rows"];
  const rates = points.flatMap((point) => [point.measured_bytes_per_s, point.before_bytes_per_s,
                                           point.fitted_bytes_per_s]);
  const at = (key: "measured_bytes_per_s" | "before_bytes_per_s" | "fitted_bytes_per_s") =>
    points.map((point) => [point.message_bytes, point[key]]);
  const line = (name: string, colour: string, style: object, data: number[][]) =>
    ({ type: "line", name, silent: true, color: colour, symbol: "none", lineStyle: { width: 2, ...style }, data });
  return {
    tooltip: pointTip(colours, (_, index) =>
      pointLines(points[index], residuals[points[index].residual])),
    legend: legend(colours, names),
    grid: grid(names, width),
    xAxis: messageAxis(colours, curve),
    yAxis: { ...axis(colours, "bus bandwidth", { type: "log", ...decades(rates) }, rate),
             nameGap: 62 },
    series: [
      band(points, names[3]),
      line(names[1], hue.before, { type: "dashed" }, at("before_bytes_per_s")),
      line(names[2], hue.after, {}, at("fitted_bytes_per_s")),
      { type: "scatter", name: names[0], z: 4, color: hue.measured, symbolSize: 7,
        data: at("measured_bytes_per_s") },
    ],
  };
}

/// Bus bandwidth by message: measured points, the model before and after, and the fit's band.
export const curveChart = (label: string, curve: BandwidthCurve, residuals: Residual[]) =>
  chartBox(label, 420, (colours, width) => curveOption(curve, residuals, colours, width));

const errorKinds: { name: string; key: "before" | "after" | "left_out"; colour: string }[] = [
  { name: "before", key: "before", colour: hue.before },
  { name: "after", key: "after", colour: hue.after },
  { name: "left out", key: "left_out", colour: hue.leftOut },
];

/// Predicted over measured - 1 of each row of a curve, by its message.
export function errorChart(label: string, curve: BandwidthCurve, residuals: Residual[]) {
  const rows = curve.points.map((point) => residuals[point.residual]);
  const names = errorKinds.map(({ name }) => name);
  return chartBox(label, 320, (colours, width) => ({
    tooltip: pointTip(colours, (name, index) => [
      `${bytes(curve.points[index].message_bytes)}: ${name} ` +
      signedShare(rows[index][errorKinds[names.indexOf(name)].key])]),
    legend: legend(colours, names),
    grid: grid(names, width),
    xAxis: messageAxis(colours, curve),
    yAxis: { ...axis(colours, "predicted / measured - 1 of the time", { type: "value" }, share),
             nameGap: 54 },
    series: errorKinds.map(({ name, key, colour }) => ({
      type: "scatter", name, color: colour, symbolSize: 7, itemStyle: { opacity: 0.8 },
      data: rows.map((row, index) => [curve.points[index].message_bytes, row[key]]) })),
  }));
}

/// Predicted beside measured of rows of one kind, before and after. Requires a row.
export function agreementChart(label: string, rows: Residual[], text: (value: number) => string) {
  const kinds = errorKinds.slice(0, 2);
  const exact = "predicted = measured";
  const predicted = (row: Residual, key: "before" | "after" | "left_out") =>
    row.measured * (1 + row[key]);
  const range = decades(rows.flatMap((row) => [row.measured, predicted(row, "before"),
                                               predicted(row, "after")]));
  const names = [...kinds.map(({ name }) => name), exact];
  return chartBox(label, 440, (colours, width) => ({
    tooltip: pointTip(colours, (name, index) => {
      const { key } = kinds[names.indexOf(name)];
      const row = rows[index];
      return [row.name, `measured ${text(row.measured)}`,
              `${name} ${text(predicted(row, key))}: ${signedShare(row[key])}`];
    }),
    legend: legend(colours, names),
    grid: grid(names, width),
    xAxis: { ...axis(colours, "measured", { type: "log", ...range }, text), nameGap: 26 },
    yAxis: { ...axis(colours, "predicted", { type: "log", ...range }, text), nameGap: 58 },
    series: [
      ...kinds.map(({ name, key, colour }) => ({
        type: "scatter", name, color: colour, symbolSize: 9, itemStyle: { opacity: 0.8 },
        data: rows.map((row) => [row.measured, predicted(row, key)]) })),
      identity(colours, exact, range.min, range.max),
    ],
  }));
}

/// How far a constant went from its prior, in the prior's spreads: constants of all units and sizes
/// lie on one scale so.
export const shiftOf = (one: CalibratedConstant): number =>
  (one.additive ? one.value - one.prior : Math.log(one.value / one.prior)) / one.prior_spread;

const knob = (one: CalibratedConstant): string[] => [
  one.path, `before ${number(one.prior)}, after ${number(one.value)}`,
  `${signed(shiftOf(one), number)} spreads; ${share(one.prior_kept)} of the spread is left`];

/// The constants as points on their prior's scale, each with the spread that is left to it.
export function constantsChart(label: string, constants: CalibratedConstant[]): HTMLElement {
  const stroke = { stroke: hue.after, lineWidth: 2 };
  const whisker = (_: unknown, api: Api & { value: (at: number) => number }) => {
    const [low, high] = [api.coord([api.value(1), api.value(0)]),
                         api.coord([api.value(2), api.value(0)])];
    return { type: "line", shape: { x1: low[0], y1: low[1], x2: high[0], y2: high[1] },
             style: stroke };
  };
  return chartBox(label, 90 + 22 * constants.length, (colours, width) => ({
    tooltip: pointTip(colours, (_, index) => knob(constants[index])),
    grid: { left: 8, right: 24, top: 8, bottom: 44, containLabel: true },
    xAxis: { ...axis(colours, "spreads of the prior", { type: "value" }, number), nameGap: 26 },
    yAxis: { type: "category", inverse: true, data: constants.map((one) => one.path),
             axisTick: { show: false }, axisLine: { lineStyle: { color: colours.line } },
             axisLabel: { color: colours.text, fontSize: 11, interval: 0,
                          ...(width < 500 ? { width: 140, overflow: "break" } : {}) } },
    series: [
      { type: "custom", silent: true, renderItem: whisker, encode: { x: [1, 2], y: 0 },
        data: constants.map((one, index) =>
          [index, shiftOf(one) - one.prior_kept, shiftOf(one) + one.prior_kept]) },
      { type: "scatter", name: "after", color: hue.after, symbolSize: 9,
        data: constants.map((one, index) => [shiftOf(one), index]),
        markArea: { silent: true, itemStyle: { color: colours.quiet, opacity: 0.15 },
                    data: [[{ xAxis: -1 }, { xAxis: 1 }]] } },
    ],
  }));
}

export const measuredText = (row: Residual): ((value: number) => string) =>
  row.kind === "peak_memory" ? bytes : seconds;
