// Stacked bars (where a step goes, what memory holds) and the waterfall between two steps.
import type { EChartsCoreOption } from "echarts/core";

import { chartBox, colourOf } from "./chart";
import type { Colours } from "./chart";
import { bytes, number, seconds, signed, words } from "./format";
import type { Moved, Parts } from "./result";

export interface Bar {
  name: string;
  parts: Parts;
}

/// Those keys that any of the bars has something of.
export function usedKeys(bars: Parts[]): string[] {
  return Object.keys(bars[0]).filter((key) => bars.some((parts) => parts[key] !== 0));
}

export const tooltip = (colours: Colours, text: (value: number) => string) => ({
  trigger: "item",
  confine: true,
  backgroundColor: colours.paper,
  borderColor: colours.line,
  textStyle: { color: colours.text },
  valueFormatter: (value: unknown) => text(Number(value)),
});

const valueAxis = (colours: Colours, name: string, width: number) => ({
  type: "value",
  name,
  nameLocation: "middle",
  nameGap: 26,
  splitNumber: width < 500 ? 3 : 6,
  nameTextStyle: { color: colours.quiet },
  axisLabel: { color: colours.quiet, formatter: (value: number) => number(value) },
  splitLine: { lineStyle: { color: colours.line } },
});

const categoryAxis = (colours: Colours, names: string[]) => ({
  type: "category",
  data: names,
  inverse: true,
  axisLabel: { color: colours.text },
  axisLine: { lineStyle: { color: colours.line } },
  axisTick: { show: false },
});

/// How many lines the legend takes: a line is filled before the next.
export function legendRows(keys: string[], width: number): number {
  let rows = 1;
  let used = 0;
  for (const key of keys) {
    const entry = 34 + 6.6 * key.length;
    if (used > 0 && used + entry > width - 20) {
      rows += 1;
      used = 0;
    }
    used += entry;
  }
  return rows;
}

interface Scale {
  unit: string;
  per: number;
  text: (value: number) => string;
  limit?: { name: string; value: number };
}

function stacked(bars: Bar[], scale: Scale, colours: Colours, width: number): EChartsCoreOption {
  const keys = usedKeys(bars.map((bar) => bar.parts));
  const limit = scale.limit && {
    silent: true,
    symbol: "none",
    lineStyle: { color: colours.text, type: "dashed", width: 2 },
    label: { formatter: scale.limit.name, color: colours.text, position: "start",
             align: "right" },
    data: [{ xAxis: scale.limit.value / scale.per }],
  };
  const largest = Math.max(...bars.map((bar) => keys.reduce((sum, key) => sum + bar.parts[key], 0)));
  return {
    tooltip: tooltip(colours, (value) => scale.text(value * scale.per)),
    legend: { bottom: 0, textStyle: { color: colours.text }, itemWidth: 14, itemHeight: 10 },
    grid: { left: 8, right: 24, top: scale.limit ? 28 : 8, containLabel: true,
            bottom: 48 + 22 * legendRows(keys, width) },
    xAxis: { ...valueAxis(colours, scale.unit, width),
             max: Math.max(largest, scale.limit?.value ?? 0) / scale.per * 1.02,
             axisLabel: { color: colours.quiet, showMaxLabel: false,
                          formatter: (value: number) => number(value) } },
    yAxis: categoryAxis(colours, bars.map((bar) => bar.name)),
    series: keys.map((key, index) => ({
      type: "bar",
      stack: "all",
      name: words(key),
      barMaxWidth: 42,
      itemStyle: { color: colourOf(key, index), borderColor: colours.paper, borderWidth: 0.5 },
      data: bars.map((bar) => bar.parts[key] / scale.per),
      ...(index === 0 && limit ? { markLine: limit } : {}),
    })),
  };
}

const heightOf = (bars: number, keys: number) => 110 + 44 * bars + 8 * keys;

export function timeBars(label: string, bars: Bar[]): HTMLElement {
  const keys = usedKeys(bars.map((bar) => bar.parts)).length;
  const scale = { unit: "seconds of a step", per: 1, text: seconds };
  return chartBox(label, heightOf(bars.length, keys),
                  (colours, width) => stacked(bars, scale, colours, width));
}

export function memoryBars(label: string, bars: Bar[], capacity: number): HTMLElement {
  const keys = usedKeys(bars.map((bar) => bar.parts)).length;
  const scale = { unit: "GiB", per: 2 ** 30, text: bytes,
                  limit: { name: `capacity ${bytes(capacity)}`, value: capacity } };
  return chartBox(label, heightOf(bars.length, keys) + 20,
                  (colours, width) => stacked(bars, scale, colours, width));
}

interface Stride {
  name: string;
  base: number;  ///< invisible, below the bar
  size: number;
  change: number;
  colour: string;
}

function strides(moved: Moved, from: string, to: string): Stride[] {
  const all: Stride[] = [];
  const parts = Object.entries(moved.breakdown);
  const start = parts.reduce((sum, [, part]) => sum + part.from_s, 0);
  all.push({ name: from, base: 0, size: start, change: start, colour: "#6b7480" });
  let level = start;
  for (const [key, part] of parts) {
    if (part.from_s === 0 && part.to_s === 0) continue;
    const next = level + part.change_s;
    all.push({ name: words(key), base: Math.min(level, next), size: Math.abs(part.change_s),
               change: part.change_s, colour: part.change_s > 0 ? "#c8553d" : "#2e9e6b" });
    level = next;
  }
  all.push({ name: to, base: 0, size: level, change: level, colour: "#6b7480" });
  return all;
}

/// From the step of one to the step of the other, a part at a time.
export function waterfall(label: string, moved: Moved, from: string, to: string): HTMLElement {
  const all = strides(moved, from, to);
  const last = all.length - 1;
  const text = (index: number) =>
    index === 0 || index === last ? seconds(all[index].change) : signed(all[index].change, seconds);
  return chartBox(label, 80 + 30 * all.length, (colours, width) => ({
    tooltip: { ...tooltip(colours, seconds),
               formatter: (at: { dataIndex: number }) =>
                 `${all[at.dataIndex].name}: ${text(at.dataIndex)}` },
    grid: { left: 8, right: 76, top: 8, bottom: 40, containLabel: true },
    xAxis: valueAxis(colours, "seconds of a step", width),
    yAxis: categoryAxis(colours, all.map((stride) => stride.name)),
    series: [
      { type: "bar", stack: "all", silent: true, itemStyle: { color: "transparent" },
        tooltip: { show: false }, data: all.map((stride) => stride.base) },
      { type: "bar", stack: "all", barMaxWidth: 24, data: all.map((stride) => (
          { value: stride.size, itemStyle: { color: stride.colour } })),
        label: { show: true, position: "right", color: colours.text,
                 formatter: (at: { dataIndex: number }) => text(at.dataIndex) } },
    ],
  }));
}
