// Charts that follow the page: its width, its colours (light, dark, paper). SVG, so that they print
// sharply.
import { BarChart, CustomChart, GraphChart, LineChart, ParallelChart, ScatterChart }
  from "echarts/charts";
import { DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, ParallelComponent,
         TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import type { EChartsCoreOption, EChartsType } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";

import { element } from "./dom";

use([BarChart, CustomChart, DataZoomComponent, GraphChart, LineChart, ParallelChart, ScatterChart,
     GridComponent,
     LabelLayout, LegendComponent, MarkAreaComponent, MarkLineComponent, ParallelComponent,
     TooltipComponent, SVGRenderer]);

export interface Colours {
  text: string;
  quiet: string;
  line: string;
  paper: string;
}

type Draw = (colours: Colours, width: number) => EChartsCoreOption;

interface Waiting {
  box: HTMLElement;
  draw: Draw;
  made: (chart: EChartsType) => void;
}

interface Drawn {
  chart: EChartsType;
  box: HTMLElement;
  draw: Draw;
}

const waiting: Waiting[] = [];
const drawn: Drawn[] = [];

// What A4 and Letter hold between margins of 2 cm. The page has its width on the screen until
// printing has begun, when charts can no longer be drawn.
const paperWidth = 640;

const isPrinting = () => document.documentElement.dataset.printing !== undefined;

function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: colour("--text"),
    quiet: colour("--quiet"),
    line: colour("--line"),
    paper: colour("--paper"),
  };
}

function redraw({ chart, box, draw }: Drawn) {
  const width = isPrinting() ? paperWidth : box.clientWidth;
  chart.resize({ width });
  chart.setOption({ animation: false, ...draw(colours(), width) }, true);
}

/// A box that start() fills. `label`: what it shows, for those who cannot see it. `made` gets the
/// chart once it is there, to listen to it.
export function chartBox(label: string, height: number, draw: Draw,
                         made: (chart: EChartsType) => void = () => {}): HTMLElement {
  const box = element("div", { class: "chart", role: "img", "aria-label": label });
  box.style.height = `${height}px`;
  waiting.push({ box, draw, made });
  return box;
}

/// Draws a box again, whose `draw` now says something else.
export function refresh(box: HTMLElement) {
  drawn.filter((one) => one.box === box).forEach(redraw);
}

function redrawWhenThePageChanges() {
  const all = () => drawn.forEach(redraw);
  let frame = 0;
  window.addEventListener("resize", () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(all);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  const root = document.documentElement;
  window.addEventListener("beforeprint", () => {
    root.dataset.printing = "";
    all();
  });
  window.addEventListener("afterprint", () => {
    delete root.dataset.printing;
    all();
  });
}

/// Draws the boxes that are new in the document, and gives up the charts of those that have left it.
export function drawAgain() {
  for (const { chart } of drawn.filter(({ box }) => !box.isConnected)) chart.dispose();
  drawn.splice(0, drawn.length, ...drawn.filter(({ box }) => box.isConnected));
  for (const { box, draw, made } of waiting.splice(0)) {
    const one = { chart: init(box, undefined, { renderer: "svg" }), box, draw };
    drawn.push(one);
    redraw(one);
    made(one.chart);
  }
}

/// Draws every box, and again when the page changes. Requires the boxes to be in the document.
export function start() {
  drawAgain();
  redrawWhenThePageChanges();
}

// Told apart by people who see few colours too; the table below each chart has the figures.
const known: Record<string, string> = {
  compute: "#3f7fd9", tensor_communication: "#e8833a", context_communication: "#c9a227",
  expert_communication: "#b5564e", pipeline_communication: "#8c6bd6", pipeline_bubble: "#9aa3ad",
  data_communication: "#d64f8b", host_transfer: "#8a6642", optimizer: "#2e9e6b", other: "#6b7480",
  weights: "#3f7fd9", gradients: "#d64f8b", activations: "#e8833a", logits: "#c9a227",
  temporary: "#8c6bd6", workspace: "#b5564e", context: "#9aa3ad",
};
const spare = ["#5aa9a0", "#a05a8a", "#7f8f3a", "#5a6fa0", "#a0745a"];

export const colourOf = (key: string, index: number): string =>
  known[key] ?? spare[index % spare.length];
