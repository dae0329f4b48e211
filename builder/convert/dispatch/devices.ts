import type { Flag, RunInstruction } from "../../dockerfile/ast.ts";
import { DeviceFlagError, parseDeviceFlag, type DeviceFlag } from "../../dockerfile/device-flag.ts";
import { atPlace, failAt, type DispatchContext } from "./context.ts";

/**
 * The full names of the devices that the --device flags of a RUN mean and that are allowed.
 * @throws E_DEVICE_FLAG, E_DEVICE_NAME, E_DEVICE_NOT_FOUND, E_DEVICE_EDIT, E_ENTITLEMENT
 */
export function runDevices(instruction: RunInstruction, context: DispatchContext): readonly string[] {
  const flags = instruction.flags.filter(({ name }) => name === "device");
  const [first] = flags;
  if (first === undefined) return [];
  const requests = flags.map((flag) => readFlag(flag, context));
  return atPlace({ context }, first.location, () => context.devices.resolve(requests));
}

function readFlag({ value, location }: Flag, context: DispatchContext): DeviceFlag {
  try {
    return parseDeviceFlag(value);
  } catch (error) {
    if (!(error instanceof DeviceFlagError)) throw error;
    const { message, hint } = error;
    throw failAt(context, location, { code: "E_DEVICE_FLAG", message, ...(hint === undefined ? {} : { hint }) });
  }
}
