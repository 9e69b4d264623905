// A cluster as a graph: dagre says where its devices lie, in rows by what they are.
import { graphlib, layout } from "@dagrejs/dagre";
import type { EChartsCoreOption } from "echarts/core";

import { chartBox } from "./chart";
import type { Colours } from "./chart";
import { element } from "./dom";
import { number, rate, share, words } from "./format";
import type { ClusterMap, DeviceKind, LinkKind, MapDevice, MapLink } from "./result";
import { pointTip } from "./scatter";

export const linkHues: Record<LinkKind, string> = {
  nvlink: "#2e9e6b", pcie: "#c9a227", socket: "#8a6642", host_memory: "#9aa3ad", nic: "#e8833a",
  network: "#3f7fd9",
};

/// How full a link is, from below each bound to the next; the last has no bound.
export const useHues: { below: number; colour: string }[] = [
  { below: 0.01, colour: "#b9c2cc" }, { below: 0.1, colour: "#7fb0f5" },
  { below: 0.25, colour: "#3f7fd9" }, { below: 0.5, colour: "#c9a227" },
  { below: Infinity, colour: "#c8553d" },
];

const useHue = (utilisation: number): string =>
  (useHues.find(({ below }) => utilisation < below) ?? useHues[useHues.length - 1]).colour;

const deviceLooks: Record<DeviceKind, { symbol: string; colour: string; row: number }> = {
  network_switch: { symbol: "roundRect", colour: "#5a6fa0", row: 0 },
  host_memory: { symbol: "rect", colour: "#9aa3ad", row: 0 },
  nic: { symbol: "diamond", colour: "#b5743a", row: 1 },
  socket: { symbol: "rect", colour: "#8a6642", row: 1 },
  pcie_switch: { symbol: "roundRect", colour: "#a08a2a", row: 2 },
  gpu: { symbol: "rect", colour: "#3d8f68", row: 3 },
  node: { symbol: "rect", colour: "#3d8f68", row: 1 },
  nvswitch: { symbol: "roundRect", colour: "#2e6e52", row: 4 },
};

const slowHue = "#c8553d";

/// Both directions of what joins two devices.
interface Edge {
  a: number;
  b: number;
  links: MapLink[];
}

function edgesOf(map: ClusterMap): Edge[] {
  const edges = new Map<string, Edge>();
  for (const link of map.links) {
    const [a, b] = [Math.min(link.from, link.to), Math.max(link.from, link.to)];
    const edge = edges.get(`${a} ${b}`) ?? { a, b, links: [] };
    edge.links.push(link);
    edges.set(`${a} ${b}`, edge);
  }
  return [...edges.values()];
}

// Switches of the network stand the higher, the more links they are away from what hangs on them.
function rowsOf(map: ClusterMap, edges: Edge[]): number[] {
  const rows = map.devices.map(({ kind }) =>
    kind === "network_switch" ? undefined : deviceLooks[kind].row);
  const isAtRow = (device: number, row: number) =>
    rows[device] === row && ["nic", "node", "network_switch"].includes(map.devices[device].kind);
  for (let row = deviceLooks.nic.row, found = true; found; row -= 1) {
    const above = edges.flatMap(({ a, b }) =>
      [...(isAtRow(a, row) && rows[b] === undefined ? [b] : []),
       ...(isAtRow(b, row) && rows[a] === undefined ? [a] : [])]);
    for (const device of above) rows[device] = row - 1;
    found = above.length > 0;
  }
  return rows.map((row) => row ?? 0);
}

interface Place {
  x: number;
  y: number;
}

function placesOf(map: ClusterMap, edges: Edge[]): Place[] {
  const rows = rowsOf(map, edges);
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 20, ranksep: 60 });
  map.devices.forEach((_, index) => graph.setNode(String(index), { width: 30, height: 20 }));
  for (const { a, b } of edges) {
    if (rows[a] === rows[b]) continue;
    const [upper, lower] = rows[a] < rows[b] ? [a, b] : [b, a];
    graph.setEdge(String(upper), String(lower), { minlen: Math.abs(rows[a] - rows[b]) });
  }
  layout(graph);
  return map.devices.map((_, index) => {
    const { x, y } = graph.node(String(index));
    return { x, y };
  });
}

// To the chart's own size: the drawing is as wide as the page, whatever the cluster's proportions.
function stretched(places: Place[], width: number, height: number): Place[] {
  const along = (key: "x" | "y", size: number) => {
    const values = places.map((place) => place[key]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (value: number) => (high === low ? size / 2 : ((value - low) / (high - low)) * size);
  };
  const [x, y] = [along("x", width), along("y", height)];
  return places.map((place) => ({ x: x(place.x), y: y(place.y) }));
}

const shortName = (device: MapDevice): string =>
  device.name.replace(/^node\d+\//, "") + (device.alike > 1 ? ` × ${device.alike}` : "");

function deviceLines(device: MapDevice): string[] {
  return [device.name, words(device.kind),
          ...(device.alike > 1 ? [`stands for ${device.alike.toLocaleString("en-US")}`] : []),
          ...(device.rate === undefined ? [] : [`at ${share(device.rate)} of its speed`])];
}

const linkLine = (link: MapLink): string =>
  `${link.name}: ${words(link.kind)}, ${rate(link.bandwidth_bytes_per_s)}` +
  (link.links > 1 ? ` each of ${link.links.toLocaleString("en-US")}` : "") +
  (link.utilisation === undefined ? ""
    : `, ${link.links > 1 ? "the fullest " : ""}${share(link.utilisation)} full`);

const fullest = (edge: Edge): number | undefined =>
  edge.links.reduce<number | undefined>((most, { utilisation }) =>
    utilisation === undefined ? most : Math.max(most ?? 0, utilisation), undefined);

function edgeStyle(edge: Edge, places: Place[]) {
  const use = fullest(edge);
  const level = Math.abs(places[edge.a].y - places[edge.b].y) < 1;
  return { color: use === undefined ? linkHues[edge.links[0].kind] : useHue(use),
           width: use === undefined ? 2 : use < 0.01 ? 1.5 : 3, opacity: 0.9,
           curveness: level ? 0.25 : 0 };
}

// Unseen, so that the chart takes places as they are, even where all devices stand in one column.
const corners = (width: number, height: number) =>
  [{ x: 0, y: 0 }, { x: width, y: height }].map((place, index) => (
    { id: `corner ${index}`, ...place, symbolSize: 0, label: { show: false }, silent: true }));

function option(map: ClusterMap, edges: Edge[], places: Place[], colours: Colours, width: number,
                height: number): EChartsCoreOption {
  const at = stretched(places, width - 90, height - 80);
  const size = Math.max(9, Math.min(22, (width - 90) / 26));
  return {
    tooltip: { ...pointTip(colours, () => []),
               formatter: (mark: { dataType: string; dataIndex: number }) => {
                 const lines = mark.dataType === "edge" ? edges[mark.dataIndex].links.map(linkLine)
                                                        : deviceLines(map.devices[mark.dataIndex]);
                 return element("div", { class: "tip" },
                                ...lines.map((line) => element("div", {}, line)));
               } },
    series: [{
      type: "graph", layout: "none", left: 45, right: 45, top: 30, bottom: 50, roam: false,
      label: { show: true, position: "bottom", color: colours.text, fontSize: 10,
               formatter: (mark: { dataIndex: number }) => shortName(map.devices[mark.dataIndex]) },
      labelLayout: { hideOverlap: true },
      emphasis: { focus: "adjacency", lineStyle: { width: 4 } },
      data: [
        ...map.devices.map((device, index) => ({
          id: String(index), name: device.name, ...at[index], symbolSize: size,
          symbol: deviceLooks[device.kind].symbol,
          itemStyle: { color: device.rate === undefined ? deviceLooks[device.kind].colour
                                                        : slowHue } })),
        ...corners(width - 90, height - 80),
      ],
      edges: edges.map((edge) => ({ source: String(edge.a), target: String(edge.b),
                                    lineStyle: edgeStyle(edge, at) })),
    }],
  };
}

/// Devices and what joins them, in the colours of the links' kinds or of how full they are.
export function clusterDrawing(label: string, map: ClusterMap): HTMLElement {
  const edges = edgesOf(map).filter(({ a, b }) => a !== b);
  const places = placesOf(map, edges);
  const height = 130 + 90 * (new Set(places.map(({ y }) => Math.round(y))).size - 1);
  return chartBox(label, height,
                  (colours, width) => option(map, edges, places, colours, width, height));
}

/// A coloured square and what it stands for.
export const chip = (colour: string, text: string): HTMLElement => {
  const square = element("span", { class: "chip" });
  square.style.background = colour;
  return element("span", {}, square, text);
};

/// What the colours of a drawing of use say.
export function useLegend(): HTMLElement {
  const texts = useHues.map(({ below, colour }, index) => chip(
    colour, below === Infinity ? `${number(100 * useHues[index - 1].below)} % and more`
                               : `below ${number(100 * below)} %`));
  return element("p", { class: "controls quiet" }, "How full: ", ...texts);
}
