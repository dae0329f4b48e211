import { parseCgroupParent } from "../../runtime/index.ts";
import { normalizeTag } from "../../store/oci/reference.ts";
import { DeviceAccess } from "../inputs/cdi/access.ts";
import { parseContexts } from "../inputs/context/named.ts";
import { checkReaders } from "../inputs/context/spool.ts";
import type { BuildOptions, OutputSpec } from "../options/options.ts";
import { checkedOutputs } from "../output/export.ts";
import { parseContext, type DefinitionRequest } from "./definition.ts";

/** What is asked of a build, as far as it can be checked before anything is opened. */
export interface BuildRequest extends DefinitionRequest {
  readonly options: BuildOptions;
  /** Of the image, in full. */
  readonly names: readonly string[];
  readonly outputs: readonly OutputSpec[];
  readonly devices: DeviceAccess;
}

/** @throws E_CONTEXT, E_URL_INVALID, E_REF_INVALID, E_PUSH_NAME, E_CONTEXT_STDIN, E_CGROUP_PARENT, E_DEVICE_NAME */
export function checkRequest(options: BuildOptions): BuildRequest {
  const url = parseContext(options.context);
  const names = (options.tags ?? []).map(normalizeTag);
  const outputs = checkedOutputs(options, names);
  const contexts = parseContexts(options.contexts ?? {});
  const piped = [...contexts].flatMap(([name, { kind }]) => (kind === "stdin" ? [name] : []));
  checkReaders({ context: options.context, dockerfile: options.dockerfile }, piped);
  if (options.cgroupParent !== undefined) parseCgroupParent(options.cgroupParent);
  const devices = new DeviceAccess(options.allow ?? [], options.cdiDirectories);
  return { options, url, names, outputs, contexts, devices };
}
