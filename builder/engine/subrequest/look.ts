import type { BuildPlan } from "../../convert/convert.ts";
import { makePlan, type PlanParts } from "../plan.ts";
import type { BaseImages } from "./base-images.ts";

/** What is looked at. `options`: with the arguments that builds have without being given them. */
export interface LookRequest extends Pick<
  PlanParts,
  "options" | "ast" | "emit" | "contexts" | "observer" | "allStages"
> {
  readonly bases: BaseImages;
}

/** The plan of a build that nobody is to do: whether this machine lets it is not asked. @throws DockerfileError */
export async function lookAt({ bases, options, ...parts }: LookRequest): Promise<BuildPlan> {
  bases.stages = parts.ast.stages.flatMap(({ name }) => name ?? []);
  return await makePlan({
    ...parts,
    options: { ...options, allow: ["network.host", "security.insecure"] },
    devices: { resolve: () => [] },
    keepUser: () => undefined,
    findImage: async (name, platform) => await bases.find(name, platform),
    findLayout: async (request) => await bases.layout(request),
  });
}
