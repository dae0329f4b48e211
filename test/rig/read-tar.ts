import type { EntryStat } from "../../store/layer/change.ts";
import { TarReader, type TarEntry } from "../../store/layer/tar/reader.ts";

/** An entry with its content, a character for each byte. */
export interface ReadEntry {
  readonly path: string;
  readonly stat: EntryStat;
  readonly sparse: TarEntry["sparse"];
  readonly content: string;
}

/** All that an archive holds, read in chunks of a size. */
export function readTar(bytes: Uint8Array, chunk: number): readonly ReadEntry[] {
  const found: { path: string; stat: EntryStat; sparse: TarEntry["sparse"]; content: Buffer[] }[] = [];
  let open = false;
  const reader = new TarReader({
    entry({ path, stat, sparse }) {
      if (open) throw new RangeError("an entry within another");
      open = true;
      found.push({ path, stat, sparse, content: [] });
    },
    data(data) {
      if (!open) throw new RangeError("data of nothing");
      found.at(-1)?.content.push(Buffer.from(data));
    },
    end() {
      open = false;
    },
  });
  for (let at = 0; at < bytes.byteLength; at += chunk) reader.push(bytes.subarray(at, at + chunk));
  reader.finish();
  return found.map(({ content, ...rest }) => ({ ...rest, content: Buffer.concat(content).toString("latin1") }));
}
