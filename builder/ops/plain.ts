import { digestOf } from "../../store/oci/digest.ts";
import type { Op } from "../solve/op.ts";

const nothing = { snapshot: undefined, identity: Promise.resolve(undefined) };

/** FROM scratch. */
export const scratchOp: Op = {
  recorded: false,
  key: async () => ({ key: digestOf("scratch"), inputs: () => ({}) }),
  exec: async () => nothing,
};

/** The build context has no snapshot: COPY reads it in place and keys it by what it reads. */
export const contextOp: Op = {
  recorded: false,
  key: async () => ({ key: digestOf("context"), inputs: () => ({}) }),
  exec: async () => nothing,
};
