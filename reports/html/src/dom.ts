// Elements, figures and tables. A figure carries its exact value and the place in the JSON that it
// shows, so that it can be copied, and checked, without rounding.

type Child = Node | string;

export function element(name: string, attributes: Record<string, string>, ...children: Child[]) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export const paragraph = (text: Child, kind = "") => element("p", kind ? { class: kind } : {}, text);

/// `pointer`: the JSON pointer of the value in the result.
export function figure(value: number, text: string, pointer: string): HTMLElement {
  return element("data", { value: String(value), "data-pointer": pointer }, text);
}

/// The first cell of a row heads it; the columns after it are numbers.
export function table(caption: string, head: string[], rows: Child[][]): HTMLElement {
  const header = element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map(([name, ...cells]) =>
    element("tr", {}, element("th", { scope: "row" }, name),
            ...cells.map((cell) => element("td", {}, cell))));
  const made = element("table", {}, element("caption", {}, caption),
                       element("thead", {}, header), element("tbody", {}, ...body));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
                 made);
}

export function section(title: string, ...children: Child[]): HTMLElement {
  return element("section", {}, element("h2", {}, title), ...children);
}
