// One prediction, or the several of a suite one below the other.
import { memoryBars, timeBars, usedKeys } from "./bars";
import { element, figure, paragraph, section, table } from "./dom";
import * as format from "./format";
import { clusterDrawing, useLegend } from "./cluster_drawing";
import type { Drawing, LinkLoad, Result, Texts } from "./result";
import { memoryCurves, timeline } from "./step_charts";
import { foldedNote } from "./topology";

type Child = Node | string;

function card(name: string, main: Child, ...details: Child[]): HTMLElement {
  return element("div", { class: "card" }, element("h3", {}, name),
                 element("p", { class: "main" }, main), element("p", {}, ...details));
}

function costCards(cost: Record<string, number>, at: string): HTMLElement[] {
  const usd = (key: string) => figure(cost[key], format.usd(cost[key]), `${at}/cost/${key}`);
  const cards = [card("Cost", usd("usd_per_million_tokens"), "per million tokens, ",
                      usd("usd_per_hour"), " an hour")];
  const hours = cost["training_hours"];
  if (hours !== undefined) {
    const details: Child[] = [];
    if (cost["training_usd"] !== undefined) details.push(usd("training_usd"));
    if (cost["energy_kwh"] !== undefined)
      details.push(", ", figure(cost["energy_kwh"], `${format.number(cost["energy_kwh"])} kWh`,
                                `${at}/cost/energy_kwh`));
    cards.push(card("Whole training",
                    figure(hours, format.hours(hours), `${at}/cost/training_hours`), ...details));
  }
  return cards;
}

function headline(result: Result, at: string): HTMLElement {
  const shown = (key: "tokens_per_s" | "tokens_per_s_per_gpu", text: string) =>
    figure(result[key], text, `${at}/${key}`);
  const [low, high] = result.step_time_interval_s;
  const memory = result.memory;
  const oom = figure(result.oom_probability, format.share(result.oom_probability),
                     `${at}/oom_probability`);
  const memoryCard = card(
    "Memory", figure(memory.peak_bytes, format.bytes(memory.peak_bytes), `${at}/memory/peak_bytes`),
    "of ", figure(memory.capacity_bytes, format.bytes(memory.capacity_bytes),
                  `${at}/memory/capacity_bytes`),
    result.fits ? ", fits; risk of running out " : ", does not fit; risk of running out ", oom);
  if (!result.fits) memoryCard.classList.add("bad");
  return element(
    "div", { class: "cards" },
    card("Step time", figure(result.step_time_s, format.seconds(result.step_time_s),
                             `${at}/step_time_s`),
         "90 % between ", figure(low, format.seconds(low), `${at}/step_time_interval_s/0`), " and ",
         figure(high, format.seconds(high), `${at}/step_time_interval_s/1`)),
    card("Throughput", shown("tokens_per_s", `${format.number(result.tokens_per_s)} tokens/s`),
         shown("tokens_per_s_per_gpu", `${format.number(result.tokens_per_s_per_gpu)} tokens/s`),
         " a GPU"),
    card("MFU", figure(result.mfu, format.share(result.mfu), `${at}/mfu`), "HFU ",
         figure(result.hfu, format.share(result.hfu), `${at}/hfu`), ", ",
         figure(result.model_flop_rate_per_gpu, format.flop(result.model_flop_rate_per_gpu, "FLOP/s"),
                `${at}/model_flop_rate_per_gpu`),
         " a GPU"),
    memoryCard, ...(result.cost ? costCards(result.cost, at) : []));
}

function timeSection(result: Result, at: string): HTMLElement {
  const parts = result.breakdown_s;
  const where = `on the critical rank (stage ${result.critical_stage})`;
  const rows = usedKeys([parts]).map((key) => [
    format.words(key), figure(parts[key], format.seconds(parts[key]), `${at}/breakdown_s/${key}`),
    format.share(parts[key] / result.step_time_s)]);
  return section("Where the time goes", paragraph(`${result.bottleneck}.`, "answer"),
                 timeBars(`Parts of the step ${where}`, [{ name: "step", parts }]),
                 table(`Parts of the step, ${where}`, ["", "time", "of the step"], rows));
}

export const howToRead =
  "A row is a stream of a stage. Drag the slider below to zoom, or turn the wheel with Ctrl held; " +
  "stream by stream, gaps are waits. Spans of a kind closer than a two-thousandth of the step are " +
  "drawn as one.";

export const drawnStages = (drawing: Drawing): string =>
  drawing.stages > drawing.memory.length
    ? `${drawing.memory.length} of ${drawing.stages} stages are drawn. ` : "";

function timelineSection(drawing: Drawing | undefined): HTMLElement[] {
  if (!drawing) return [];
  return [section(
    "What runs when", timeline("What each stage's streams do over the step", drawing),
    paragraph(drawnStages(drawing) + howToRead, "quiet"))];
}

const rowsOfLinks = 12;

function linksTable(links: LinkLoad[], at: string): HTMLElement[] {
  if (links.length === 0) return [];
  const rows = links.slice(0, rowsOfLinks).map((link, index) => {
    const shown = (key: "links" | "bandwidth_bytes_per_s" | "carried_bytes" | "utilisation",
                   text: string) => figure(link[key], text, `${at}/links/${index}/${key}`);
    return [link.name, shown("links", link.links.toLocaleString("en-US")),
            shown("bandwidth_bytes_per_s", format.rate(link.bandwidth_bytes_per_s)),
            shown("carried_bytes", format.bytes(link.carried_bytes)),
            shown("utilisation", format.share(link.utilisation)), format.words(link.activity)];
  });
  const more = links.length > rows.length ? `, the fullest ${rows.length} of ${links.length}` : "";
  return [table(`Mean over the step, of links that carry the same${more}`,
                ["", "links", "bandwidth", "carried by each", "full", "mostly"], rows)];
}

function linksSection(result: Result, drawing: Drawing | undefined, at: string): HTMLElement[] {
  const use = drawing?.use;
  if (!use) return [];
  const network = use.network
    ? [clusterDrawing("How full the links of the network are", use.network),
       ...foldedNote(use.network)] : [];
  return [section("How full the links are", ...network,
                  paragraph(`Node ${use.node_number}, which has the fullest link inside:`, "quiet"),
                  clusterDrawing("How full the links of a node are", use.node),
                  ...foldedNote(use.node), useLegend(), ...linksTable(result.links ?? [], at))];
}

function memorySection(result: Result, drawing: Drawing | undefined, at: string): HTMLElement {
  const stages = result.memory.per_stage;
  const capacity = result.memory.capacity_bytes;
  const keys = usedKeys(stages.map((stage) => stage.parts_bytes));
  const place = (index: number) => `${at}/memory/per_stage/${index}`;
  const parts = stages.map((stage, index) => [
    `stage ${stage.stage}`,
    ...keys.map((key) => figure(stage.parts_bytes[key], format.gib(stage.parts_bytes[key]),
                                `${place(index)}/parts_bytes/${key}`))]);
  const use = stages.map((stage, index) => {
    const shown = (key: "allocated_bytes" | "reserved_bytes" | "device_bytes") =>
      figure(stage[key], format.bytes(stage[key]), `${place(index)}/${key}`);
    return [`stage ${stage.stage}`, shown("allocated_bytes"), shown("reserved_bytes"),
            shown("device_bytes"), format.share(stage.device_bytes / capacity),
            figure(stage.peak_at_s, format.seconds(stage.peak_at_s), `${place(index)}/peak_at_s`)];
  });
  const bars = stages.map((stage) => ({ name: `stage ${stage.stage}`, parts: stage.parts_bytes }));
  return section(
    "Memory of a GPU",
    ...(drawing ? [memoryCurves("Allocated memory of each stage over the step", drawing, capacity),
                   paragraph(`${drawnStages(drawing)}Allocated by the framework; what the device ` +
                             "holds beyond that (reserved fragments, CUDA context, NCCL) stands " +
                             "below, at the peak.", "quiet")] : []),
    memoryBars("Memory by pipeline stage, beside the capacity", bars, capacity),
    table(`Peak by pipeline stage; capacity ${format.bytes(capacity)}`,
          ["", "allocated", "reserved", "device", "of capacity", "peak at"], use),
    table("What it holds, in GiB", ["", ...keys.map(format.words)], parts));
}

function claimsSection(result: Result, caveats: string[], at: string): HTMLElement[] {
  if (!result.claims) return [];
  const rows = Object.entries(result.claims).map(([key, claim]) => {
    const shown = (name: "claimed" | "predicted") =>
      figure(claim[name], format.claimed(key, claim[name]), `${at}/claims/${key}/${name}`);
    const factor = claim.ratio === null ? "" : `: ${format.number(claim.ratio)} times the claim`;
    return [format.words(key), shown("claimed"), shown("predicted"),
            claim.agrees ? "agrees" : `does not agree${factor}`];
  });
  return [section("Claims", table("Published figures beside the predicted ones",
                                  ["", "claimed", "predicted", ""], rows),
                  ...caveats.map((caveat) => paragraph(`Mind: ${caveat}`)))];
}

export function warningsSection(warnings: string[]): HTMLElement[] {
  if (warnings.length === 0) return [];
  const list = element("ul", { class: "warnings" },
                       ...warnings.map((warning) => element("li", {}, warning)));
  return [section("Warnings", list)];
}

export function engineLine(result: Result, note: string): HTMLElement {
  const { name, rank_classes, gpus, activities } = result.engine;
  return element(
    "footer", {},
    paragraph(`${name} engine: ${rank_classes.toLocaleString("en-US")} of ` +
              `${gpus.toLocaleString("en-US")} GPUs stand for all, ` +
              `${activities.toLocaleString("en-US")} activities`),
    paragraph(note));
}

export function heading(level: string, title: string, description: string[]): HTMLElement {
  return element("header", {}, element(level, {}, title),
                 ...description.map((line) => paragraph(line, "quiet")));
}

/// `at`: JSON pointer of the result.
export function prediction(result: Result, texts: Texts, index: number, at: string): HTMLElement {
  const drawing = texts.drawings?.[index];
  return element("article", { id: `prediction-${index}` },
                 heading("h1", result.title, texts.descriptions[index]), headline(result, at),
                 timeSection(result, at), ...timelineSection(drawing),
                 memorySection(result, drawing, at), ...linksSection(result, drawing, at),
                 ...claimsSection(result, texts.caveats[index], at),
                 ...warningsSection(result.warnings ?? []),
                 engineLine(result, texts.notes[index]));
}

function overview(results: Result[]): HTMLElement {
  const rows = results.map((result, index) => [
    element("a", { href: `#prediction-${index}` }, result.title), format.seconds(result.step_time_s),
    `${format.number(result.tokens_per_s)}`, format.share(result.mfu),
    format.bytes(result.memory.peak_bytes), result.fits ? "yes" : "no"]);
  return table("All predictions", ["", "step time", "tokens/s", "MFU", "memory", "fits"], rows);
}

export function predictions(results: Result[], texts: Texts): Node[] {
  const several = results.map((result, index) => prediction(result, texts, index, `/${index}`));
  return [heading("h1", `${results.length} predictions`, []), overview(results), ...several];
}
