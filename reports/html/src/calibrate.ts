// What a calibration found: its inputs, how far the model lies from them before and after, and the
// constants that they moved.
import { agreementChart, constantsChart, curveChart, errorChart, measuredText, shiftOf }
  from "./calibration_charts";
import { element, figure, paragraph, section, table } from "./dom";
import { bytes, number, rate, share, signedShare, words } from "./format";
import { heading } from "./predict";
import type { BandwidthCurve, Calibration, CalibratedConstant, Residual } from "./result";
import { rowsTable } from "./rows_table";
import type { Column } from "./rows_table";

const count = (value: number): string => value.toLocaleString("en-US");

function inputsSection(result: Calibration): HTMLElement {
  const rows = result.inputs.map((input, index) => [
    input.file, input.format, figure(input.rows, count(input.rows), `/inputs/${index}/rows`),
    figure(input.rows_used, count(input.rows_used), `/inputs/${index}/rows_used`)]);
  const findings = result.inputs.flatMap((input) =>
    input.findings.map(({ finding }) => element("li", {}, `${input.file}: ${finding}`)));
  return section("Inputs", table("What was measured", ["", "format", "rows", "used"], rows),
                 ...(findings.length > 0 ? [element("ul", {}, ...findings)] : []));
}

function errorsSection(result: Calibration): HTMLElement {
  const rows = result.errors.map((errors, index) => {
    const shown = (key: "median_before" | "p90_before" | "median_after" | "p90_after" |
                        "median_left_out") =>
      figure(errors[key], share(errors[key]), `/errors/${index}/${key}`);
    return [words(errors.group), figure(errors.rows, count(errors.rows), `/errors/${index}/rows`),
            shown("median_before"), shown("p90_before"), shown("median_after"), shown("p90_after"),
            shown("median_left_out")];
  });
  return section(
    "Errors before and after",
    table("Sizes of predicted / measured - 1, median and 90 % point",
          ["", "rows", "before", "90 %", "after", "90 %", "left out"], rows),
    paragraph("Left out: each row predicted with constants fitted to all the others. It is the " +
              "figure to believe; \"after\" is of the very rows that were fitted.", "quiet"));
}

function curveSection(curve: BandwidthCurve, index: number, result: Calibration): HTMLElement {
  const name = `${words(curve.collective)} over ${curve.ranks} ranks`;
  const rows = curve.points.map((point, at) => {
    const shown = (key: "measured_bytes_per_s" | "before_bytes_per_s" | "fitted_bytes_per_s") =>
      figure(point[key], rate(point[key]), `/bus_bandwidths/${index}/points/${at}/${key}`);
    const error = result.residuals[point.residual].after;
    return [bytes(point.message_bytes), shown("measured_bytes_per_s"), shown("before_bytes_per_s"),
            shown("fitted_bytes_per_s"),
            figure(error, signedShare(error), `/residuals/${point.residual}/after`)];
  });
  return section(
    `Bus bandwidth: ${name}`,
    curveChart(`Bus bandwidth of ${name} by message, measured and fitted`, curve, result.residuals),
    paragraph(`The band holds 90 % of single measurements by the noise that the fit found: ` +
              `${share(result.collective_noise)} of a time.`, "quiet"),
    errorChart(`Errors of ${name} by message`, curve, result.residuals),
    element("details", {}, element("summary", {}, "Figures"),
            table("Bus bandwidth, and the error of the fitted time",
                  ["message", "measured", "before", "fitted", "error"], rows)));
}

// Collectives have their curves.
function agreementSections(result: Calibration): HTMLElement[] {
  const others = result.residuals.filter((row) => row.collective === "");
  return [...new Set(others.map((row) => row.kind))].map((kind) => {
    const rows = others.filter((row) => row.kind === kind);
    return section(`${words(kind)}: predicted beside measured`.replace(/^./, (c) => c.toUpperCase()),
                   agreementChart(`Predicted beside measured ${words(kind)}, before and after`,
                                  rows, measuredText(rows[0])));
  });
}

const sizeColumn = (title: string, value: (row: Residual) => number): Column<Residual> =>
  ({ title, width: 96, value, text: (size, row) => measuredText(row)(Number(size)) });

const errorColumn = (title: string, key: "before" | "after" | "left_out"): Column<Residual> => ({
  title, width: 96, value: (row) => row[key], text: (value) => signedShare(Number(value)), per: 0.01,
  pointer: (index) => `/residuals/${index}/${key}`,
});

function measurementsSection(result: Calibration): HTMLElement {
  const columns: Column<Residual>[] = [
    { title: "kind", width: 110, value: (row) => words(row.collective || row.kind), text: String },
    { title: "measurement", width: 250, value: (row) => row.name, text: String },
    { title: "line", width: 60, value: (row) => row.line, text: String },
    { ...sizeColumn("measured", (row) => row.measured),
      pointer: (index) => `/residuals/${index}/measured` },
    sizeColumn("predicted before", (row) => row.measured * (1 + row.before)),
    sizeColumn("predicted after", (row) => row.measured * (1 + row.after)),
    errorColumn("error before", "before"), errorColumn("after", "after"),
    errorColumn("left out", "left_out"),
    { title: "weight", width: 84, value: (row) => row.weight, per: 1,
      text: (value) => number(Number(value)), pointer: (index) => `/residuals/${index}/weight` },
    { title: "file", width: 280, value: (row) => row.file, text: String },
  ];
  const shown = rowsTable("Measurements", columns, result.residuals, () => {});
  return section("Every measurement", shown.box,
                 paragraph("A weight near 0: the fit took the row for an outlier.", "quiet"));
}

const spreadText = (one: CalibratedConstant, spread: number): string =>
  one.additive ? number(spread) : share(spread);

function constantRow(one: CalibratedConstant, index: number) {
  const shown = (key: "prior" | "value" | "prior_spread" | "spread" | "prior_kept",
                 text: string) => figure(one[key], text, `/constants/${index}/${key}`);
  return [one.path, shown("prior", number(one.prior)),
          shown("prior_spread", spreadText(one, one.prior_spread)),
          shown("value", number(one.value)), shown("spread", spreadText(one, one.spread)),
          shown("prior_kept", share(one.prior_kept))];
}

function constantsSection(result: Calibration): HTMLElement {
  const moved = result.constants.map((one, index) => ({ one, index }))
    .filter(({ one }) => one.prior_kept !== 1);
  moved.sort((a, b) => Math.abs(shiftOf(b.one)) - Math.abs(shiftOf(a.one)));
  const unfelt = result.constants.filter((one) => one.prior_kept === 1).map((one) => one.path);
  const chart = moved.length === 0 ? [] : [
    constantsChart("Constants after the fit, in spreads of their prior",
                   moved.slice(0, 30).map(({ one }) => one)),
    paragraph("Grey is what was believed before: one spread to either side. A short line says that " +
              "the measurements know the constant, a line as wide as the grey that they do not.",
              "quiet")];
  return section(
    "Constants", ...chart,
    table("Constants that the measurements moved, in base units",
          ["", "before", "spread", "after", "spread", "spread kept"],
          moved.map(({ one, index }) => constantRow(one, index))),
    element("details", {},
            element("summary", {}, `${count(unfelt.length)} constants that they say nothing about`),
            paragraph(unfelt.join(", "), "quiet")));
}

export function calibration(result: Calibration): Node[] {
  const prior = `Profiles ${result.gpu}, ${result.network} and ${result.framework} as prior`;
  const warning = result.converged ? [] : [
    paragraph("The fit stopped before it converged: take its figures with care.", "warnings")];
  return [heading("h1", "Calibration", [prior]), ...warning, inputsSection(result),
          errorsSection(result),
          ...result.bus_bandwidths.map((curve, index) => curveSection(curve, index, result)),
          ...agreementSections(result), constantsSection(result), measurementsSection(result)];
}
