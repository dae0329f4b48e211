import { TsbuildError } from "../../native/errors.ts";
import type { ImageConfig } from "./config.ts";
import { isDigest } from "./digest.ts";
import { asObject, isText, parseObject, textTable, withoutNulls, type Json } from "./json.ts";
import { hostPlatform } from "./platform.ts";

/** A field as it is used, from what others may write for it; undefined: it is something else than it has to be. */
type Read = (value: unknown) => unknown;
type Shape = Readonly<Record<string, Read>>;

const text: Read = (value) => (isText(value) ? value : undefined);
const number: Read = (value) => (Number.isSafeInteger(value) ? value : undefined);
const flag: Read = (value) => (typeof value === "boolean" ? value : undefined);
/** null in a list of texts is the empty one, as in Go. */
const texts: Read = (value) => {
  const found: unknown[] = Array.isArray(value) ? value.map((one: unknown) => one ?? "") : [undefined];
  return found.every(isText) ? found : undefined;
};
/** Images of Docker's first years have a command that is one word as that word. */
const command: Read = (value) => (isText(value) ? [value] : texts(value));
/** What the values of a set are says nothing. */
const set: Read = (value) => {
  const found = asObject(value);
  return found && Object.fromEntries(Object.keys(found).map((key) => [key, {}]));
};

const top: Shape = {
  architecture: text,
  os: text,
  created: text,
  author: text,
  variant: text,
  "os.version": text,
  "os.features": texts,
};
const line: Shape = { created: text, created_by: text, author: text, comment: text, empty_layer: flag };
const health: Shape = {
  Test: texts,
  Interval: number,
  Timeout: number,
  StartPeriod: number,
  StartInterval: number,
  Retries: number,
};
const run: Shape = {
  User: text,
  ExposedPorts: set,
  Env: texts,
  Entrypoint: command,
  Cmd: command,
  Volumes: set,
  WorkingDir: text,
  Labels: textTable,
  StopSignal: text,
  ArgsEscaped: flag,
  OnBuild: texts,
  Shell: command,
};

/** An image config from its bytes; unknown fields are kept. @throws E_CONFIG_INVALID, E_MANIFEST_INVALID */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const json = checked(parseObject(bytes, "config"), top, "");
  const rootfs = asObject(json["rootfs"]);
  const platform = platformOf(json);
  if (platform === undefined && rootfs === undefined) throw badConfig("it names no platform and no layers");
  const diffs = rootfs?.["diff_ids"] ?? [];
  if (!Array.isArray(diffs) || !diffs.every((one) => typeof one === "string" && isDigest(one))) {
    throw badConfig("its diff_ids are no list of digests");
  }
  const { history } = json;
  // Every field that is used is checked; null stands for "not there" in Docker's configs.
  return {
    ...json,
    ...(platform ?? hostPlatform()),
    ...(history === undefined ? {} : { history: historyOf(history) }),
    config: containerConfig(json["config"]),
    rootfs: { type: "layers", diff_ids: diffs },
  } as unknown as ImageConfig;
}

/** What an image without one of them is for is this machine, as with docker; undefined: it says nothing at all. */
function platformOf({ architecture, os }: Json): { readonly architecture: string; readonly os: string } | undefined {
  const named = [architecture, os].filter((one): one is string => isText(one) && one !== "");
  if (named.length === 0) return undefined;
  const host = hostPlatform();
  return {
    architecture: isText(architecture) && architecture !== "" ? architecture : host.architecture,
    os: isText(os) && os !== "" ? os : host.os,
  };
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
    const found = asObject(one ?? {});
    if (found === undefined) throw badConfig("a line of history is none");
    return checked(found, line, "history.");
  });
}

/** As it is used, and without nulls. @throws E_CONFIG_INVALID for a field that is something else than it has to be */
function checked(json: Json, shape: Shape, prefix: string): Json {
  const shapes = new Map(Object.entries(shape));
  const entries = Object.entries(withoutNulls(json)).map(([key, value]): [string, unknown] => {
    const read = shapes.get(key);
    const found = read === undefined ? value : read(value);
    if (found === undefined) throw badConfig(`${prefix}${key} is not what it has to be`);
    return [key, found];
  });
  return Object.fromEntries(entries);
}

function badConfig(why: string): TsbuildError {
  return new TsbuildError(`Cannot read the image config: ${why}`, { code: "E_CONFIG_INVALID" });
}
