// Long tables to sort and filter. Only the rows in view are in the page, so that thousands stay
// quick; paper gets the first of them.
import { EditModule, ExportModule, FilterModule, FormatModule, InteractionModule, PrintModule,
         ResizeTableModule, SortModule, Tabulator } from "tabulator-tables";
import type { CellComponent, ColumnDefinition } from "tabulator-tables";
import "tabulator-tables/dist/css/tabulator_simple.min.css";

import { element, figure, paragraph } from "./dom";

Tabulator.registerModule([EditModule, ExportModule, FilterModule, FormatModule, InteractionModule,
                          PrintModule, ResizeTableModule, SortModule]);

export type Cell = number | string | null;

export interface Column<Row> {
  title: string;
  width: number;                            ///< in pixels
  value: (row: Row) => Cell;                ///< what sorts
  text: (value: Cell, row: Row) => string;  ///< as it reads; not asked for null
  per?: number;                             ///< of a figure: what its unit is in the result's base unit
  pointer?: (index: number) => string;      ///< of a figure: where it stands in the result
}

export interface RowsTable<Row> {
  box: HTMLElement;
  /// Only rows that `keep` says yes to, beside what the columns' filters say.
  filter: (keep: (row: Row) => boolean) => void;
}

type Cells = { [field: string]: Cell };

const printedRows = 60;
const maxHeight = 520;

const field = (column: number): string => `column_${column}`;
const indexField = "index";

const starting: (() => Promise<void>)[] = [];

/// Fills every table. Requires their boxes to be in the document.
export const startTables = (): Promise<void[]> => Promise.all(starting.map((start) => start()));

/// What is typed above a column of figures: "< 40" and its kin compare in the column's unit, anything
/// else is how the figure begins as it reads.
export function matches(typed: string, value: Cell, per: number, text: string): boolean {
  const bound = /^\s*(<=?|>=?)\s*([\d.]+(?:e[+-]?\d+)?)/i.exec(typed);
  if (!bound) return text.startsWith(typed.trim());
  if (typeof value !== "number") return false;
  const [limit, shown] = [Number(bound[2]), value / per];
  switch (bound[1]) {
    case "<": return shown < limit;
    case "<=": return shown <= limit;
    case ">": return shown > limit;
    default: return shown >= limit;
  }
}

function textOf<Row>(column: Column<Row>, row: Row): string {
  const value = column.value(row);
  return value === null ? "-" : column.text(value, row);
}

const rowOf = <Row>(rows: Row[], cells: Cells): Row => rows[Number(cells[indexField])];

function figureFilter<Row>(column: Column<Row>, per: number, rows: Row[]):
    Partial<ColumnDefinition> {
  return {
    headerFilter: "input",
    headerFilterPlaceholder: "as in < 40",
    headerFilterFunc: (typed: string, value: Cell, cells: Cells) =>
      matches(typed, value, per, textOf(column, rowOf(rows, cells))),
  };
}

// A column of few different texts is filtered by choosing one.
function textFilter<Row>(column: Column<Row>, rows: Row[]): Partial<ColumnDefinition> {
  const texts = [...new Set(rows.map((row) => textOf(column, row)))];
  texts.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (texts.length > 12) {
    return {
      headerFilter: "input",
      headerFilterFunc: (typed: string, _: Cell, cells: Cells) =>
        textOf(column, rowOf(rows, cells)).toLowerCase().includes(typed.toLowerCase()),
    };
  }
  return {
    headerFilter: "list",
    headerFilterParams: { values: ["", ...texts], clearable: true },
    headerFilterFunc: (wanted: string, _: Cell, cells: Cells) =>
      wanted === "" || textOf(column, rowOf(rows, cells)) === wanted,
  };
}

function shownCell<Row>(column: Column<Row>, row: Row, index: number): HTMLElement {
  const value = column.value(row);
  return typeof value === "number" && column.pointer
    ? figure(value, column.text(value, row), column.pointer(index))
    : element("span", {}, textOf(column, row));
}

function definition<Row>(column: Column<Row>, index: number, rows: Row[]): ColumnDefinition {
  const isNumber = rows.some((row) => typeof column.value(row) === "number");
  const filter = column.per === undefined ? textFilter(column, rows)
                                          : figureFilter(column, column.per, rows);
  return {
    title: column.title,
    field: field(index),
    hozAlign: isNumber ? "right" : "left",
    headerHozAlign: isNumber ? "right" : "left",
    sorter: isNumber ? "number" : "alphanum",
    sorterParams: { alignEmptyValues: "bottom" },
    headerWordWrap: true,
    width: column.width,
    minWidth: column.width,
    formatter: (cell: CellComponent) => {
      const cells = cell.getData() as Cells;
      return shownCell(column, rowOf(rows, cells), Number(cells[indexField]));
    },
    ...filter,
  } as ColumnDefinition;
}

function record<Row>(columns: Column<Row>[], row: Row, index: number): Cells {
  const cells = columns.map((column, at) => [field(at), column.value(row)]);
  return { [indexField]: index, ...Object.fromEntries(cells) };
}

function made<Row>(box: HTMLElement, columns: Column<Row>[], rows: Row[]): Tabulator {
  const table: Tabulator = new Tabulator(box, {
    data: rows.map((row, index) => record(columns, row, index)),
    index: indexField,
    columns: columns.map((column, index) => definition(column, index, rows)),
    maxHeight,
    layout: "fitColumns",
    placeholder: "No row passes the filters.",
    printAsHtml: true,
    printRowRange: () => table.getRows("active").slice(0, printedRows),
  });
  return table;
}

/// Rows in their order until a heading is clicked. `onShown` hears which rows pass the filters.
export function rowsTable<Row>(caption: string, columns: Column<Row>[], rows: Row[],
                               onShown: (rows: Row[]) => void): RowsTable<Row> {
  const box = element("div", { class: "rows" });
  const count = element("span", { class: "rows-shown" }, rows.length.toLocaleString("en-US"));
  const frame = element("div", { role: "region", "aria-label": caption },
                        paragraph(element("span", { class: "quiet" }, `${caption}: `, count)), box);
  let table: Tabulator | undefined;
  starting.push(() => new Promise((built) => {
    table = made(box, columns, rows);
    table.on("dataFiltered", (_, left) => {
      count.textContent = left.length.toLocaleString("en-US");
      onShown(left.map((one) => rows[one.getData()[indexField]]));
    });
    table.on("tableBuilt", () => built());
  }));
  return {
    box: frame,
    filter: (keep) => table?.setFilter((data: Cells) => keep(rows[Number(data[indexField])])),
  };
}
