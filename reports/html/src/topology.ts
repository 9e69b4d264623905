// A cluster's devices and links: drawings of a node and of the network, and the classes of links.
import { chip, clusterDrawing, linkHues } from "./cluster_drawing";
import { element, figure, paragraph, section, table } from "./dom";
import { rate, words } from "./format";
import { heading } from "./predict";
import type { ClusterMap, LinkKind, Topology } from "./result";

const count = (value: number): string => value.toLocaleString("en-US");

function linksSection(result: Topology): HTMLElement {
  const rows = result.link_classes.map((one, index) => [
    chip(linkHues[one.kind], words(one.kind)),
    figure(one.bandwidth_bytes_per_s, rate(one.bandwidth_bytes_per_s),
           `/link_classes/${index}/bandwidth_bytes_per_s`),
    figure(one.links, count(one.links), `/link_classes/${index}/links`), one.name]);
  return section("Links", table("By kind and bandwidth of one direction; a cable is two links",
                                ["", "bandwidth", "links", "first"], rows));
}

const drawnKinds = (map: ClusterMap): LinkKind[] => [...new Set(map.links.map(({ kind }) => kind))];

const legend = (map: ClusterMap): HTMLElement =>
  element("p", { class: "controls quiet" },
          ...drawnKinds(map).map((kind) => chip(linkHues[kind], words(kind))));

export function foldedNote(map: ClusterMap): HTMLElement[] {
  if (map.devices.every(({ alike }) => alike === 1)) return [];
  return [paragraph("Devices that nothing tells apart are drawn as one, with their number.",
                    "quiet")];
}

function mapSection(title: string, map: ClusterMap): HTMLElement {
  return section(title, clusterDrawing(`${title}: devices and the links between them`, map),
                 legend(map), ...foldedNote(map));
}

export function topology(result: Topology): Node[] {
  const devices = Object.entries(result.devices).map(([kind, number]) => [
    words(kind), figure(number, count(number), `/devices/${kind}`)]);
  return [
    heading("h1", result.title, [`${count(result.gpus)} GPUs, ${count(result.nodes)} nodes`]),
    ...(result.network ? [mapSection("Network", result.network)] : []),
    mapSection(result.nodes > 1 ? "The first node" : "The node", result.node),
    linksSection(result), section("Devices", table("In the whole cluster", ["", "number"], devices))];
}
