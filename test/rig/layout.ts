import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tarEnd, tarHeader, tarPadding } from "../../store/layer/tar/writer.ts";
import type { TestRegistry } from "./registry.ts";

/** Media types as they are written in documents. */
export const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  empty: "application/vnd.oci.empty.v1+json",
  tar: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** A descriptor with whatever fields a test gives it. */
export interface OddDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [field: string]: unknown;
}

/** A layer: its blob, and the tar that is in it. */
export interface OddLayer {
  readonly blob: Uint8Array;
  readonly mediaType: string;
  readonly tar: Uint8Array;
}

/** An OCI layout as another program might write it: any document, whole or not. */
export class Layout {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
    writeFileSync(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  }

  /** `content`: bytes, or a value that becomes JSON. */
  blob(content: unknown, mediaType: string, more: object = {}): OddDescriptor {
    const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
    const digest = digestOf(bytes);
    writeFileSync(this.path(digest), bytes);
    return { mediaType, digest, size: bytes.length, ...more };
  }

  /** An image, with fields of its config and of its manifest in the place of the usual ones. */
  image(layers: readonly OddLayer[], config: object = {}, manifest: object = {}): OddDescriptor {
    const diffs = layers.map(({ tar }) => digestOf(tar));
    const usual = { architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: diffs } };
    return this.blob(
      {
        schemaVersion: 2,
        mediaType: types.manifest,
        config: this.blob({ ...usual, ...config }, types.config),
        layers: layers.map(({ blob, mediaType }) => this.blob(blob, mediaType)),
        ...manifest,
      },
      types.manifest,
    );
  }

  /** A signature, chart or list of parts: a manifest without an image's config. */
  artifact(artifactType: string, manifest: object = {}): OddDescriptor {
    const empty = this.blob({}, types.empty);
    const document = { schemaVersion: 2, mediaType: types.manifest, artifactType, config: empty, layers: [empty] };
    return this.blob({ ...document, ...manifest }, types.manifest, { artifactType });
  }

  index(manifests: unknown, more: object = {}): OddDescriptor {
    return this.blob({ schemaVersion: 2, mediaType: types.index, manifests, ...more }, types.index);
  }

  /** What is in `index.json`; the names as containerd and docker write them. */
  top(manifests: unknown): void {
    writeFileSync(join(this.directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  }

  remove({ digest }: OddDescriptor): void {
    rmSync(this.path(digest));
  }

  read({ digest }: OddDescriptor): Buffer {
    return readFileSync(this.path(digest));
  }

  /** The layout as a tar file. */
  archive(file: string): void {
    execFileSync("tar", ["-C", this.directory, "-cf", file, "."]);
  }

  /** Every blob to a registry, manifests and indexes under their digests, one of them under a tag as well. */
  publish(registry: TestRegistry, repository: string, tag: string, target: OddDescriptor): void {
    for (const hex of readdirSync(join(this.directory, "blobs/sha256"))) {
      const bytes = readFileSync(join(this.directory, "blobs/sha256", hex));
      registry.blobs.set(`sha256:${hex}`, bytes);
      const type = documentType(bytes);
      if (type !== undefined) registry.put(repository, `sha256:${hex}`, { type, bytes });
    }
    registry.put(repository, tag, { type: target.mediaType, bytes: this.read(target) });
  }

  path(digest: string): string {
    return join(this.directory, "blobs", digest.replace(":", "/"));
  }
}

/** `platform` of a descriptor: `linux/arm64`. */
export function platform(text: string): object {
  const [os, architecture] = text.split("/");
  return { platform: { os, architecture } };
}

/** The annotation that names an image of an archive. */
export function named(target: OddDescriptor, name: string): OddDescriptor {
  return { ...target, annotations: { "io.containerd.image.name": name } };
}

/** A plain layer of files. */
export function plainLayer(
  files: Readonly<Record<string, string>>,
  encoding: BufferEncoding = "utf8",
  mode: number = 0o644,
): OddLayer {
  const parts = Object.entries(files).flatMap(([path, text]) => {
    const content = Buffer.from(text, encoding);
    const stat = { type: "file", mode, uid: 0, gid: 0, size: content.length, mtime: 0n } as const;
    return [tarHeader(path, stat), content, tarPadding(content.length)];
  });
  const tar = Buffer.concat([...parts, tarEnd]);
  return { blob: tar, mediaType: types.tar, tar };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function documentType(bytes: Buffer): string | undefined {
  if (bytes[0] !== 0x7b || bytes.length > 1 << 20) return undefined;
  const { schemaVersion, mediaType }: { schemaVersion?: unknown; mediaType?: unknown } = JSON.parse(bytes.toString());
  if (schemaVersion === undefined) return undefined;
  return typeof mediaType === "string" ? mediaType : types.manifest;
}
