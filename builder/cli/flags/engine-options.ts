import { resolve } from "node:path";
import type { EngineOptions, RegistryOptions } from "../../options/options.ts";
import type { Invocation } from "./command.ts";
import type { Config } from "../config/config.ts";
import type { ParsedFlags } from "./parsed-flags.ts";
import { parseMirrors } from "../config/settings.ts";

/** Where the engine works and whom it may ask: flags over configuration. */
export function engineOptions(invocation: Invocation): EngineOptions & { readonly registry: RegistryOptions } {
  const { flags, config, signal } = invocation;
  return {
    root: storeRoot(flags, config),
    signal,
    squashOwners: config.squashOwners,
    registry: {
      mirrors: { ...config.mirrors, ...parseMirrors(flags.list("registry-mirror")) },
      insecure: [
        ...config.insecure,
        ...flags.list("insecure-registry"),
        ...(flags.has("tls-verify") && !flags.bool("tls-verify") ? ["*"] : []),
      ],
      credentials: [...namedAuthFile(invocation), ...config.credentials],
      onWarning: invocation.warn,
      files: config.registryFiles,
      env: config.env,
      ...(config.registryTimeout === undefined ? {} : { patience: config.registryTimeout }),
    },
  };
}

/** The store's directory, absolute. */
export function storeRoot(flags: ParsedFlags, config: Config): string {
  const root = flags.string("root");
  return root === undefined ? config.root : resolve(config.cwd, root);
}

function namedAuthFile({ flags, config }: Invocation): NonNullable<RegistryOptions["credentials"]> {
  const file = flags.string("authfile");
  return file === undefined ? [] : [{ kind: "file", path: resolve(config.cwd, file), required: true }];
}
