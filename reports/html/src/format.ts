// Numbers as people read them: three significant digits, with their unit. The unit follows from the
// key, as results name it ("step_time_s", "peak_bytes").

export function number(value: number): string {
  const size = Math.abs(value);
  if (size >= 999.5) {
    const step = size < 1e15 ? Math.max(1, 10 ** (Math.floor(Math.log10(size)) - 3)) : 1;
    return (Math.round(value / step) * step).toLocaleString("en-US", { maximumFractionDigits: 0 });
  }
  return String(Number(value.toPrecision(3)));
}

function scaled(value: number, units: [number, string][]): string {
  const size = Math.abs(value);
  const fits = units.find(([times]) => size >= times) ?? units[units.length - 1];
  return value === 0 ? `0 ${units[units.length - 1][1]}` : `${number(value / fits[0])} ${fits[1]}`;
}

export const seconds = (value: number): string =>
  value === 0 ? "0 s" : scaled(value, [[1, "s"], [1e-3, "ms"], [1e-6, "us"], [1e-9, "ns"]]);

export const bytes = (value: number): string =>
  scaled(value, [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]]);

export const gib = (value: number): string => (value / 2 ** 30).toFixed(2);

export const flop = (value: number, unit = "FLOP"): string =>
  scaled(value, [[1e18, `E${unit}`], [1e15, `P${unit}`], [1e12, `T${unit}`], [1e9, `G${unit}`],
                 [1, unit]]);

/// Of links, whose units are powers of ten.
export const rate = (value: number): string =>
  scaled(value, [[1e9, "GB/s"], [1e6, "MB/s"], [1e3, "kB/s"], [1, "B/s"]]);

export function share(value: number): string {
  if (value > 0 && value < 0.0005) return "< 0.1 %";
  if (value < 1 && value > 0.9995) return "> 99.9 %";
  return `${Number((100 * value).toFixed(1)) + 0} %`;
}

export const usd = (value: number): string =>
  `${value >= 10 && value < 1000 ? Number(value.toFixed(2)) : value < 10 ? Number(value.toPrecision(4)) : number(value)} USD`;

export const hours = (value: number): string =>
  value < 48 ? `${number(value)} h` : `${number(value / 24)} days`;

/// "tensor_communication" -> "tensor communication"
export const words = (key: string): string => key.replace(/_/g, " ");

export const signed = (value: number, text: (value: number) => string): string =>
  value > 0 ? `+${text(value)}` : text(value);

/// Of a change or an error, "+12.3 %".
export const signedShare = (value: number): string =>
  signed(value, (change) => `${Number((100 * change).toFixed(1)) + 0} %`);

/// A figure of a claim, by the claim's key.
export function claimed(key: string, value: number): string {
  if (key === "step_time") return seconds(value);
  if (key === "forward_flop") return flop(value);
  if (key.endsWith("memory")) return bytes(value);
  if (key.startsWith("usd")) return usd(value);
  return number(value);
}

/// "A", "B", ..., from 26 on "#27".
export const shortName = (index: number): string =>
  index < 26 ? String.fromCharCode(65 + index) : `#${index + 1}`;
