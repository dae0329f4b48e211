import type { Flag, Instruction } from "../dockerfile/ast.ts";
import { mountFrom } from "../dockerfile/mount-flag.ts";

/** A stage, image or context that an instruction names, and by which flag. */
export interface NamedSource {
  readonly from: string;
  readonly flag: Flag | undefined;
}

/** The sources of COPY --from, ADD --from and RUN --mount=from, in order. */
export function namedSources(instruction: Instruction): readonly NamedSource[] {
  const { kind, flags } = instruction;
  if (kind === "RUN") {
    return flags.flatMap((flag) => {
      const from = flag.name === "mount" ? mountFrom(flag.value) : undefined;
      return from === undefined ? [] : [{ from, flag }];
    });
  }
  if ((kind !== "COPY" && kind !== "ADD") || instruction.from === undefined) return [];
  return [{ from: instruction.from, flag: flags.find(({ name }) => name === "from") }];
}
