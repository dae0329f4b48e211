import type { Descriptor } from "../../store/oci/descriptor.ts";
import type { Digest } from "../../store/oci/digest.ts";
import type { SourceLocation } from "../base/location.ts";
import type { MissCause } from "./causes.ts";

/** A node of the step graph as progress shows it. `name` is BuildKit's: `[build 2/5] RUN npm ci`. */
export interface VertexInfo {
  readonly digest: Digest;
  readonly name: string;
  readonly inputs: readonly Digest[];
  /** Which step of the Dockerfile it is, whatever its content: `build/2`; builder's own work has none. */
  readonly slot?: string;
  /** Where its instruction begins, from 1. */
  readonly line?: number;
  /** Groups what is one source or one output, such as the pull of one image; shown as one step. */
  readonly progressGroup?: string;
}

/**
 * Everything that can happen in a build, in order. `time` is milliseconds since the epoch with fractions.
 * A vertex is announced once (`vertex`), then `started`, any of `log`, `status`, `warning`, and one `completed`.
 */
export type BuildEvent =
  | { readonly kind: "vertex"; readonly vertex: VertexInfo; readonly time: number }
  | { readonly kind: "started"; readonly digest: Digest; readonly time: number }
  | {
      readonly kind: "completed";
      readonly digest: Digest;
      readonly time: number;
      readonly cached: boolean;
      /** The message of the failure; "canceled" when a sibling failed first. */
      readonly error?: string;
    }
  | {
      readonly kind: "log";
      readonly digest: Digest;
      readonly time: number;
      /** 1 stdout, 2 stderr */
      readonly stream: 1 | 2;
      readonly data: Uint8Array;
    }
  /** Progress inside a vertex, such as one layer of a pull. Bytes; `total` 0 = not known. */
  | {
      readonly kind: "status";
      readonly digest: Digest;
      readonly id: string;
      readonly time: number;
      readonly current: number;
      readonly total: number;
      readonly started: number;
      readonly completed?: number;
    }
  | {
      readonly kind: "warning";
      readonly digest?: Digest;
      readonly time: number;
      readonly rule?: string;
      readonly message: string;
      readonly detail?: readonly string[];
      readonly url?: string;
      /** The lines that it is about; `at`: the words in them. */
      readonly location?: SourceLocation;
      readonly at?: SourceLocation;
      /** How to mend it. */
      readonly hint?: string;
      /** The Dockerfile's text, to show the lines of. */
      readonly source?: string;
    }
  /** Why a step was not taken from the cache: "package.json changed", "ARG V 1 -> 2". */
  | {
      readonly kind: "miss";
      readonly digest: Digest;
      readonly time: number;
      readonly reasons: readonly string[];
      /** The same as data. */
      readonly causes?: readonly MissCause[];
    }
  /** The network that a RUN really has; `reason`: why it is not one of its own, where that was asked for; `hint`: what helps. */
  | {
      readonly kind: "network";
      readonly digest: Digest;
      readonly time: number;
      readonly mode: UsedNetwork["mode"];
      readonly reason?: string;
      readonly hint?: string;
    }
  | { readonly kind: "result"; readonly time: number; readonly result: BuildResult };

/** The network of RUN: one of its own, the host's, or none. */
export interface UsedNetwork {
  readonly mode: "own" | "host" | "none";
  readonly reason?: string;
}

/** Something about the Dockerfile or the build that is allowed and may be wrong. */
export type BuildWarning = Omit<Extract<BuildEvent, { readonly kind: "warning" }>, "kind" | "time">;

/** What a build made. Digests of what was exported; `undefined` where the output has none (local, tar, none). */
export interface BuildResult {
  /** Digest of the image config: docker's image ID. */
  readonly imageID?: Digest;
  /** Digest of the manifest as stored or exported. */
  readonly manifestDigest?: Digest;
  /** Normalised names the image was stored under. */
  readonly names: readonly string[];
  readonly layers: number;
  /** Bytes of all layers, uncompressed. */
  readonly size: number;
  readonly steps: { readonly total: number; readonly cached: number };
  /** Of the manifest, with its platform. */
  readonly descriptor?: Descriptor;
  /** Names the build's record, for `tsbuild why` and `tsbuild logs`. */
  readonly buildRef: string;
  readonly warnings: readonly BuildWarning[];
  /** What the RUN steps had; undefined when none ran. */
  readonly network?: UsedNetwork;
}

/** Takes events; must not throw. */
export type ProgressSink = (event: BuildEvent) => void;
