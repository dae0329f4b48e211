import { csvFields } from "../base/csv.ts";
import { suggest } from "../base/suggest.ts";

/** What `RUN --device=` says: the name as written. */
export interface DeviceFlag {
  readonly name: string;
  readonly required: boolean;
}

/** Why a flag cannot be read. */
export class DeviceFlagError extends Error {
  override readonly name: string = "DeviceFlagError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(`Cannot read --device: ${message}`);
    this.hint = hint;
  }
}

/**
 * Reads `NAME[,required[=BOOL]]` or `name=NAME,..`. The name has an equals sign of its own: the first field that is no key
 * is it. Variables are not expanded. @throws DeviceFlagError @see BuildKit's ParseDevice
 */
export function parseDeviceFlag(text: string): DeviceFlag {
  const fields = csvFields(text);
  if (typeof fields === "string") throw new DeviceFlagError(fields);
  const flag = fields.reduce<DeviceFlag>(readField, { name: "", required: false });
  if (flag.name === "") throw new DeviceFlagError("it has no name", "write --device=vendor.com/class=name");
  return flag;
}

function readField(flag: DeviceFlag, field: string): DeviceFlag {
  const equals = field.indexOf("=");
  const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  const value = equals < 0 ? undefined : field.slice(equals + 1);
  if (key === "required") return { ...flag, required: value === undefined || truth(value) };
  if (key === "name" && value !== undefined) {
    if (flag.name === "") return { ...flag, name: value };
    throw new DeviceFlagError(`it has two names, ${flag.name} and ${value}`, "write a flag for each device");
  }
  if (flag.name === "") return { ...flag, name: field };
  const near = suggest(key, ["name", "required"]);
  throw new DeviceFlagError(
    `${JSON.stringify(field)} is not known`,
    near === undefined ? "keys are name, required" : `did you mean ${near}?`,
  );
}

/** As Go's strconv.ParseBool. */
function truth(value: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw new DeviceFlagError("required is true or false");
}
