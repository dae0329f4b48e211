import { UsageError } from "../base/usage-error.ts";

/**
 * The part of a value that a path names: `Config.Env[0]`, `Config.Labels["org.example/key"]`, `.` for all of it.
 * What is not there is null, as jq has it. @throws E_USAGE for what is no path
 */
export function queryValue(value: unknown, path: string): unknown {
  let at = value;
  for (const step of steps(path)) at = stepInto(at, step) ?? null;
  return at;
}

const stepPattern = /\.?(?<name>[\w-]+)|\[(?<index>-?\d+)\]|\.?\[?(?<quoted>"(?:[^"\\]|\\.)*")\]?/y;

function steps(path: string): readonly (string | number)[] {
  if (path === ".") return [];
  const found: (string | number)[] = [];
  for (stepPattern.lastIndex = 0; stepPattern.lastIndex < path.length || found.length === 0;) {
    const groups = stepPattern.exec(path)?.groups;
    if (groups === undefined) throw noPath(path);
    found.push(
      groups["index"] === undefined
        ? (groups["name"] ?? unquoted(groups["quoted"] ?? "", path))
        : Number(groups["index"]),
    );
  }
  return found;
}

function unquoted(text: string, path: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    throw noPath(path);
  }
}

function stepInto(value: unknown, step: string | number): unknown {
  if (typeof step === "number") return Array.isArray(value) ? value.at(step) : undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined;
}

function noPath(path: string): UsageError {
  return new UsageError(`Cannot read --query ${JSON.stringify(path)}: it is no path`, {
    hint: `--query Config.Env[0], or --query 'Config.Labels["a.b/c"]'; -f takes Go templates`,
  });
}
