import { TsbuildError } from "../../../native/errors.ts";
import { csvFields } from "../../base/csv.ts";
import { isAutoAllowed, type CdiRegistry, type DeviceRequest, type FoundDevice } from "./registry.ts";

/** What `--allow device` and `--allow device=NAME[,alias=OTHER]` say together. */
export interface DeviceGrants {
  readonly all: boolean;
  readonly names: readonly string[];
  /** What a Dockerfile calls it -> the device that is meant: granted with the name. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** @throws E_DEVICE_NAME */
export function deviceGrants(words: readonly string[]): DeviceGrants {
  const read = words.flatMap(readGrant);
  return {
    all: read.some(({ name }) => name === ""),
    names: read.flatMap(({ name, alias }) => (name === "" || alias !== undefined ? [] : [name])),
    aliases: new Map(read.flatMap(({ name, alias }) => (alias === undefined ? [] : [[alias, name] as const]))),
  };
}

/** Whether the entitlement is about devices; its syntax is read by deviceGrants(). */
export function isDeviceGrant(word: string): word is "device" | `device=${string}` {
  return word === "device" || word.startsWith("device=");
}

function readGrant(word: string): readonly { readonly name: string; readonly alias?: string }[] {
  if (!isDeviceGrant(word)) return [];
  const value = word.slice("device=".length);
  if (value === "") return [{ name: "" }];
  const fields = csvFields(value);
  const [name = "", ...more] = typeof fields === "string" ? [] : fields;
  const aliases = more.map((field) => /^alias=(.+)$/.exec(field)?.[1]);
  if (name === "" || aliases.includes(undefined)) {
    throw new TsbuildError(`Cannot allow ${JSON.stringify(word)}: it is no device=NAME[,alias=NAME]`, {
      code: "E_DEVICE_NAME",
      hint: "--allow device=vendor.com/class=name, or --allow device for all",
    });
  }
  const alias = aliases.at(-1);
  return [alias === undefined ? { name } : { name, alias }];
}

/**
 * The devices of one RUN: those that are asked for and allowed. What is optional and not there is left out.
 * @throws E_ENTITLEMENT, E_DEVICE_NAME, E_DEVICE_NOT_FOUND @see BuildKit's ValidateEntitlements
 */
export function grantedDevices(
  registry: CdiRegistry,
  grants: DeviceGrants,
  requests: readonly DeviceRequest[],
): readonly FoundDevice[] {
  if (grants.all) return registry.find(requests);
  const aliased = requests.flatMap(({ name, required }) => {
    const meant = grants.aliases.get(name);
    return meant === undefined ? [] : [{ name: meant, required }];
  });
  const found = registry.find(requests.filter(({ name }) => !grants.aliases.has(name)));
  // Nobody has to own what is allowed and not asked for.
  const named = found.length === 0 ? [] : registry.find(grants.names.map((name) => ({ name, required: false })));
  const forbidden = found.filter((one) => !named.includes(one) && !isAutoAllowed(one));
  if (forbidden.length === 0) return [...new Set([...registry.find(aliased), ...found])];
  const names = forbidden.map(({ name }) => name);
  throw new TsbuildError(`Cannot run the step: ${names.map((name) => `device ${name}`).join(", ")} is not allowed`, {
    code: "E_ENTITLEMENT",
    hint: `if you trust this Dockerfile: ${names.map((name) => `--allow device=${name}`).join(" ")}`,
  });
}
