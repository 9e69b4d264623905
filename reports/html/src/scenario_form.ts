// A form over a scenario: each field shows and sets the value at one JSON pointer. What the form has
// no field for stays as it is, and can be changed in the text below the fields.
import { element } from "./dom";
import { words } from "./format";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Scenario = { [key: string]: Json };

/// One of `words`, a switch, or a number from `minimum` on.
export interface Field {
  pointer: string;
  group: string;
  doc?: string;
  words?: string[];
  switch?: boolean;
  minimum?: number;
}

export const isObject = (value: Json | undefined): value is Scenario =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const keysOf = (pointer: string): string[] => pointer.slice(1).split("/");

function valueAt(scenario: Scenario, pointer: string): Json | undefined {
  let at: Json | undefined = scenario;
  for (const key of keysOf(pointer)) at = isObject(at) ? at[key] : undefined;
  return at;
}

/// Nothing as a value takes the key away.
function setValue(scenario: Scenario, pointer: string, value: Json | undefined) {
  const keys = keysOf(pointer);
  const last = keys.pop() as string;
  let at = scenario;
  for (const key of keys) {
    const next = at[key];
    if (isObject(next)) at = next;
    else at = at[key] = {};
  }
  if (value === undefined) delete at[last];
  else at[last] = value;
}

const unsaid = "(unless said)";
const whole = "(as in the scenario)";

function choice(options: string[]): HTMLSelectElement {
  const select = element("select", {}) as HTMLSelectElement;
  for (const option of options) {
    select.append(element("option", { value: option === unsaid ? "" : option }, option));
  }
  return select;
}

class Control {
  readonly box: HTMLElement;
  private readonly input: HTMLInputElement | HTMLSelectElement;

  constructor(private readonly field: Field, private readonly changed: (value?: Json) => void) {
    const id = `field${field.pointer.replace(/\//g, "-")}`;
    this.input = this.makeInput();
    this.input.id = id;
    this.input.dataset.field = field.pointer;
    this.input.addEventListener("input", () => this.changed(this.value()));
    const name = words(keysOf(field.pointer).pop() as string);
    this.box = element("div", { class: "field", title: field.doc ?? "" },
                       element("label", { for: id }, name), this.input);
  }

  show(scenario: Scenario) {
    const value = valueAt(scenario, this.field.pointer);
    if (this.input instanceof HTMLSelectElement) {
      this.input.querySelector("option[data-whole]")?.remove();
      if (isObject(value) || (typeof value === "string" && !this.field.words?.includes(value))) {
        const label = typeof value === "string" ? value : whole;
        this.input.append(element("option", { value: "", "data-whole": "", selected: "" }, label));
        this.input.selectedIndex = this.input.length - 1;
        return;
      }
    }
    this.input.value = value === undefined || value === null ? "" : String(value);
  }

  mark(wrong: boolean) {
    this.input.setAttribute("aria-invalid", String(wrong));
  }

  private makeInput() {
    const field = this.field;
    if (field.switch) return choice([unsaid, "true", "false"]);
    if (field.words) return choice([unsaid, ...field.words]);
    return element("input", { type: "number", step: "any", min: String(field.minimum ?? 0),
                              placeholder: "unless said" }) as HTMLInputElement;
  }

  private value(): Json | undefined {
    const text = this.input.value;
    if (text === "") return undefined;
    if (this.field.switch) return text === "true";
    return this.field.words ? text : Number(text);
  }
}

export class ScenarioForm {
  readonly box: HTMLElement;
  private readonly controls = new Map<string, Control>();
  private readonly text = element("textarea", { rows: "16", spellcheck: "false",
                                                "aria-label": "the scenario as JSON" },
                                 ) as HTMLTextAreaElement;

  /// `changed` is told of every edit; `broken` where the text is no JSON object.
  constructor(fields: Field[], public scenario: Scenario, private readonly changed: () => void,
              broken: (problem: string) => void) {
    const groups = new Map<string, HTMLElement>();
    for (const field of fields) {
      if (!groups.has(field.group)) {
        groups.set(field.group, element("fieldset", {}, element("legend", {}, field.group)));
      }
      const control = new Control(field, (value) => this.set(field.pointer, value));
      this.controls.set(field.pointer, control);
      groups.get(field.group)?.append(control.box);
    }
    this.text.addEventListener("input", () => {
      try {
        const scenario: Json = JSON.parse(this.text.value);
        if (!isObject(scenario)) throw new Error("a scenario is an object");
        this.scenario = scenario;
        this.showFields();
        this.changed();
      } catch (error) {
        broken(String(error instanceof Error ? error.message : error));
      }
    });
    this.box = element("form", {}, ...groups.values(),
                       element("details", {}, element("summary", {}, "The scenario as JSON"),
                               this.text));
    this.box.addEventListener("submit", (event) => event.preventDefault());
    this.show(scenario);
  }

  show(scenario: Scenario) {
    this.scenario = scenario;
    this.showFields();
    this.text.value = JSON.stringify(scenario, null, 2);
  }

  /// Marks the field that an error points to, or none.
  mark(pointer?: string) {
    for (const [at, control] of this.controls) control.mark(at === pointer);
  }

  private set(pointer: string, value?: Json) {
    setValue(this.scenario, pointer, value);
    this.text.value = JSON.stringify(this.scenario, null, 2);
    this.changed();
  }

  private showFields() {
    for (const control of this.controls.values()) control.show(this.scenario);
  }
}
