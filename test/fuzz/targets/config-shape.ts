/** What each field of an image config has to be, from the image-spec: independent of the parser. */
const shapes: Readonly<Record<string, (value: unknown) => boolean>> = {
  Env: isTexts,
  Cmd: isTexts,
  Entrypoint: isTexts,
  OnBuild: isTexts,
  Shell: isTexts,
  User: isText,
  WorkingDir: isText,
  StopSignal: isText,
  Labels: (value) => isObject(value) && Object.values(value).every(isText),
  ExposedPorts: isObject,
  Volumes: isObject,
  ArgsEscaped: (value) => typeof value === "boolean",
  Healthcheck: (value) => isObject(value) && Object.entries(value).every(([key, one]) => isHealth(key, one)),
};

/** What is wrong with the shape; undefined: nothing. */
export function configProblem(value: unknown): string | undefined {
  if (!isObject(value)) return "no object";
  const { config, history, rootfs, architecture, os, created, author, variant } = value;
  if (!isText(architecture) || !isText(os)) return "no platform";
  for (const one of [created, author, variant]) if (one !== undefined && !isText(one)) return "a text that is none";
  if (!isObject(rootfs) || !Array.isArray(rootfs["diff_ids"])) return "no rootfs";
  if (history !== undefined && !(Array.isArray(history) && history.every(isHistory))) return "history";
  if (!isObject(config)) return "config";
  return Object.entries(config).find(([key, one]) => Object.hasOwn(shapes, key) && shapes[key]?.(one) !== true)?.[0];
}

function isHistory(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { created, created_by: by, author, comment, empty_layer: empty } = value;
  const texts = [created, by, author, comment].every((one) => one === undefined || isText(one));
  return texts && (empty === undefined || typeof empty === "boolean");
}

function isHealth(key: string, value: unknown): boolean {
  if (key === "Test") return isTexts(value);
  return ["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"].includes(key)
    ? Number.isFinite(value)
    : true;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
