import { shown } from "./go-value.ts";

interface Directive {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly verb: string;
}

const directive = /%([-+# 0]*)(\d*)(?:\.(\d*))?([a-zA-Z%])/g;

/** Go's fmt.Sprintf, for the values that templates have. @see https://pkg.go.dev/fmt */
export function printf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    directive,
    (_, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next++];
      const digits = precision === undefined ? undefined : Number(precision);
      return padded(converted(value, { flags, width: Number(width), precision: digits, verb }), flags, Number(width));
    },
  );
  const extra = args.slice(next).map((value) => `${typeName(value)}=${shown(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(", ")})`;
}

function converted(value: unknown, wanted: Directive): string {
  const { verb, precision } = wanted;
  if (verb === "v") return shown(value);
  if (verb === "T") return typeName(value);
  if (typeof value === "number") return number(value, wanted) ?? wrong(value, verb);
  if (typeof value === "boolean") return verb === "t" ? String(value) : wrong(value, verb);
  if (Array.isArray(value)) return `[${value.map((one) => converted(one, wanted)).join(" ")}]`;
  const text = shown(value);
  switch (verb) {
    case "s":
      return precision === undefined ? text : [...text].slice(0, precision).join("");
    case "q":
      return JSON.stringify(text);
    case "x":
      return Buffer.from(text).toString("hex");
    case "X":
      return Buffer.from(text).toString("hex").toUpperCase();
    default:
      return wrong(value, verb);
  }
}

const bases: Readonly<Record<string, number>> = { d: 10, x: 16, X: 16, o: 8, b: 2 };

function number(value: number, { flags, precision, verb }: Directive): string | undefined {
  const sign = value < 0 ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  const size = Math.abs(value);
  const base = bases[verb];
  if (base !== undefined) {
    if (!Number.isInteger(value)) return undefined;
    const digits = size.toString(base);
    const prefix = flags.includes("#") && base === 16 ? `0${verb}` : "";
    return `${sign}${prefix}${verb === "X" ? digits.toUpperCase() : digits}`;
  }
  if (verb === "f" || verb === "F") return sign + size.toFixed(precision ?? 6);
  if (verb === "e" || verb === "E") {
    const text = size.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, "e$10$2");
    return sign + (verb === "E" ? text.toUpperCase() : text);
  }
  if (verb === "g" || verb === "G")
    return sign + (precision === undefined ? size : Number(size.toPrecision(precision)));
  if (verb === "c") return String.fromCodePoint(size);
  if (verb === "q") return `'${String.fromCodePoint(size)}'`;
  return verb === "U" ? `U+${size.toString(16).toUpperCase().padStart(4, "0")}` : undefined;
}

function padded(text: string, flags: string, width: number): string {
  const gap = width - [...text].length;
  if (gap <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(gap);
  if (!flags.includes("0")) return " ".repeat(gap) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + "0".repeat(gap) + text.slice(sign.length);
}

function wrong(value: unknown, verb: string): string {
  return `%!${verb}(${typeName(value)}=${shown(value)})`;
}

function typeName(value: unknown): string {
  if (value === undefined || value === null) return "<nil>";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  return Array.isArray(value) ? "[]string" : "map[string]string";
}
