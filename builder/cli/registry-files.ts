import { join } from "node:path";
import type { RegistryOptions } from "../options.ts";

/**
 * Where podman, docker and containerd keep what they know of registries: the user's own files come before the
 * system's. `named`: $CONTAINERS_REGISTRIES_CONF.
 */
export function registryFiles(configHome: string, named: string | undefined): NonNullable<RegistryOptions["files"]> {
  const [own, system] = [join(configHome, "containers"), "/etc/containers"];
  const [ownDropIns, systemDropIns] = [join(own, "registries.conf.d"), join(system, "registries.conf.d")];
  return {
    registriesConf:
      named === undefined
        ? [
            { file: join(own, "registries.conf"), dropIns: [ownDropIns] },
            { file: join(system, "registries.conf"), dropIns: [systemDropIns, ownDropIns] },
          ]
        : [{ file: named, dropIns: [systemDropIns, ownDropIns], required: true }],
    certsDirs: [own, system, join(configHome, "docker"), "/etc/docker"].map((parent) => join(parent, "certs.d")),
    hostsDirs: [join(configHome, "containerd", "certs.d"), "/etc/containerd/certs.d"],
    policies: [join(own, "policy.json"), join(system, "policy.json")],
  };
}
