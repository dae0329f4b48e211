import type { Flag, RunInstruction } from "../../dockerfile/ast.ts";
import { suggest } from "../../base/suggest.ts";
import type { Entitlement } from "../../graph/entitlement.ts";
import type { RunOp } from "../../graph/opspec.ts";
import { failAt, type DispatchContext } from "./context.ts";

/**
 * The --network and --security of a RUN. What gives a step more than others have must be allowed by who builds.
 * @throws E_RUN_FLAG, E_ENTITLEMENT
 */
export function runRights(instruction: RunInstruction, context: DispatchContext): Pick<RunOp, "network" | "security"> {
  const network = choice(instruction, context, "network", ["default", "none", "host"]);
  const security = choice(instruction, context, "security", ["sandbox", "insecure"]);
  if (network?.value === "host") requireEntitlement(context, network.flag, "network.host");
  if (security?.value === "insecure") requireEntitlement(context, security.flag, "security.insecure");
  return {
    // "default" is what --network of the build says.
    network: network === undefined || network.value === "default" ? context.network : network.value,
    ...(security?.value === "insecure" ? { security: "insecure" } : {}),
  };
}

function choice<T extends string>(
  instruction: RunInstruction,
  context: DispatchContext,
  name: string,
  options: readonly T[],
): { readonly value: T; readonly flag: Flag } | undefined {
  const flag = instruction.flags.find((one) => one.name === name);
  if (flag === undefined) return undefined;
  const value = options.find((option) => option === flag.value);
  if (value !== undefined) return { value, flag };
  const near = suggest(flag.value, options);
  throw failAt(context, flag.location, {
    code: "E_RUN_FLAG",
    message: `Cannot read RUN: --${name} cannot be ${JSON.stringify(flag.value)}`,
    hint: near === undefined ? `it is ${options.join(", ")}` : `did you mean --${name}=${near}?`,
  });
}

function requireEntitlement(context: DispatchContext, { location }: Flag, entitlement: Entitlement): void {
  if (context.allow.has(entitlement)) return;
  throw failAt(context, location, {
    code: "E_ENTITLEMENT",
    message: `Cannot run the step: ${entitlement} is not allowed`,
    hint: `if you trust this Dockerfile: --allow ${entitlement}`,
  });
}
