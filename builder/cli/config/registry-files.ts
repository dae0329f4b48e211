import { join } from "node:path";
import type { RegistryOptions } from "../../options/options.ts";

/**
 * Where podman, docker and containerd keep what they know of registries: the user's own files come before the
 * system's. `configHome`: undefined where it is another user's. `named`: $CONTAINERS_REGISTRIES_CONF.
 */
export function registryFiles(
  configHome: string | undefined,
  named: string | undefined,
): NonNullable<RegistryOptions["files"]> {
  const own = (...path: readonly string[]): readonly string[] =>
    configHome === undefined ? [] : [join(configHome, ...path)];
  const system = "/etc/containers";
  const ownDropIns = own("containers", "registries.conf.d");
  const dropIns = [join(system, "registries.conf.d"), ...ownDropIns];
  return {
    registriesConf:
      named === undefined
        ? [
            ...own("containers", "registries.conf").map((file) => ({ file, dropIns: ownDropIns })),
            { file: join(system, "registries.conf"), dropIns },
          ]
        : [{ file: named, dropIns, required: true }],
    certsDirs: [...own("containers"), system, ...own("docker"), "/etc/docker"].map((parent) => join(parent, "certs.d")),
    hostsDirs: [...own("containerd", "certs.d"), "/etc/containerd/certs.d"],
    policies: [...own("containers", "policy.json"), join(system, "policy.json")],
  };
}
