// The page of `stepcast serve`: a scenario to edit, its answer, and what has moved since the saved
// baseline. Both scenarios stand in the address, so that it can be shared.
import { timeBars } from "./bars";
import { drawAgain } from "./chart";
import { element, figure, paragraph, section, table } from "./dom";
import * as format from "./format";
import { prediction } from "./predict";
import type { Result, Texts } from "./result";
import { isObject, ScenarioForm } from "./scenario_form";
import type { Field, Json, Scenario } from "./scenario_form";

export interface Serve {
  kind: "serve";
  fields: Field[];
  scenarios: { title: string; scenario: Scenario }[];
}

interface Fault {
  pointer?: string;
  file?: string;
  problem: string;
  details?: string[];
  hint?: string;
}

type Answer = (Texts & { result: Result; error?: undefined }) | { error: Fault };

interface Baseline {
  scenario: Scenario;
  result?: Result;
}

const typingPauseMs = 120;

const copy = (scenario: Scenario): Scenario => JSON.parse(JSON.stringify(scenario));

/// Replicas follow from the cluster: then a change of its nodes needs no second edit.
function withoutReplicas(scenario: Scenario): Scenario {
  const made = copy(scenario);
  const plan = made["plan"];
  if (typeof plan === "object" && plan !== null && !Array.isArray(plan)) delete plan["data_parallel"];
  return made;
}

/// Nothing where the text is no scenario, such as that of an address that was cut short.
function readScenario(text: string): Scenario | undefined {
  try {
    const json: Json = JSON.parse(text);
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

async function ask(scenario: Scenario, signal?: AbortSignal): Promise<Answer> {
  const answer = await fetch("/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(scenario),
    signal,
  });
  return (await answer.json()) as Answer;
}

interface Quantity {
  name: string;
  pointer: string;
  value: (result: Result) => number | undefined;
  text: (value: number) => string;
}

const quantities: Quantity[] = [
  { name: "step time", pointer: "/step_time_s", value: (one) => one.step_time_s,
    text: format.seconds },
  { name: "tokens a second", pointer: "/tokens_per_s", value: (one) => one.tokens_per_s,
    text: format.number },
  { name: "MFU", pointer: "/mfu", value: (one) => one.mfu, text: format.share },
  { name: "peak memory", pointer: "/memory/peak_bytes", value: (one) => one.memory.peak_bytes,
    text: format.bytes },
  { name: "risk of running out", pointer: "/oom_probability", value: (one) => one.oom_probability,
    text: format.share },
  { name: "per million tokens", pointer: "/cost/usd_per_million_tokens",
    value: (one) => one.cost?.["usd_per_million_tokens"], text: format.usd },
  { name: "whole training", pointer: "/cost/training_usd",
    value: (one) => one.cost?.["training_usd"], text: format.usd },
];

function change(from?: number, to?: number): string {
  if (from === undefined || to === undefined || from === 0) return "";
  return format.signed(to / from - 1, (share) => `${(100 * share).toFixed(1)} %`);
}

function movedSection(from: Result, to: Result): HTMLElement {
  const cell = (value: number | undefined, { text, pointer }: Quantity, at: string) =>
    value === undefined ? "" : figure(value, text(value), at + pointer);
  const rows = quantities
    .filter(({ value }) => value(from) !== undefined || value(to) !== undefined)
    .map((one) => [one.name, cell(one.value(from), one, "/baseline"), cell(one.value(to), one, ""),
                   change(one.value(from), one.value(to))]);
  return section("Beside the baseline",
                 table("What has moved", ["", "baseline", "now", "change"], rows),
                 timeBars("Parts of the step, baseline and now",
                          [{ name: "baseline", parts: from.breakdown_s },
                           { name: "now", parts: to.breakdown_s }]));
}

function faultSection({ pointer, file, problem, details, hint }: Fault): HTMLElement {
  const place = [file, pointer && `at ${pointer}`].filter(Boolean).join(": ");
  return section("This cannot be predicted", paragraph(place ? `${place}: ${problem}` : problem, "bad"),
                 ...(details ?? []).map((detail) => paragraph(detail, "quiet")),
                 ...(hint ? [paragraph(`Way out: ${hint}`, "answer")] : []));
}

class Page {
  readonly box: HTMLElement;
  private readonly form: ScenarioForm;
  private readonly answer = element("div", { id: "answer", "aria-live": "polite" });
  private baseline?: Baseline;
  private latest?: Result;
  private asking = new AbortController();
  private pause = 0;
  private answered = 0;

  constructor(private readonly data: Serve) {
    const start = this.fromAddress() ?? withoutReplicas(data.scenarios[0].scenario);
    this.form = new ScenarioForm(data.fields, start, () => this.askSoon(),
                                 (problem) => this.refuse({ problem }));
    this.box = element("div", { class: "serve" },
                       section("Scenario", this.startChoice(), this.form.box, this.buttons()),
                       this.answer);
  }

  /// The first answer.
  async open() {
    await this.askNow();
    if (!this.baseline) this.saveBaseline();
  }

  private startChoice(): HTMLElement {
    const select = element("select", { id: "start" }) as HTMLSelectElement;
    this.data.scenarios.forEach(({ title }, index) =>
      select.append(element("option", { value: String(index) }, title)));
    select.addEventListener("input", () => {
      this.form.show(withoutReplicas(this.data.scenarios[Number(select.value)].scenario));
      this.baseline = undefined;
      void this.open();
    });
    return element("div", { class: "field" }, element("label", { for: "start" }, "start from"),
                   select);
  }

  private buttons(): HTMLElement {
    const button = (id: string, name: string, does: () => void) => {
      const made = element("button", { type: "button", id }, name);
      made.addEventListener("click", does);
      return made;
    };
    return element("div", { class: "controls" },
                   button("save", "Save as baseline", () => this.saveBaseline()),
                   button("share", "Copy link",
                          () => void navigator.clipboard.writeText(location.href)),
                   button("download", "Download scenario", () => this.download()));
  }

  private askSoon() {
    clearTimeout(this.pause);
    this.pause = window.setTimeout(() => void this.askNow(), typingPauseMs);
  }

  private async askNow() {
    clearTimeout(this.pause);
    this.asking.abort();
    const { signal } = (this.asking = new AbortController());
    this.answer.classList.add("waiting");
    try {
      const answer = await ask(this.form.scenario, signal);
      if (this.baseline && !this.baseline.result) await this.askBaseline(this.baseline);
      if (signal.aborted) return;
      if (answer.error) this.refuse(answer.error);
      else this.show(answer.result, answer);
    } catch (error) {
      if (!signal.aborted) this.refuse({ problem: "the server does not answer", hint: "start it again" });
    }
  }

  private async askBaseline(baseline: Baseline) {
    const answer = await ask(baseline.scenario);
    if (!answer.error) baseline.result = answer.result;
  }

  private show(result: Result, texts: Texts) {
    this.latest = result;
    this.form.mark();
    const moved = this.baseline?.result ? [movedSection(this.baseline.result, result)] : [];
    this.put(...moved, prediction(result, texts, 0, ""));
    this.toAddress();
  }

  private refuse(fault: Fault) {
    this.latest = undefined;
    this.form.mark(fault.pointer);
    this.put(faultSection(fault));
  }

  private put(...content: Node[]) {
    this.answer.replaceChildren(...content);
    this.answer.classList.remove("waiting");
    drawAgain();
    this.answered += 1;
    document.documentElement.dataset.answered = String(this.answered);
  }

  private saveBaseline() {
    if (!this.latest) return;
    this.baseline = { scenario: copy(this.form.scenario), result: this.latest };
    void this.askNow();
  }

  private download() {
    const text = new Blob([JSON.stringify(this.form.scenario, null, 2) + "\n"],
                          { type: "application/json" });
    const address = URL.createObjectURL(text);
    element("a", { href: address, download: "scenario.json" }).click();
    URL.revokeObjectURL(address);
  }

  private toAddress() {
    const parts = new URLSearchParams({ scenario: JSON.stringify(this.form.scenario) });
    if (this.baseline) parts.set("baseline", JSON.stringify(this.baseline.scenario));
    history.replaceState(null, "", `#${parts}`);
  }

  private fromAddress(): Scenario | undefined {
    const parts = new URLSearchParams(location.hash.slice(1));
    const [scenario, baseline] = [parts.get("scenario"), parts.get("baseline")];
    const saved = baseline ? readScenario(baseline) : undefined;
    if (saved) this.baseline = { scenario: saved };
    return scenario ? readScenario(scenario) : undefined;
  }
}

export function serve(data: Serve): Node[] {
  const page = new Page(data);
  void page.open();
  return [element("h1", {}, "What will this training step cost?"), page.box];
}
