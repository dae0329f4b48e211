import type { ImageTree } from "../../../store/image/tree.ts";
import { dockerSize } from "./size.ts";
import { renderTable } from "./table.ts";

interface Row {
  readonly image: string;
  readonly id: string;
  readonly size: string;
}

/** Names with a branch for each platform; one that is not in the store has no ID and no size. */
export function renderTrees(trees: readonly ImageTree[], showID: (id: string) => string): string {
  const rows = trees.flatMap(({ name, digest, platforms }): readonly Row[] => [
    { image: name ?? "<none>", id: showID(digest), size: total(platforms.map(({ size }) => size)) },
    ...platforms.map(({ platform, id, size }, at) => ({
      image: `${at + 1 === platforms.length ? "└─" : "├─"} ${platform}`,
      id: id === undefined ? "-" : showID(id),
      size: size === undefined ? "-" : dockerSize(size),
    })),
  ]);
  return renderTable(rows, [
    { title: "IMAGE", field: "image", cell: ({ image }) => image },
    { title: "ID", field: "id", cell: ({ id }) => id },
    { title: "SIZE", field: "size", cell: ({ size }) => size },
  ]);
}

function total(sizes: readonly (number | undefined)[]): string {
  const known = sizes.filter((size) => size !== undefined);
  return known.length === 0 ? "-" : dockerSize(known.reduce((sum, size) => sum + size, 0));
}
