/** Colours of a terminal by what they mean. */
export interface Style {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /** A finished step. */
  readonly run: (text: string) => string;
  readonly cancel: (text: string) => string;
}

const colors = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const names: ReadonlyMap<string, string> = new Map(colors.map((color, at) => [color, String(30 + at)]));

/** Without colour every function returns its text. `spec` is BUILDKIT_COLORS: `run=green:cancel=255,165,0`. */
export function makeStyle(color: boolean, spec?: string): Style {
  const same = (text: string): string => text;
  if (!color) return { error: same, warning: same, bold: same, dim: same, run: same, cancel: same };
  const codes = { error: "31", warning: "33", run: "34", cancel: "33", ...parseColors(spec ?? "") };
  const paint =
    (code: string) =>
    (text: string): string =>
      text === "" ? "" : `\u001b[${code}m${text}\u001b[0m`;
  return {
    error: paint(codes.error),
    warning: paint(codes.warning),
    run: paint(codes.run),
    cancel: paint(codes.cancel),
    bold: paint("1"),
    dim: paint("2"),
  };
}

type Colored = "error" | "warning" | "run" | "cancel";

/** Unknown names and values are left out, as BuildKit does. */
function parseColors(spec: string): Partial<Record<Colored, string>> {
  const out: Partial<Record<Colored, string>> = {};
  for (const field of spec.split(":")) {
    const [key = "", value = ""] = field.split("=");
    const code = names.get(value.toLowerCase()) ?? rgb(value);
    if (code !== undefined && (key === "error" || key === "warning" || key === "run" || key === "cancel")) {
      out[key] = code;
    }
  }
  return out;
}

function rgb(value: string): string | undefined {
  const parts = value.split(",");
  const valid = parts.length === 3 && parts.every((part) => /^[0-9]{1,3}$/.test(part) && Number(part) < 256);
  return valid ? `38;2;${parts.join(";")}` : undefined;
}
