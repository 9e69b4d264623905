// What is known of a layout: the choices that make it, and the figures that were predicted of it.
import { number, share, words } from "./format";
import type { Choice, LayoutRow, Sweep } from "./result";

export type FigureKey = "step_time_s" | "tokens_per_s" | "mfu" | "bubble_fraction" | "peak_bytes" |
  "oom_probability" | "usd_per_million_tokens" | "training_hours" | "training_usd";

export interface LayoutFigure {
  key: FigureKey;
  name: string;
  unit: string;
  per: number;  ///< the unit in the result's base unit
  better: "less" | "more";
}

const figures: LayoutFigure[] = [
  { key: "step_time_s", name: "step time", unit: "s", per: 1, better: "less" },
  { key: "tokens_per_s", name: "throughput", unit: "tokens/s", per: 1, better: "more" },
  { key: "mfu", name: "MFU", unit: "%", per: 0.01, better: "more" },
  { key: "bubble_fraction", name: "bubble", unit: "%", per: 0.01, better: "less" },
  { key: "peak_bytes", name: "memory", unit: "GiB", per: 2 ** 30, better: "less" },
  { key: "oom_probability", name: "risk of running out", unit: "%", per: 0.01, better: "less" },
  { key: "usd_per_million_tokens", name: "cost per million tokens", unit: "USD", per: 1,
    better: "less" },
  { key: "training_hours", name: "whole training", unit: "h", per: 1, better: "less" },
  { key: "training_usd", name: "its price", unit: "USD", per: 1, better: "less" },
];

/// A layout that was predicted has every figure that any has.
export type PredictedRow = LayoutRow & Required<Pick<LayoutRow, "layout" | "choices">> &
  Record<FigureKey, number>;

export const isPredicted = (row: LayoutRow): row is PredictedRow =>
  typeof row.step_time_s === "number";

/// Those figures that the rows have.
export const figuresOf = (rows: LayoutRow[]): LayoutFigure[] =>
  figures.filter(({ key }) => rows.some((row) => typeof row[key] === "number"));

export const figureText = (shown: LayoutFigure, value: number): string =>
  shown.unit === "%" ? share(value) : `${number(value / shown.per)} ${shown.unit}`;

/// The figure that an objective of the search is about.
export function figureOfObjective(objective: string): FigureKey {
  const known: Record<string, FigureKey> = { step_time: "step_time_s",
                                             memory_headroom: "peak_bytes" };
  return known[objective] ?? (objective as FigureKey);
}

export function choiceText(choice: Choice | undefined): string {
  if (choice === undefined || choice === null) return "-";
  if (typeof choice === "boolean") return choice ? "yes" : "no";
  if (!Array.isArray(choice)) return String(choice);
  return choice.length === 0 ? "none" : choice.map(choiceText).join(" + ");
}

/// The keys in which layouts differ, and what all layouts agree in.
export function dividedKeys(rows: LayoutRow[]): { varied: string[]; same: string[] } {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row.choices ?? {})))];
  const values = (key: string) => new Set(rows.filter((row) => row.choices)
    .map((row) => choiceText(row.choices?.[key])));
  const varied = keys.filter((key) => values(key).size > 1);
  const same = keys.filter((key) => values(key).size === 1)
    .map((key) => `${words(key)} ${[...values(key)][0]}`);
  return { varied, same };
}

/// "tensor parallel 4, recompute none", of those keys.
export const layoutText = (row: LayoutRow, keys: string[]): string =>
  [...(row.cluster ? [row.cluster] : []),
   ...keys.map((key) => `${words(key)} ${choiceText(row.choices?.[key])}`)].join(", ");

/// Those rows that no other betters in one figure without losing in the other, by their `x`.
export function paretoFront(rows: PredictedRow[], x: LayoutFigure, y: LayoutFigure):
    PredictedRow[] {
  const loss = (row: PredictedRow, shown: LayoutFigure) =>
    shown.better === "less" ? row[shown.key] : -row[shown.key];
  const sorted = [...rows].sort((a, b) => loss(a, x) - loss(b, x) || loss(a, y) - loss(b, y));
  let least = Infinity;
  return sorted.filter((row) => {
    if (loss(row, y) >= least) return false;
    least = loss(row, y);
    return true;
  });
}

/// What the charts of a sweep show at first: what it searched for, against memory or the second
/// goal.
export function firstAxes(sweep: Sweep): { x: FigureKey; y: FigureKey } {
  const y = figureOfObjective(sweep.objective);
  const second = figureOfObjective(sweep.pareto_with ?? "memory_headroom");
  return { y, x: second === y ? "step_time_s" : second };
}
