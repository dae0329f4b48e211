import type { InspectedImage } from "../../../store/image/inspect.ts";
import { asMap, nilList, nilMap, nilPointer } from "./go-value.ts";

/** Fields of docker's that say nothing of images here, with the values that docker has for them then. */
const empty = { Parent: "", Comment: "", DockerVersion: "", OsVersion: "", Variant: "" };

const emptyConfig = {
  User: "",
  ExposedPorts: nilMap,
  Env: nilList,
  Cmd: nilList,
  Volumes: nilMap,
  WorkingDir: "",
  Entrypoint: nilList,
  OnBuild: nilList,
  Labels: nilMap,
  StopSignal: "",
  Shell: nilList,
  Healthcheck: nilPointer,
  ArgsEscaped: false,
};

/** An image as templates see it: fields that it does not set are there as docker has them, but not in its JSON. */
export function inspectView(image: InspectedImage): object {
  const config = Object.entries(image.Config).filter(([, value]) => value !== undefined && value !== null);
  const fields = config.map(([key, value]): [string, unknown] => [key, mapNames.has(key) ? sortedMap(value) : value]);
  const seen = withJson({ ...emptyConfig, ...Object.fromEntries(fields) }, image.Config);
  return withJson({ ...empty, ...image, Config: seen }, image);
}

const mapNames: ReadonlySet<string> = new Set(["Labels", "ExposedPorts", "Volumes"]);

function sortedMap(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries: [string, unknown][] = Object.entries(value);
  return asMap(Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

/** The value, which is another one in JSON. */
function withJson(value: object, json: object): object {
  return Object.assign(Object.create({ toJSON: () => json }) as object, value);
}
