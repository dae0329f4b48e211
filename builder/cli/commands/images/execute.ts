import type { ListedImage } from "../../../../store/image/list.ts";
import type { Invocation } from "../../flags/command.ts";
import type { Store } from "../../../../store/store.ts";
import { filterImages, matchesName } from "../../flags/filters.ts";
import { splitName } from "../../format/names.ts";
import { formatRows } from "../../format/output.ts";
import { dockerSize } from "../../format/size.ts";
import { goTime, timeAgo } from "../../format/time.ts";
import { openInvocationStore } from "../open-store.ts";
import { UsageError } from "../../base/usage-error.ts";

/** docker's fields of `images --format`. */
interface Row {
  readonly ID: string;
  readonly Repository: string;
  readonly Tag: string;
  readonly Digest: string;
  readonly CreatedSince: string;
  readonly CreatedAt: string;
  readonly Size: string;
  readonly VirtualSize: string;
  /** Nobody counts these here, as with docker's list. */
  readonly Containers: "N/A";
  readonly SharedSize: "N/A";
  readonly UniqueSize: "N/A";
}

/** `tsbuild images`: a line for each name, and one for each image without names. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, out } = invocation;
  const { listImages } = await import("../../../../store/image/list.ts");
  await using store = await openInvocationStore(invocation);
  if (flags.bool("tree")) return await showTrees(invocation, store);
  const all = await listImages(store);
  const [name] = operands;
  const filters = [...flags.list("filter"), ...(name === undefined ? [] : [`reference=${name}`])];
  const images = filterImages(all, filters, (wanted) => findListed(all, wanted));
  const full = flags.bool("no-trunc");
  if (flags.bool("quiet")) {
    out.result(images.map(({ id }) => `${full ? id : shortID(id)}\n`).join(""));
    return 0;
  }
  const rows = images.flatMap((image) => rowsOf(image, full, Date.now()));
  const columns = [
    { title: "REPOSITORY", field: "Repository", cell: (row: Row) => row.Repository },
    { title: "TAG", field: "Tag", cell: (row: Row) => row.Tag },
    ...(flags.bool("digests") ? [{ title: "DIGEST", field: "Digest", cell: (row: Row) => row.Digest }] : []),
    { title: "IMAGE ID", field: "ID", cell: (row: Row) => row.ID },
    { title: "CREATED", field: "CreatedSince", cell: (row: Row) => row.CreatedSince },
    { title: "SIZE", field: "Size", cell: (row: Row) => row.Size },
  ];
  out.result(formatRows(flags.string("format"), rows, columns));
  return 0;
}

/** @throws E_USAGE for what does not go with a tree */
async function showTrees({ flags, operands, out }: Invocation, store: Store): Promise<number> {
  const other = ["format", "quiet", "digests", "filter"].find((name) => flags.has(name));
  if (other !== undefined)
    throw new UsageError(`Cannot use --tree together with --${other}`, { hint: "leave one of them out" });
  const [{ imageTrees }, { renderTrees }] = await Promise.all([
    import("../../../../store/image/tree.ts"),
    import("../../format/image-tree.ts"),
  ]);
  const [wanted] = operands;
  const trees = (await imageTrees(store)).filter(
    ({ name }) => wanted === undefined || (name !== undefined && matchesName(name, wanted)),
  );
  out.result(renderTrees(trees, (id) => (flags.bool("no-trunc") ? id : shortID(id))));
  return 0;
}

function rowsOf(image: ListedImage, full: boolean, now: number): readonly Row[] {
  const created = Date.parse(image.created ?? "");
  const known = Number.isFinite(created) && created > 0;
  const shared = {
    ID: full ? image.id : shortID(image.id),
    Digest: image.manifest,
    CreatedSince: known ? timeAgo(created, now) : "N/A",
    CreatedAt: known ? goTime(created) : "N/A",
    Size: dockerSize(image.size),
    VirtualSize: dockerSize(image.size),
    Containers: "N/A",
    SharedSize: "N/A",
    UniqueSize: "N/A",
  } as const;
  if (image.names.length === 0) return [{ Repository: "<none>", Tag: "<none>", ...shared }];
  return image.names.map((name) => {
    const { repository, tag } = splitName(name);
    return { Repository: repository, Tag: tag, ...shared };
  });
}

function findListed(images: readonly ListedImage[], wanted: string): ListedImage {
  const hex = wanted.replace(/^sha256:/, "");
  const found =
    images.find(({ names }) => names.includes(wanted) || names.includes(`${wanted}:latest`)) ??
    images.find(({ id }) => /^[0-9a-f]{2,}$/.test(hex) && id.startsWith(`sha256:${hex}`));
  if (found !== undefined) return found;
  throw new UsageError(`Cannot filter: there is no image ${wanted}`, { hint: "tsbuild images lists them" });
}

/** The 12 digits that docker shows. */
export function shortID(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}
