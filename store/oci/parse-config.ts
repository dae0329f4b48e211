import { TsbuildError } from "../../native/errors.ts";
import type { ImageConfig } from "./config.ts";
import { isDigest } from "./digest.ts";
import { asObject, isText, isTexts, parseObject, type Json } from "./json.ts";

/** What each field is, where it is there at all. */
type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isSafeInteger(value);
const isFlag = (value: unknown): boolean => typeof value === "boolean";
const isTable = (value: unknown): boolean => asObject(value) !== undefined;

const top: Shape = { created: isText, author: isText, variant: isText, "os.version": isText, "os.features": isTexts };
const line: Shape = { created: isText, created_by: isText, author: isText, comment: isText, empty_layer: isFlag };
const health: Shape = {
  Test: isTexts,
  Interval: isNumber,
  Timeout: isNumber,
  StartPeriod: isNumber,
  StartInterval: isNumber,
  Retries: isNumber,
};
const run: Shape = {
  User: isText,
  ExposedPorts: isTable,
  Env: isTexts,
  Entrypoint: isTexts,
  Cmd: isTexts,
  Volumes: isTable,
  WorkingDir: isText,
  Labels: (value) => Object.values(asObject(value) ?? { none: undefined }).every(isText),
  StopSignal: isText,
  ArgsEscaped: isFlag,
  OnBuild: isTexts,
  Shell: isTexts,
};

/** An image config from its bytes; unknown fields are kept. @throws E_CONFIG_INVALID, E_MANIFEST_INVALID */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const json = checked(parseObject(bytes, "config"), top, "");
  const { architecture, os } = json;
  if (!isText(architecture) || !isText(os)) throw badConfig("it names no platform");
  const diffs = asObject(json["rootfs"])?.["diff_ids"] ?? [];
  if (!Array.isArray(diffs) || !diffs.every((one) => typeof one === "string" && isDigest(one))) {
    throw badConfig("its diff_ids are no list of digests");
  }
  const { history } = json;
  // Every field that is used is checked; null stands for "not there" in Docker's configs.
  return {
    ...json,
    ...(history === undefined ? {} : { history: historyOf(history) }),
    config: containerConfig(json["config"]),
    rootfs: { type: "layers", diff_ids: diffs },
  } as unknown as ImageConfig;
}

function containerConfig(value: unknown): Json {
  const json = checked(asObject(value) ?? {}, run, "config.");
  const { Healthcheck: check } = json;
  if (check === undefined) return json;
  const found = asObject(check);
  if (found === undefined) throw badConfig("config.Healthcheck is none");
  return { ...json, Healthcheck: checked(found, health, "config.Healthcheck.") };
}

function historyOf(value: unknown): readonly Json[] {
  if (!Array.isArray(value)) throw badConfig("history is no list");
  return value.map((one) => {
    const found = asObject(one);
    if (found === undefined) throw badConfig("a line of history is none");
    return checked(found, line, "history.");
  });
}

/** Without nulls. @throws E_CONFIG_INVALID for a field that is something else than it has to be */
function checked(json: Json, shape: Shape, prefix: string): Json {
  const entries = Object.entries(json).filter(([, value]) => value !== null);
  const shapes = new Map(Object.entries(shape));
  for (const [key, value] of entries) {
    if (shapes.get(key)?.(value) === false) throw badConfig(`${prefix}${key} is not what it has to be`);
  }
  return Object.fromEntries(entries);
}

function badConfig(why: string): TsbuildError {
  return new TsbuildError(`Cannot read the image config: ${why}`, { code: "E_CONFIG_INVALID" });
}
