import { parseCsv } from "../../../base/csv.ts";
import type { ParsedFlags } from "../../../flags/parsed-flags.ts";
import { closest } from "../../../base/suggest.ts";
import { UsageError } from "../../../base/usage-error.ts";

/** What is asked of a Dockerfile in the place of a build. */
export interface CallRequest {
  readonly name: "check" | "outline" | "targets";
  readonly format: "text" | "json";
  /** The exit code does not tell of warnings. */
  readonly ignoreStatus: boolean;
}

const names: Readonly<Record<string, CallRequest["name"] | "build">> = {
  build: "build",
  check: "check",
  lint: "check",
  outline: "outline",
  targets: "targets",
};
const hint = "--call=check, outline or targets, with ,format=json and for check ,ignorestatus=true";

/** `--call=NAME[,format=json|text][,ignorestatus=true]`, or `--check` for `--call=check`; undefined: a build. @throws E_USAGE */
export function callOf(flags: ParsedFlags): CallRequest | undefined {
  const text = flags.string("call");
  const call = text === undefined || text === "" ? undefined : parseCall(text);
  if (!flags.bool("check")) return call;
  if (call === undefined && text === undefined) return { name: "check", format: "text", ignoreStatus: false };
  if (call?.name === "check") return call;
  throw new UsageError(`Cannot use --check together with --call=${text}`, { hint: "leave one of them out" });
}

function parseCall(text: string): CallRequest | undefined {
  let name: CallRequest["name"] | "build" | undefined;
  let rest: Omit<CallRequest, "name"> = { format: "text", ignoreStatus: false };
  for (const [key, value] of parseCsv(text, "--call")) {
    if (value !== undefined) rest = { ...rest, ...option(key, value) };
    else if (name !== undefined) throw new UsageError(`Flag --call names two things: ${text}`, { hint });
    else name = nameOf(key);
  }
  if (name === undefined) throw new UsageError(`Flag --call says nothing to call: ${text}`, { hint });
  return name === "build" ? undefined : { name, ...rest };
}

function nameOf(text: string): CallRequest["name"] | "build" {
  const name = Object.hasOwn(names, text) ? names[text] : undefined;
  if (name !== undefined) return name;
  const near = closest(text, Object.keys(names));
  throw new UsageError(`Flag --call cannot be ${JSON.stringify(text)}`, {
    hint: near === undefined ? hint : `did you mean --call=${near}?`,
  });
}

function option(key: string, value: string): Partial<CallRequest> {
  if (key === "format" && (value === "json" || value === "text")) return { format: value };
  if (key === "ignorestatus" && (value === "true" || value === "1")) return { ignoreStatus: true };
  if (key === "ignorestatus" && (value === "false" || value === "0")) return { ignoreStatus: false };
  throw new UsageError(`Flag --call cannot have ${key}=${value}`, { hint });
}
