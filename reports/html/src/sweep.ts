// The layouts that a sweep predicted: their Pareto front, their choices, all of them in a table, and
// the best in full.
import { refresh } from "./chart";
import { element, figure, paragraph, section } from "./dom";
import { words } from "./format";
import { frontChart, parallelChart } from "./layout_charts";
import { choiceText, dividedKeys, figuresOf, figureText, firstAxes, isPredicted }
  from "./layout_figures";
import type { FigureKey, LayoutFigure, PredictedRow } from "./layout_figures";
import { heading, prediction } from "./predict";
import type { LayoutRow, Report, Sweep } from "./result";
import { rowsTable } from "./rows_table";
import type { Column, RowsTable } from "./rows_table";

type Choose = (figure: LayoutFigure) => void;

function figureChoice(name: string, figures: LayoutFigure[], first: FigureKey, choose: Choose) {
  const options = figures.map((shown) =>
    element("option", { value: shown.key, ...(shown.key === first ? { selected: "" } : {}) },
            shown.name));
  const select = element("select", {}, ...options) as HTMLSelectElement;
  select.addEventListener("change", () => choose(figures[select.selectedIndex]));
  return element("label", {}, `${name} `, select);
}

interface Front {
  box: HTMLElement;
  show: (rows: PredictedRow[]) => void;
}

function front(result: Sweep, rows: PredictedRow[], keys: string[]): Front {
  const figures = figuresOf(rows);
  const first = firstAxes(result);
  const named = (key: FigureKey) => figures.find((shown) => shown.key === key) ?? figures[0];
  const view = { rows, x: named(first.x), y: named(first.y) };
  const chart = frontChart("Pareto front of the layouts", view, keys, figures);
  const change = (changed: Partial<typeof view>) => {
    Object.assign(view, changed);
    refresh(chart);
  };
  const choices = element("p", { class: "controls" },
                          figureChoice("up", figures, first.y, (y) => change({ y })),
                          figureChoice("across", figures, first.x, (x) => change({ x })));
  return { box: element("div", {}, choices, chart), show: (shown) => change({ rows: shown }) };
}

function choiceColumn(key: string): Column<LayoutRow> {
  return {
    title: words(key),
    width: 92,
    value: (row) => {
      const choice = row.choices?.[key];
      return typeof choice === "number" ? choice : choiceText(choice);
    },
    text: String,
  };
}

const figureColumn = (shown: LayoutFigure): Column<LayoutRow> => ({
  title: shown.name,
  width: shown.unit === "tokens/s" ? 122 : 96,
  value: (row) => row[shown.key] ?? null,
  text: (value) => figureText(shown, Number(value)),
  per: shown.per,
  pointer: (index) => `/rows/${index}/${shown.key}`,
});

const textColumn = (title: string, width: number, value: (row: LayoutRow) => string | null):
    Column<LayoutRow> => ({ title, width, value, text: String });

// What a search is mostly about stands before the choices, what else is known after them.
const leading: FigureKey[] = ["step_time_s", "peak_bytes", "usd_per_million_tokens"];

function columns(rows: LayoutRow[], keys: string[]): Column<LayoutRow>[] {
  const clusters = new Set(rows.map((row) => row.cluster));
  const figures = figuresOf(rows);
  const errors = rows.some((row) => row.error)
    ? [textColumn("error", 420, (row) => row.error ?? null)] : [];
  return [
    ...(clusters.size > 1 ? [textColumn("cluster", 140, (row) => row.cluster)] : []),
    ...figures.filter(({ key }) => leading.includes(key)).map(figureColumn),
    ...keys.map(choiceColumn),
    textColumn("allowed", 84, (row) => (row.allowed ? "yes" : "no")),
    ...figures.filter(({ key }) => !leading.includes(key)).map(figureColumn),
    textColumn("engine", 84, (row) => row.engine ?? null),
    textColumn("bottleneck", 420, (row) => row.bottleneck ?? null),
    ...errors,
  ];
}

// Throughput and the cost of a training rise and fall with these.
const drawn: FigureKey[] = ["step_time_s", "mfu", "bubble_fraction", "peak_bytes",
                            "oom_probability", "usd_per_million_tokens"];

function countsLine(result: Sweep): HTMLElement {
  const count = (key: keyof Sweep, text: string) => {
    const value = result[key] as number;
    return [figure(value, value.toLocaleString("en-US"), `/${key}`), text];
  };
  return element("p", { class: "quiet" }, ...count("layouts_valid", " valid layouts: "),
                 ...count("layouts_not_allowed", " not allowed, "),
                 ...count("layouts_bounded", " that cannot be better, "),
                 ...count("layouts_certified", " certified, "),
                 ...count("layouts_simulated", " simulated, "),
                 ...count("layouts_failed", " failed"));
}

const frontNote = (result: Sweep): string => result.pareto_with
  ? `The search holds every layout against the front of ${words(result.objective)} and ` +
    `${words(result.pareto_with)}. Of other figures, the front is that of the layouts shown here.`
  : "The front is that of the layouts shown here: those that cannot be better by " +
    `${words(result.objective)} were not predicted. A sweep --pareto-with holds every layout ` +
    "against the front of two figures.";

function layoutSections(result: Sweep): HTMLElement[] {
  const rows = result.rows.filter(isPredicted);
  const { varied, same } = dividedKeys(rows);
  const pareto = front(result, rows, varied);
  const table: RowsTable<LayoutRow> =
    rowsTable("Layouts that were predicted, best first", columns(result.rows, varied), result.rows,
              (shown) => pareto.show(shown.filter(isPredicted)));
  const lines = parallelChart("Choices and figures of each layout", rows, varied,
                              figuresOf(rows).filter(({ key }) => drawn.includes(key)),
                              (keep) => table.filter((row) => isPredicted(row) && keep(row)));
  return [
    section("Pareto front", pareto.box, paragraph(frontNote(result), "quiet")),
    section("Choices and what they bring", lines,
            paragraph("A line is a layout, the best one in bold. Drag along an axis to keep the " +
                      "lines that pass there, here and in the table; click the axis to let go.",
                      "quiet"),
            ...(same.length > 0 ? [paragraph(`The same in all: ${same.join(", ")}.`, "quiet")] : [])),
    section("All layouts", table.box,
            paragraph("A heading sorts. Above figures, \"< 40\" or \">= 0.5\" filters in the " +
                      "column's unit.", "quiet screen")),
  ];
}

export function sweep(report: Extract<Report, { kind: "sweep" }>): Node[] {
  const { result } = report;
  const lead = [
    heading("h1", result.title, [`Layouts by ${words(result.objective)}`]),
    paragraph(report.proof, "answer"), countsLine(result),
    ...report.left_out.map((note) => paragraph(note, "quiet"))];
  const layouts = result.rows.some(isPredicted) ? layoutSections(result) : [];
  if (!result.best) {
    return [...lead, paragraph("No layout that meets what is asked was found.", "answer"),
            ...layouts];
  }
  return [...lead, ...layouts, element("h1", {}, "The best layout in full"),
          prediction(result.best, report, 0, "/best")];
}
