import { proxyArgs } from "../graph/proxy-args.ts";
import type { DeviceAccess } from "../inputs/cdi/access.ts";
import { prepareRunEnvironment, type RunEnvironment } from "../ops/container/run-environment.ts";
import type { RunSettings } from "../ops/run.ts";
import { givenHostname } from "../options/builtin-args.ts";
import type { BuildSession } from "./session.ts";
import type { BuildStages } from "./stages.ts";

/** The name that BuildKit gives to the host of every RUN. */
const sandboxHostname = "buildkitsandbox";

/** What every RUN of a build has beside its step. */
export function runSettings(
  { store, secrets, ssh }: BuildSession,
  { options, ast }: BuildStages,
  devices: DeviceAccess,
): Omit<RunSettings, "shells"> {
  const given = Object.fromEntries(Object.entries(options.buildArgs ?? {}).filter(([name]) => proxyArgs.has(name)));
  const env = options.hostEnv ?? {};
  let made: RunEnvironment | undefined;
  return {
    environment: () =>
      (made ??= prepareRunEnvironment(store.scratch, {
        hostname: givenHostname(options) ?? sandboxHostname,
        env,
        given,
        hosts: options.addHosts ?? [],
        network: options.network,
      })),
    epoch: options.sourceDateEpoch,
    source: ast.text,
    secrets,
    ssh,
    emptiedCaches: new Map(),
    devices,
    resources: options.resources ?? {},
    cgroupParent: options.cgroupParent,
  };
}
