// Points beside the line on which they would lie if predictions were exact.
import type { EChartsCoreOption } from "echarts/core";

import { legendRows, tooltip } from "./bars";
import { chartBox } from "./chart";
import type { Colours } from "./chart";
import { element } from "./dom";
import { number, seconds, share, signedShare } from "./format";
import type { ReliabilityBin, ValidationRun } from "./result";

type Point = [number, number];

const hues = ["#3f7fd9", "#e8833a", "#2e9e6b", "#d64f8b", "#8c6bd6", "#c9a227", "#8a6642",
              "#5aa9a0"];
const shapes = ["circle", "triangle", "rect", "diamond"];

/// Both axes of a chart are alike, so that its diagonal is where both values are equal.
export const axis = (colours: Colours, name: string, scale: object, text: (value: number) => string) => ({
  ...scale,
  name,
  nameLocation: "middle",
  nameTextStyle: { color: colours.quiet },
  axisLabel: { color: colours.quiet, formatter: text },
  axisLine: { onZero: false, lineStyle: { color: colours.line } },
  splitLine: { lineStyle: { color: colours.line } },
});

export const identity = (colours: Colours, name: string, from: number, to: number) => ({
  type: "line",
  name,
  silent: true,
  symbol: "none",
  color: colours.quiet,
  lineStyle: { color: colours.quiet, type: "dashed", width: 1.5 },
  data: [[from, from], [to, to]],
});

// What is said of a point is an element, so that a title cannot be read as HTML.
export const pointTip = (colours: Colours, lines: (series: string, index: number) => string[]) => ({
  ...tooltip(colours, String),
  formatter: (at: { seriesName: string; dataIndex: number }) =>
    element("div", {}, ...lines(at.seriesName, at.dataIndex).map((line) =>
      element("div", {}, line))),
});

/// The powers of ten around all values.
export function decades(values: number[]): { min: number; max: number } {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.ceil(Math.log10(Math.max(...values)));
  return { min: 10 ** low, max: 10 ** Math.max(high, low + 1) };
}

type TimedRun = ValidationRun & { measured: number; error: number };

export const isTimed = (run: ValidationRun): run is TimedRun =>
  run.measured !== null && run.error !== null;

function runTip(run: TimedRun): string[] {
  return [`${run.suite}: ${run.title}`,
          `predicted ${seconds(run.predicted)}, measured ${seconds(run.measured)}, ` +
          `error ${signedShare(run.error)}${run.stalled ? ", stalled" : ""}`];
}

function stepTimeOption(runs: TimedRun[], colours: Colours, width: number): EChartsCoreOption {
  const suites = [...new Set(runs.map((run) => run.suite))];
  const of = (suite: string) => runs.filter((run) => run.suite === suite);
  const exact = "predicted = measured";
  const range = decades(runs.flatMap((run) => [run.predicted, run.measured]));
  const scale = { type: "log", ...range };
  return {
    tooltip: pointTip(colours, (suite, index) => runTip(of(suite)[index])),
    legend: { bottom: 0, textStyle: { color: colours.text }, itemWidth: 14, itemHeight: 10 },
    grid: { left: 28, right: 24, top: 12, containLabel: true,
            bottom: 44 + 22 * legendRows([...suites, exact], width) },
    xAxis: { ...axis(colours, "measured step time", scale, seconds), nameGap: 26 },
    yAxis: { ...axis(colours, "predicted step time", scale, seconds), nameGap: 56 },
    series: [
      ...suites.map((suite, index) => ({
        type: "scatter",
        name: suite,
        symbol: shapes[Math.floor(index / hues.length) % shapes.length],
        symbolSize: 8,
        itemStyle: { color: hues[index % hues.length], opacity: 0.75 },
        data: of(suite).map((run): Point => [run.measured, run.predicted]),
      })),
      identity(colours, exact, range.min, range.max),
    ],
  };
}

/// Predicted against measured step times, both in powers of ten, a colour a suite. Requires a run.
export function stepTimeScatter(label: string, runs: TimedRun[]): HTMLElement {
  return chartBox(label, 560, (colours, width) => stepTimeOption(runs, colours, width));
}

export type JudgedBin = ReliabilityBin & { share_that_ran: number };

export const isJudged = (bin: ReliabilityBin): bin is JudgedBin => bin.share_that_ran !== null;

/// Of the runs whose end the source states.
export const shareThatFailed = (bin: JudgedBin): number => 1 - bin.share_that_ran;

function binTip(bin: JudgedBin): string[] {
  return [`risk ${share(bin.probability_from)} to ${share(bin.probability_to)}, ` +
          `mean ${share(bin.mean_probability)}`,
          `${number(bin.failed)} of ${number(bin.ran + bin.failed)} runs ran out of memory: ` +
          share(shareThatFailed(bin))];
}

function reliabilityOption(bins: JudgedBin[], colours: Colours): EChartsCoreOption {
  const scale = { type: "value", min: 0, max: 1 };
  return {
    tooltip: pointTip(colours, (_, index) => binTip(bins[index])),
    legend: { bottom: 0, textStyle: { color: colours.text }, itemWidth: 14, itemHeight: 10 },
    grid: { left: 28, right: 48, top: 44, bottom: 66, containLabel: true },
    xAxis: { ...axis(colours, "foreseen: mean predicted risk", scale, share), nameGap: 26 },
    yAxis: { ...axis(colours, "happened: share that ran out", scale, share), nameGap: 48 },
    series: [
      {
        type: "line",
        name: "runs by predicted risk",
        symbol: "circle",
        symbolSize: 10,
        color: hues[0],
        lineStyle: { color: hues[0], width: 2 },
        label: { show: true, position: "top", align: "left", color: colours.text,
                 formatter: (at: { dataIndex: number }) =>
                   `n = ${bins[at.dataIndex].ran + bins[at.dataIndex].failed}` },
        // Every other label stands higher: the bins of small risks lie close together.
        data: bins.map((bin, index) => ({ value: [bin.mean_probability, shareThatFailed(bin)],
                                          label: { distance: index % 2 === 0 ? 5 : 20 } })),
      },
      identity(colours, "happened as foreseen", 0, 1),
    ],
  };
}

/// The share that was foreseen to run out against the share that did, a point a bin.
export function reliabilityCurve(label: string, bins: JudgedBin[]): HTMLElement {
  return chartBox(label, 440, (colours) => reliabilityOption(bins, colours));
}
