// Several predictions side by side, and what moves from the first to each other one.
import { memoryBars, timeBars, usedKeys, waterfall } from "./bars";
import { element, figure, paragraph, section, table } from "./dom";
import * as format from "./format";
import { drawnStages, engineLine, heading, howToRead, warningsSection } from "./predict";
import type { Comparison, Drawing, Moved, Result, Texts } from "./result";
import { memoryCurves, timeline } from "./step_charts";

type Value = (result: Result) => number | undefined;

function row(results: Result[], label: string, pointer: string, text: (value: number) => string,
             value: Value) {
  return [label, ...results.map((result, index) => {
    const number = value(result);
    return number === undefined ? "-"
                                : figure(number, text(number), `/scenarios/${index}${pointer}`);
  })];
}

function figures(results: Result[]): HTMLElement {
  const add = (label: string, pointer: string, text: (value: number) => string, value: Value) =>
    row(results, label, pointer, text, value);
  const count = (value: number) => value.toLocaleString("en-US");
  const cost = (label: string, key: string, text: (value: number) => string) =>
    add(label, `/cost/${key}`, text, (result) => result.cost?.[key]);
  const rows = [
    add("GPUs", "/engine/gpus", count, (r) => r.engine.gpus),
    add("step time", "/step_time_s", format.seconds, (r) => r.step_time_s),
    add("5 % quantile", "/step_time_interval_s/0", format.seconds, (r) => r.step_time_interval_s[0]),
    add("95 % quantile", "/step_time_interval_s/1", format.seconds,
        (r) => r.step_time_interval_s[1]),
    add("tokens/s", "/tokens_per_s", format.number, (r) => r.tokens_per_s),
    add("tokens/s a GPU", "/tokens_per_s_per_gpu", format.number, (r) => r.tokens_per_s_per_gpu),
    add("MFU", "/mfu", format.share, (r) => r.mfu),
    add("HFU", "/hfu", format.share, (r) => r.hfu),
    add("memory", "/memory/peak_bytes", format.bytes, (r) => r.memory.peak_bytes),
    add("capacity", "/memory/capacity_bytes", format.bytes, (r) => r.memory.capacity_bytes),
    ["fits", ...results.map((result) => (result.fits ? "yes" : "no"))],
    add("risk of running out", "/oom_probability", format.share, (r) => r.oom_probability),
  ];
  if (results.some((result) => result.cost)) {
    rows.push(cost("cost an hour", "usd_per_hour", format.usd),
              cost("cost per million tokens", "usd_per_million_tokens", format.usd));
  }
  if (results.some((result) => result.cost?.["training_hours"] !== undefined)) {
    rows.push(cost("whole training", "training_hours", format.hours),
              cost("its price", "training_usd", format.usd),
              cost("its energy", "energy_kwh", (value) => `${format.number(value)} kWh`));
  }
  return section("Side by side", table("Figures of each scenario", ["", ...names(results)], rows));
}

const names = (results: Result[]) => results.map((_, index) => format.shortName(index));

function legend(results: Result[], descriptions: string[][]): HTMLElement {
  const entries = results.flatMap((result, index) => [
    element("dt", {}, `${format.shortName(index)}: ${result.title}`),
    element("dd", {}, ...descriptions[index].map((line) => paragraph(line, "quiet")))]);
  return element("dl", {}, ...entries);
}

function timeSection(results: Result[]): HTMLElement {
  const parts = results.map((result) => result.breakdown_s);
  const rows = usedKeys(parts).map((key) =>
    row(results, format.words(key), `/breakdown_s/${key}`, format.seconds, (r) => r.breakdown_s[key]));
  const limits = results.map((result, index) =>
    element("li", {}, `${format.shortName(index)}: ${result.bottleneck}.`));
  const bars = parts.map((part, index) => ({ name: format.shortName(index), parts: part }));
  return section("Where the time goes", timeBars("Parts of each scenario's step", bars),
                 table("Parts of the step, on the critical rank", ["", ...names(results)], rows),
                 element("ul", {}, ...limits));
}

/// A chart of each scenario that is drawn, under its name.
function eachDrawn(drawings: Drawing[], chart: (drawing: Drawing, index: number) => HTMLElement) {
  return drawings.flatMap((drawing, index) => [
    element("h3", {}, format.shortName(index)), chart(drawing, index)]);
}

/// Under each other on one scale of time, where the longest step fills the width.
function timelineSection(results: Result[], drawings: Drawing[]): HTMLElement[] {
  if (drawings.length === 0) return [];
  const longest = Math.max(...results.slice(0, drawings.length).map((one) => one.step_time_s));
  const stages = drawings.map(drawnStages).find((text) => text !== "") ?? "";
  return [section(
    "What runs when",
    ...eachDrawn(drawings, (drawing, index) => timeline(
      `What each stage's streams do over the step of ${format.shortName(index)}`, drawing, longest)),
    paragraph(`One scale of time for all. ${stages}${howToRead}`, "quiet"))];
}

function memoryCurvesOf(results: Result[], drawings: Drawing[]): HTMLElement[] {
  return eachDrawn(drawings, (drawing, index) => memoryCurves(
    `Allocated memory of each stage over the step of ${format.shortName(index)}`, drawing,
    results[index].memory.capacity_bytes));
}

function movedSection(moved: Moved, index: number): HTMLElement {
  const from = format.shortName(0);
  const to = format.shortName(index + 1);
  const rows = Object.entries(moved.breakdown)
    .filter(([, part]) => part.from_s !== 0 || part.to_s !== 0)
    .map(([key, part]) => {
      const at = `/moved/${index}/breakdown/${key}`;
      return [format.words(key), figure(part.from_s, format.seconds(part.from_s), `${at}/from_s`),
              figure(part.to_s, format.seconds(part.to_s), `${at}/to_s`),
              figure(part.change_s, format.signed(part.change_s, format.seconds), `${at}/change_s`),
              part.share_of_change === null ? "-" : format.share(part.share_of_change)];
    });
  return section(`What moved from ${from} to ${to}`,
                 waterfall(`From the step of ${from} to that of ${to}`, moved, from, to),
                 table("Time in a step", ["", from, to, "change", "of change"], rows),
                 paragraph(moved.answer, "answer"));
}

function stageNames(results: Result[]) {
  return results.flatMap((result, index) => result.memory.per_stage.map((stage, at) => ({
    name: `${format.shortName(index)}, stage ${stage.stage}`, stage,
    capacity: result.memory.capacity_bytes, pointer: `/scenarios/${index}/memory/per_stage/${at}` })));
}

// GPUs of another capacity get a chart of their own: a chart has one line of capacity.
function memorySection(results: Result[], drawings: Drawing[]): HTMLElement {
  const all = stageNames(results);
  const keys = usedKeys(all.map(({ stage }) => stage.parts_bytes));
  const charts = [...new Set(all.map(({ capacity }) => capacity))].map((capacity) => {
    const bars = all.filter((stage) => stage.capacity === capacity)
      .map(({ name, stage }) => ({ name, parts: stage.parts_bytes }));
    return memoryBars("Memory by scenario and stage, beside the capacity", bars, capacity);
  });
  const rows = all.map(({ name, stage, capacity, pointer }) => [
    name, ...keys.map((key) => figure(stage.parts_bytes[key], format.gib(stage.parts_bytes[key]),
                                      `${pointer}/parts_bytes/${key}`)),
    figure(stage.device_bytes, format.gib(stage.device_bytes), `${pointer}/device_bytes`),
    format.share(stage.device_bytes / capacity)]);
  return section("Memory of a GPU", ...memoryCurvesOf(results, drawings),
                 element("h3", {}, "At its peak"), ...charts,
                 table("By pipeline stage, in GiB",
                       ["", ...keys.map(format.words), "device", "of capacity"], rows));
}

export function comparison(result: Comparison, texts: Texts): Node[] {
  const results = result.scenarios;
  const drawings = texts.drawings ?? [];
  const warnings = results.flatMap((one, index) =>
    (one.warnings ?? []).map((warning) => `${format.shortName(index)}: ${warning}`));
  return [heading("h1", results.length === 2 ? results.map((one) => one.title).join(" and ")
                                             : `${results.length} scenarios compared`, []),
          legend(results, texts.descriptions),
          ...result.moved.map((moved) => paragraph(moved.answer, "answer")),
          figures(results), timeSection(results), ...result.moved.map(movedSection),
          ...timelineSection(results, drawings), memorySection(results, drawings),
          ...warningsSection(warnings),
          ...results.map((one, index) => engineLine(one, texts.notes[index]))];
}
