import { createHash } from "node:crypto";
import type { PlanFacts } from "../../rig/plan-facts.ts";
import type { PlanRequest } from "../../rig/plan.ts";

/** A Dockerfile and what is to become of it. What BuildKit makes of it is recorded, see test/peers/buildkit/record.ts. */
export interface PlanCase extends PlanRequest {
  /** `CODE line:column`, where it is refused. */
  readonly error?: string;
  /** Part of the error's help line. */
  readonly hint?: string;
  /** Why tsbuild does something else than BuildKit, also told in docs/differences.md. */
  readonly differs?: string;
  /** The steps' names, where those of this BuildKit lack the backslashes that later ones show. */
  readonly names?: readonly string[];
}

/** Cases by name; a text alone is one that both read in the same way. */
export type PlanCases = Readonly<Record<string, PlanCase | PlanCase["text"]>>;

/** What BuildKit made of a case: the facts of its plan, or its error with the lines that it points at. */
export type Recorded = { readonly request: string } & (
  | { readonly facts: PlanFacts }
  | { readonly error: string; readonly lines?: readonly [first: number, last: number] }
);

/** The case in full. */
export function caseOf(value: PlanCases[string]): PlanCase {
  return typeof value === "string" || value instanceof Uint8Array ? { text: value } : value;
}

/** Names a request: a record belongs to one. */
export function requestKey({ text, args, target, labels, platform }: PlanRequest): string {
  const bytes = Buffer.from(text).toString("base64");
  const hash = createHash("sha256").update(JSON.stringify([bytes, args, target, labels, platform]));
  return hash.digest("hex").slice(0, 12);
}

/** The text over a base image; its first line is line 2. */
export function over(text: string): string {
  return `FROM busybox:1\n${text}`;
}

/** Text whose characters are bytes. */
export function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
