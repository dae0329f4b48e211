import type { HealthcheckInstruction } from "../ast.ts";
import { parseDuration } from "../../base/duration.ts";
import { parseJsonForm } from "../words.ts";
import { commonFields, syntaxError, type InstructionSource } from "./source.ts";

const millisecond = 1e6;

/** HEALTHCHECK NONE, which has no use for options, or HEALTHCHECK [options] CMD command. @throws E_DOCKERFILE_SYNTAX */
export function parseHealthcheck(source: InstructionSource): HealthcheckInstruction {
  const match = /^(\S*)\s*([\s\S]*)$/.exec(source.args);
  const word = (match?.[1] ?? "").toUpperCase();
  const rest = match?.[2] ?? "";
  const test = parseTest(source, word, rest);
  const options = test.form === "none" ? { ...source, flags: [] } : source;
  return {
    kind: "HEALTHCHECK",
    ...commonFields(source),
    test,
    interval: duration(options, "interval"),
    timeout: duration(options, "timeout"),
    startPeriod: duration(options, "start-period"),
    startInterval: duration(options, "start-interval"),
    retries: retries(options),
  };
}

function parseTest(source: InstructionSource, word: string, rest: string): HealthcheckInstruction["test"] {
  if (word === "NONE") {
    if (rest === "") return { form: "none" };
    throw syntaxError(source, "Cannot read HEALTHCHECK: NONE takes no arguments");
  }
  if (word !== "CMD") {
    throw syntaxError(source, `Cannot read HEALTHCHECK: ${JSON.stringify(word)} is neither CMD nor NONE`, {
      hint: "write HEALTHCHECK CMD command",
    });
  }
  const json = parseJsonForm(rest);
  if (rest === "" || json?.length === 0) throw syntaxError(source, "Cannot read HEALTHCHECK: CMD has no command");
  return json === undefined ? { form: "shell", text: rest } : { form: "exec", args: json };
}

/** 0 is the default, as if it were not given. */
function duration(source: InstructionSource, name: string): number | undefined {
  const flag = source.flags.find((one) => one.name === name);
  if (flag === undefined || flag.value === "") return undefined;
  const value = parseDuration(flag.value);
  if (value === 0) return undefined;
  if (value !== undefined && value >= millisecond) return value;
  throw syntaxError(source, `Cannot read --${name}=${flag.value}: it is no duration of at least 1ms`, {
    at: flag.location,
    hint: `for example --${name}=30s`,
  });
}

function retries(source: InstructionSource): number | undefined {
  const flag = source.flags.find((one) => one.name === "retries");
  if (flag === undefined || flag.value === "") return undefined;
  const value = /^\+?\d+$/.test(flag.value) ? Number(flag.value) : NaN;
  if (value < 2 ** 31) return value === 0 ? undefined : value;
  throw syntaxError(source, `Cannot read --retries=${flag.value}: it is no number from 0 to 2147483647`, {
    at: flag.location,
  });
}
