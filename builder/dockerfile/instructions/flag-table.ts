import type { Flag } from "../ast.ts";
import { suggest } from "../../base/suggest.ts";
import { syntaxError, type InstructionSource } from "./source.ts";

/** "value" needs one, "boolean" may have true or false, "list" may be repeated. */
type FlagKind = "value" | "boolean" | "list";

/** Flags by instruction. */
const tables: Readonly<Record<string, Readonly<Record<string, FlagKind>>>> = {
  FROM: { platform: "value" },
  RUN: { mount: "list", network: "value", security: "value", device: "list" },
  COPY: { from: "value", chown: "value", chmod: "value", link: "boolean", parents: "boolean", exclude: "list" },
  ADD: {
    chown: "value",
    chmod: "value",
    link: "boolean",
    checksum: "value",
    "keep-git-dir": "boolean",
    unpack: "boolean",
    exclude: "list",
  },
  HEALTHCHECK: {
    interval: "value",
    timeout: "value",
    "start-period": "value",
    "start-interval": "value",
    retries: "value",
  },
};

/** Checks an instruction's flags against what it knows. @throws E_FLAG_UNKNOWN, E_DOCKERFILE_SYNTAX */
export function checkFlags(source: InstructionSource): void {
  const table = new Map(Object.entries(tables[source.name] ?? {}));
  const seen = new Set<string>();
  for (const flag of source.flags) {
    const kind = table.get(flag.name);
    if (kind === undefined) throw unknownFlag(source, flag, [...table.keys()]);
    if (seen.has(flag.name) && kind !== "list") {
      throw syntaxError(source, `Cannot read ${source.name}: --${flag.name} is given twice`, { at: flag.location });
    }
    seen.add(flag.name);
    if (kind === "boolean" && flag.hasValue && !/^(?:true|false)$/i.test(flag.value)) {
      throw syntaxError(source, `Cannot read --${flag.name}=${flag.value}: it is true or false`, { at: flag.location });
    }
    if (kind !== "boolean" && !flag.hasValue) {
      throw syntaxError(source, `Cannot read ${source.name}: --${flag.name} needs a value`, {
        at: flag.location,
        hint: `write --${flag.name}=value`,
      });
    }
  }
}

function unknownFlag(source: InstructionSource, flag: Flag, known: readonly string[]): Error {
  const near = suggest(flag.name, known);
  const list =
    known.length === 0
      ? `${source.name} has no flags`
      : `${source.name} knows: ${known.map((one) => `--${one}`).join(", ")}`;
  return syntaxError(source, `Cannot read ${source.name}: unknown flag --${flag.name}`, {
    code: "E_FLAG_UNKNOWN",
    at: flag.location,
    hint: near === undefined ? list : `did you mean --${near}?`,
  });
}

/** The value of a flag. */
export function flagValue(source: InstructionSource, name: string): string | undefined {
  return source.flags.find((flag) => flag.name === name)?.value;
}

/** A boolean flag: undefined when not given. */
export function flagBoolean(source: InstructionSource, name: string): boolean | undefined {
  const flag = source.flags.find((one) => one.name === name);
  return flag === undefined ? undefined : flag.value.toLowerCase() !== "false";
}
