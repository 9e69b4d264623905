// A step over its time: what each stream of a stage runs, and what the stages have allocated.
import type { EChartsCoreOption } from "echarts/core";

import { legendRows, tooltip } from "./bars";
import { chartBox, colourOf } from "./chart";
import type { Colours } from "./chart";
import { bytes, number, seconds, words } from "./format";
import type { Drawing, DrawnSpan } from "./result";
import { axis, pointTip } from "./scatter";

const rowHeight = 20;

const rowName = (stage: number, stream: string): string => `stage ${stage}, ${words(stream)}`;

interface Bar {
  value: [number, number, number];  ///< row, begin, end
  span: DrawnSpan;
}

/// The bars of each activity, which has a series, a colour and a place in the legend.
function barsOf(drawing: Drawing): Bar[][] {
  const bars: Bar[][] = drawing.activities.map(() => []);
  drawing.tracks.forEach(({ spans }, row) => {
    for (const span of spans) bars[span[3]].push({ value: [row, span[0], span[1]], span });
  });
  return bars;
}

interface Api {
  value: (at: number) => number;
  coord: (point: [number, number]) => [number, number];
}

interface Shown {
  coordSys: { x: number; y: number; width: number; height: number };
}

// Of what lies within the stretch of time that the zoom shows.
function bar(shown: Shown, api: Api, colour: string) {
  const { x: left, width } = shown.coordSys;
  const [begin, y] = api.coord([api.value(1), api.value(0)]);
  const [end] = api.coord([api.value(2), api.value(0)]);
  const [from, to] = [Math.max(begin, left), Math.min(end, left + width)];
  if (to <= from) return null;
  return { type: "rect", style: { fill: colour },
           shape: { x: from, y: y - rowHeight * 0.36, width: Math.max(to - from, 0.5),
                    height: rowHeight * 0.72 } };
}

function spanLines(drawing: Drawing, { value, span }: Bar): string[] {
  const [begin, end, name, activity, microBatch] = span;
  const { stage, stream } = drawing.tracks[value[0]];
  return [`${words(drawing.names[name])}: ${seconds(end - begin)}`,
          rowName(stage, stream), `from ${seconds(begin)} to ${seconds(end)}`,
          `${words(drawing.activities[activity])}, micro-batch ${microBatch}`];
}

const timeZoom = (colours: Colours) => [
  { type: "slider", xAxisIndex: 0, bottom: 34, height: 20, filterMode: "weakFilter",
    labelFormatter: (value: number) => seconds(value), textStyle: { color: colours.quiet } },
  { type: "inside", xAxisIndex: 0, filterMode: "weakFilter", zoomOnMouseWheel: "ctrl",
    moveOnMouseMove: false, moveOnMouseWheel: false },
];

function timelineOption(drawing: Drawing, bars: Bar[][], until: number, colours: Colours,
                        width: number): EChartsCoreOption {
  const names = drawing.tracks.map(({ stage, stream }) => rowName(stage, stream));
  const legend = drawing.activities.map(words);
  return {
    tooltip: tooltip(colours, seconds),
    legend: { top: 0, textStyle: { color: colours.text }, itemWidth: 14, itemHeight: 10 },
    grid: { left: 8, right: 20, top: 8 + 24 * legendRows(legend, width), bottom: 62,
            containLabel: true },
    dataZoom: timeZoom(colours),
    xAxis: { ...axis(colours, "", { type: "value" }, (value) => number(value) + " s"), min: 0,
             max: until, splitNumber: width < 500 ? 3 : 8 },
    yAxis: { type: "category", inverse: true, data: names, axisTick: { show: false },
             axisLine: { lineStyle: { color: colours.line } },
             axisLabel: { color: colours.text, fontSize: width < 500 ? 9 : 11, interval: 0 } },
    series: bars.map((own, activity) => {
      const colour = colourOf(drawing.activities[activity], activity);
      return {
        type: "custom", name: legend[activity], color: colour, data: own,
        encode: { x: [1, 2], y: 0 }, clip: true,
        renderItem: (shown: Shown, api: Api) => bar(shown, api, colour),
        tooltip: pointTip(colours, (_, index) => spanLines(drawing, own[index])),
      };
    }),
  };
}

/// A row for each stream of a stage, a colour for each activity, with a slider to zoom. The axis
/// ends at `until`, in seconds: timelines that are compared have one scale.
export function timeline(label: string, drawing: Drawing,
                         until: number = drawing.step_time_s): HTMLElement {
  const bars = barsOf(drawing);
  return chartBox(label, 150 + rowHeight * drawing.tracks.length,
                  (colours, width) => timelineOption(drawing, bars, until, colours, width));
}

const curveHues = ["#3f7fd9", "#e8833a", "#2e9e6b", "#d64f8b", "#8c6bd6", "#c9a227", "#8a6642",
                   "#5aa9a0"];

function memoryOption(drawing: Drawing, capacity: number, colours: Colours,
                      width: number): EChartsCoreOption {
  const gib = (size: number) => size / 2 ** 30;
  const names = drawing.memory.map(({ stage }) => `stage ${stage}`);
  const most = Math.max(capacity, ...drawing.memory.flatMap(({ points }) =>
    points.map(([, size]) => size)));
  const limit = {
    silent: true, symbol: "none", lineStyle: { color: colours.text, type: "dashed", width: 2 },
    label: { formatter: `capacity ${bytes(capacity)}`, color: colours.text,
             position: "insideEndTop" },
    data: [{ yAxis: gib(capacity) }],
  };
  return {
    tooltip: pointTip(colours, (name, index) => {
      const [at, size] = drawing.memory[names.indexOf(name)].points[index];
      return [`${name} at ${seconds(at)}: ${bytes(size)} allocated`];
    }),
    legend: { bottom: 0, textStyle: { color: colours.text }, itemWidth: 14, itemHeight: 10 },
    grid: { left: 28, right: 24, top: 26, containLabel: true,
            bottom: 24 + 22 * legendRows(names, width) },
    xAxis: { ...axis(colours, "", { type: "value" }, (value) => number(value) + " s"), min: 0,
             max: drawing.step_time_s, splitNumber: width < 500 ? 3 : 8 },
    yAxis: { ...axis(colours, "GiB", { type: "value", min: 0, max: gib(most) * 1.05 },
                     (value) => number(value)), nameGap: 40,
             axisLabel: { color: colours.quiet, showMaxLabel: false,
                          formatter: (value: number) => number(value) } },
    series: drawing.memory.map(({ points }, index) => ({
      type: "line", name: names[index], step: "end", showSymbol: true, symbol: "circle",
      symbolSize: 3, color: curveHues[index % curveHues.length],
      lineStyle: { width: 1.5, color: curveHues[index % curveHues.length] },
      data: points.map(([at, size]) => [at, gib(size)]),
      ...(index === 0 ? { markLine: limit } : {}),
    })),
  };
}

/// What the framework has allocated on each drawn stage over the step, beside the capacity.
export const memoryCurves = (label: string, drawing: Drawing, capacity: number): HTMLElement =>
  chartBox(label, 340, (colours, width) => memoryOption(drawing, capacity, colours, width));
