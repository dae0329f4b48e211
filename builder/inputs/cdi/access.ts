import { checkDevice, deviceSetup, type DeviceSetup } from "./edits.ts";
import { deviceGrants, grantedDevices, type DeviceGrants } from "./grants.ts";
import { CdiRegistry, type DeviceRequest } from "./registry.ts";

/** The devices that one build may use. Directories are read when a step asks for the first one. */
export class DeviceAccess {
  readonly #grants: DeviceGrants;
  readonly #directories: readonly string[] | undefined;
  #registry: CdiRegistry | undefined;

  /** `allow`: entitlements, of which those of devices count. @throws E_DEVICE_NAME */
  constructor(allow: readonly string[], directories: readonly string[] | undefined) {
    this.#grants = deviceGrants(allow);
    this.#directories = directories;
  }

  /** The full names of what a step gets. @throws E_ENTITLEMENT, E_DEVICE_NAME, E_DEVICE_NOT_FOUND, E_DEVICE_EDIT */
  resolve(requests: readonly DeviceRequest[]): readonly string[] {
    const found = grantedDevices(this.#read(), this.#grants, requests);
    for (const one of found) checkDevice(one);
    return found.map(({ name }) => name);
  }

  /** @throws E_DEVICE_EDIT */
  setup(names: readonly string[], user: { readonly uid: number; readonly gid: number }): DeviceSetup {
    const registry = this.#read();
    return deviceSetup(
      names.map((name) => registry.get(name)),
      user,
    );
  }

  #read(): CdiRegistry {
    return (this.#registry ??= CdiRegistry.read(this.#directories));
  }
}
