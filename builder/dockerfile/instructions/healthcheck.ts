import type { HealthcheckInstruction } from "../ast.ts";
import { parseDuration } from "../duration.ts";
import { parseJsonForm } from "../words.ts";
import { commonFields, syntaxError, type InstructionSource } from "./source.ts";

const millisecond = 1e6;

/** HEALTHCHECK NONE, or HEALTHCHECK [options] CMD command. @throws E_DOCKERFILE_SYNTAX */
export function parseHealthcheck(source: InstructionSource): HealthcheckInstruction {
  const match = /^(\S*)\s*([\s\S]*)$/.exec(source.args);
  const word = (match?.[1] ?? "").toUpperCase();
  const rest = match?.[2] ?? "";
  return {
    kind: "HEALTHCHECK",
    ...commonFields(source),
    test: parseTest(source, word, rest),
    interval: duration(source, "interval"),
    timeout: duration(source, "timeout"),
    startPeriod: duration(source, "start-period"),
    startInterval: duration(source, "start-interval"),
    retries: retries(source),
  };
}

function parseTest(source: InstructionSource, word: string, rest: string): HealthcheckInstruction["test"] {
  if (word === "NONE") {
    if (rest === "" && source.flags.length === 0) return { form: "none" };
    throw syntaxError(source, "Cannot read HEALTHCHECK: NONE takes no arguments and no options");
  }
  if (word !== "CMD") {
    throw syntaxError(source, `Cannot read HEALTHCHECK: ${JSON.stringify(word)} is neither CMD nor NONE`, {
      hint: "write HEALTHCHECK CMD command",
    });
  }
  if (rest === "") throw syntaxError(source, "Cannot read HEALTHCHECK: CMD has no command");
  const json = parseJsonForm(rest);
  return json === undefined ? { form: "shell", text: rest } : { form: "exec", args: json };
}

function duration(source: InstructionSource, name: string): number | undefined {
  const flag = source.flags.find((one) => one.name === name);
  if (flag === undefined || flag.value === "") return undefined;
  const value = parseDuration(flag.value);
  if (value !== undefined && (value === 0 || value >= millisecond)) return value;
  throw syntaxError(source, `Cannot read --${name}=${flag.value}: it is no duration of at least 1ms`, {
    at: flag.location,
    hint: `for example --${name}=30s`,
  });
}

function retries(source: InstructionSource): number | undefined {
  const flag = source.flags.find((one) => one.name === "retries");
  if (flag === undefined || flag.value === "") return undefined;
  if (/^\d{1,9}$/.test(flag.value)) return Number(flag.value);
  throw syntaxError(source, `Cannot read --retries=${flag.value}: it is no number`, { at: flag.location });
}
