// Predictions beside measurements: how far off the step times are, and what the risk of running out
// of memory is worth.
import { element, figure, paragraph, section, table } from "./dom";
import * as format from "./format";
import { heading } from "./predict";
import type { OomCounts, ReliabilityBin, Validation, ValidationFigures, ValidationRun }
  from "./result";
import { isJudged, isTimed, reliabilityCurve, shareThatFailed, stepTimeScatter } from "./scatter";

type Child = Node | string;

const count = (value: number): string => value.toLocaleString("en-US");

const optional = (value: number | null, text: (value: number) => string, pointer: string): Child =>
  value === null ? "-" : figure(value, text(value), pointer);

function errorRow(name: string, figures: ValidationFigures, at: string): Child[] {
  return [
    name, figure(figures.num_runs, count(figures.num_runs), `${at}/num_runs`),
    optional(figures.step_time_mape, format.share, `${at}/step_time_mape`),
    optional(figures.step_time_median_error, format.share, `${at}/step_time_median_error`),
    optional(figures.step_time_bias, format.signedShare, `${at}/step_time_bias`),
    optional(figures.interval_coverage_90, format.share, `${at}/interval_coverage_90`),
    optional(figures.median_interval_width, format.share, `${at}/median_interval_width`),
    optional(figures.peak_memory_mape, format.share, `${at}/peak_memory_mape`),
  ];
}

function errorRows(name: string, figures: ValidationFigures, at: string): Child[][] {
  const rest = figures.without_stalled;
  return [errorRow(name, figures, at),
          ...(rest ? [errorRow(`${name}, without stalled runs`, rest, `${at}/without_stalled`)]
                   : [])];
}

function stepTimeSection(result: Validation): HTMLElement {
  const timed = result.runs.filter(isTimed);
  const rows = [
    ...result.suites.flatMap((suite, index) => errorRows(suite.title, suite, `/suites/${index}`)),
    ...errorRows("all", result, "")];
  const chart = timed.length === 0 ? [] : [
    stepTimeScatter("Predicted against measured step time of each run", timed),
    paragraph("Above the line the prediction is too slow, below it too fast. A click on a suite's " +
              "name hides its runs.", "quiet")];
  return section(
    "Predicted against measured step time", ...chart,
    table("Errors by suite: predicted / measured - 1 of the step time, and of the peak memory",
          ["", "runs", "MAPE", "median", "bias", "in 90 %", "its width", "memory MAPE"], rows));
}

const binName = (bin: ReliabilityBin): string =>
  `${format.share(bin.probability_from)} to ${format.share(bin.probability_to)}`;

function binRow(bin: ReliabilityBin, at: string): Child[] {
  return [
    binName(bin),
    figure(bin.mean_probability, format.share(bin.mean_probability), `${at}/mean_probability`),
    figure(bin.ran, count(bin.ran), `${at}/ran`),
    figure(bin.failed, count(bin.failed), `${at}/failed`),
    figure(bin.failed_inferred, count(bin.failed_inferred), `${at}/failed_inferred`),
    optional(bin.share_that_ran, format.share, `${at}/share_that_ran`),
    isJudged(bin) ? format.share(shareThatFailed(bin)) : "-",
  ];
}

function oomRow(name: string, oom: OomCounts, at: string): Child[] {
  const shown = (key: keyof OomCounts) => figure(oom[key], count(oom[key]), `${at}/${key}`);
  return [name, shown("true_positive"), shown("false_negative"), shown("false_positive"),
          shown("true_negative")];
}

function riskSection(result: Validation): HTMLElement {
  const bins = result.oom_reliability;
  const used = bins.map((bin, index) => ({ bin, at: `/oom_reliability/${index}` }))
    .filter(({ bin }) => bin.ran + bin.failed + bin.failed_inferred > 0);
  const judged = bins.filter(isJudged);
  const chart = judged.length === 0 ? [] : [
    reliabilityCurve("Share of runs that ran out of memory against the risk foreseen", judged)];
  const silent = bins.some((bin) => bin.failed > 0) ? [] : [
    paragraph("No source states that a run failed: the curve shows how often the risk was a false " +
              "alarm, not whether failures are foreseen.", "answer")];
  return section(
    "Reliability of the risk of running out of memory", ...chart, ...silent,
    paragraph("Above the line more runs failed than was foreseen, below it fewer; n counts the runs " +
              "whose end the source states. Failures that were only inferred are no evidence: " +
              "they count in a row's mean risk, not in its shares.", "quiet"),
    table("Runs by predicted risk, and what came of them",
          ["predicted risk", "mean", "ran", "failed", "inferred failures", "share that ran",
           "share that failed"],
          used.map(({ bin, at }) => binRow(bin, at))),
    table("Failures and the answer \"fits\"",
          ["", "failed, foreseen", "failed, not foreseen", "ran, false alarm", "ran, as foreseen"],
          [oomRow("stated by the source", result.oom, "/oom"),
           oomRow("inferred", result.oom_inferred, "/oom_inferred")]));
}

function runRow(run: ValidationRun, at: string): Child[] {
  const [low, high] = run.predicted_interval_s;
  return [
    run.stalled ? `${run.title} (stalled)` : run.title,
    figure(run.predicted, format.seconds(run.predicted), `${at}/predicted`),
    figure(low, format.seconds(low), `${at}/predicted_interval_s/0`),
    figure(high, format.seconds(high), `${at}/predicted_interval_s/1`),
    optional(run.measured, format.seconds, `${at}/measured`),
    optional(run.error, format.signedShare, `${at}/error`),
    figure(run.oom_probability, format.share(run.oom_probability), `${at}/oom_probability`),
  ];
}

function runsSection(result: Validation): HTMLElement {
  const rows = result.runs.map((run, index) => ({ suite: run.suite,
                                                  row: runRow(run, `/runs/${index}`) }));
  const head = ["", "predicted", "5 %", "95 %", "measured", "error", "risk of running out"];
  const suites = [...new Set(result.runs.map((run) => run.suite))].map((suite) => {
    const own = rows.filter((row) => row.suite === suite).map(({ row }) => row);
    return element("details", {}, element("summary", {}, `${suite}: ${count(own.length)}`),
                   table("Step times of each run", head, own));
  });
  return section("Runs", ...suites);
}

function errorsSection(errors: Validation["errors"]): HTMLElement[] {
  if (!errors) return [];
  const list = errors.map(({ suite, title, message }) =>
    element("li", {}, `${suite}, ${title}: ${message}`));
  return [section("Without an answer", element("ul", { class: "warnings" }, ...list))];
}

export function validation(result: Validation): Node[] {
  const suites = result.suites.map((suite) => suite.title).join(", ");
  return [heading("h1", `${count(result.num_runs)} predictions beside measurements`, [suites]),
          stepTimeSection(result), riskSection(result), runsSection(result),
          ...errorsSection(result.errors)];
}
