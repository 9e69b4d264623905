// Logs of nccl-tests beside what is predicted for their clusters.
import type { EChartsCoreOption } from "echarts/core";

import { legendRows } from "./bars";
import { chartBox } from "./chart";
import type { Colours } from "./chart";
import { element, figure, paragraph, section, table } from "./dom";
import { bytes, rate, seconds, share, signedShare } from "./format";
import { heading } from "./predict";
import type { NcclErrors, NcclLog, NcclValidation } from "./result";
import { axis, decades, pointTip } from "./scatter";

const hue = { measured: "#6b7480", predicted: "#3f7fd9" };

const count = (value: number): string => value.toLocaleString("en-US");

function errorRow(name: string, logs: number, errors: NcclErrors, at: string) {
  const shown = (key: keyof NcclErrors) => {
    const value = errors[key];
    return value === null ? "-" : figure(value, share(value), `${at}/${key}`);
  };
  return [name, count(logs), shown("median_error_1mib"), shown("p90_error_1mib"),
          shown("median_error"), shown("p90_error")];
}

function errorsSection(result: NcclValidation): HTMLElement {
  const rows = [errorRow("all", result.num_logs, result, ""),
                ...Object.entries(result.architectures).map(([name, group]) =>
                  errorRow(name, group.num_logs, group, `/architectures/${name}`))];
  return section(
    "Errors", table("Sizes of predicted / measured - 1 of the time, over the medians of the logs",
                    ["", "logs", "median, 1 MiB and more", "90 %", "median, all sizes", "90 %"],
                    rows));
}

const bandwidth = (log: NcclLog, key: "measured_s" | "predicted_s"): [number, number][] =>
  log.rows.map((row) => [row.size_bytes, row.size_bytes / row[key]]);

function pointLines(log: NcclLog, index: number): string[] {
  const row = log.rows[index];
  return [bytes(row.size_bytes), `measured ${seconds(row.measured_s)}`,
          `predicted ${seconds(row.predicted_s)}: ${signedShare(row.error)}`];
}

function curveOption(log: NcclLog, colours: Colours, width: number): EChartsCoreOption {
  const names = ["measured", "predicted"];
  const measured = bandwidth(log, "measured_s");
  const predicted = bandwidth(log, "predicted_s");
  const sizes = log.rows.map((row) => row.size_bytes);
  return {
    tooltip: pointTip(colours, (_, index) => pointLines(log, index)),
    legend: { bottom: 0, textStyle: { color: colours.text }, itemWidth: 14, itemHeight: 10 },
    grid: { left: 40, right: 28, top: 14, containLabel: true,
            bottom: 44 + 22 * legendRows(names, width) },
    xAxis: { ...axis(colours, "message", { type: "log", logBase: 2 }, bytes), nameGap: 26,
             min: Math.min(...sizes), max: Math.max(...sizes) },
    yAxis: { ...axis(colours, "message / time",
                     { type: "log", ...decades([...measured, ...predicted].map(([, one]) => one)) },
                     rate), nameGap: 78 },
    series: [
      { type: "line", name: names[1], silent: true, color: hue.predicted, symbol: "none",
        lineStyle: { width: 2 }, data: predicted },
      { type: "scatter", name: names[0], z: 4, color: hue.measured, symbolSize: 7, data: measured },
    ],
  };
}

function logSection(log: NcclLog, index: number): HTMLElement {
  const rows = log.rows.map((row, at) => {
    const place = `/logs/${index}/rows/${at}`;
    return [bytes(row.size_bytes), figure(row.measured_s, seconds(row.measured_s), `${place}/measured_s`),
            figure(row.predicted_s, seconds(row.predicted_s), `${place}/predicted_s`),
            figure(row.error, signedShare(row.error), `${place}/error`)];
  });
  const chart = chartBox(`Bandwidth of ${log.name} by message, measured and predicted`, 380,
                         (colours, width) => curveOption(log, colours, width));
  return section(`${log.name} (${log.architecture})`, ...(rows.length > 0 ? [chart] : []),
                 element("details", {}, element("summary", {}, "Figures"),
                         table("Time by message", ["message", "measured", "predicted", "error"],
                               rows)));
}

function leftOutSection(result: NcclValidation): HTMLElement[] {
  const lines = [...result.skipped.map((name) => `${name}: no clusters.json says what it ran on`),
                 ...(result.errors ?? []).map(({ name, message }) => `${name}: ${message}`)];
  if (lines.length === 0) return [];
  return [section("Left out", element("ul", {}, ...lines.map((line) => element("li", {}, line))))];
}

export function ncclValidation(result: NcclValidation): Node[] {
  return [heading("h1", "Logs of nccl-tests: predicted beside measured", []),
          paragraph("Curves show message over time, nccl-tests' algbw; busbw is that times a factor " +
                    "of the collective, the same for both.", "quiet"),
          errorsSection(result), ...result.logs.map(logSection), ...leftOutSection(result)];
}
