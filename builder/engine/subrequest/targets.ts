import type { SourceLocation } from "../../base/location.ts";
import type { BuildOptions } from "../../options/options.ts";
import { description } from "./description.ts";
import { LookSession } from "./look-session.ts";

/** A stage that can be built. */
export interface Target {
  /** "" without one. */
  readonly name: string;
  /** The last: what is built without `--target`. */
  readonly isDefault: boolean;
  /** Of the comment above its FROM: `# NAME what it is`. */
  readonly description: string;
  /** As written. */
  readonly base: string;
  readonly platform: string | undefined;
  readonly location: SourceLocation;
}

/** The stages of a Dockerfile. */
export interface TargetList {
  readonly file: string;
  readonly source: string;
  readonly targets: readonly Target[];
}

/** Lists the stages without looking at anything but the Dockerfile. @throws DockerfileError, TsbuildError */
export async function runTargets(options: BuildOptions): Promise<TargetList> {
  await using session = new LookSession(options);
  const definition = await session.definition(new Map());
  const { stages } = definition.parse();
  const targets = stages.map(({ name, from }, at) => ({
    name: name ?? "",
    isDefault: at === stages.length - 1,
    description: description(from.comments, name),
    base: from.image.raw,
    platform: from.platform,
    location: from.location,
  }));
  return { file: definition.file.name, source: definition.text, targets };
}
