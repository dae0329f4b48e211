import type { HistoryLine } from "../../../../store/image/inspect.ts";
import { givenPlatform } from "../build-request.ts";
import type { Invocation } from "../../flags/command.ts";
import { formatRows } from "../../format/output.ts";
import { dockerSize } from "../../format/size.ts";
import { timeAgo } from "../../format/time.ts";
import { openInvocationStore } from "../open-store.ts";
import { shortID } from "../images/execute.ts";

/** docker's fields of `history --format`. */
interface Row {
  readonly ID: string;
  readonly CreatedSince: string;
  readonly CreatedAt: string;
  readonly CreatedBy: string;
  readonly Size: string;
  readonly Comment: string;
}

/** `tsbuild history`: the newest line first. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, out } = invocation;
  const { imageHistory } = await import("../../../../store/image/inspect.ts");
  await using store = await openInvocationStore(invocation);
  const lines = await imageHistory(store, operands[0] ?? "", givenPlatform(flags));
  const full = flags.bool("no-trunc");
  const human = !flags.has("human") || flags.bool("human");
  const rows = lines.map((line) => rowOf(line, { full, human, now: Date.now() }));
  if (flags.bool("quiet")) {
    out.result(rows.map(({ ID }) => `${ID}\n`).join(""));
    return 0;
  }
  const created = human
    ? { title: "CREATED", field: "CreatedSince", cell: (row: Row) => row.CreatedSince }
    : { title: "CREATED AT", field: "CreatedAt", cell: (row: Row) => row.CreatedAt };
  const columns = [
    { title: "IMAGE", field: "ID", cell: (row: Row) => row.ID },
    created,
    { title: "CREATED BY", field: "CreatedBy", cell: (row: Row) => row.CreatedBy },
    { title: "SIZE", field: "Size", cell: (row: Row) => row.Size },
    { title: "COMMENT", field: "Comment", cell: (row: Row) => row.Comment },
  ];
  out.result(formatRows(flags.string("format"), rows, columns));
  return 0;
}

function rowOf(
  line: HistoryLine,
  show: { readonly full: boolean; readonly human: boolean; readonly now: number },
): Row {
  const created = Date.parse(line.created ?? "");
  const known = Number.isFinite(created);
  const command = line.createdBy.replaceAll("\t", " ");
  return {
    ID: show.full ? line.id : shortID(line.id),
    CreatedSince: known ? timeAgo(created, show.now) : "N/A",
    CreatedAt: known ? new Date(created).toISOString().replace(/\.\d+Z$/, "Z") : "N/A",
    CreatedBy: show.full || command.length <= 45 ? command : `${command.slice(0, 44)}…`,
    Size: show.human ? dockerSize(line.size) : String(line.size),
    Comment: line.comment,
  };
}
