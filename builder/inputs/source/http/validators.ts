import type { HttpAnswer } from "../../../../registry/http/client.ts";
import type { FetchedFile } from "../../../../store/fetched.ts";
import { httpDate } from "../../../../registry/http/http-date.ts";

/** Clocks of servers tick in seconds: what changed just before it was sent may change again within the same one. */
const settledAfter = 60_000;

/** The headers that ask only for what is not known yet. @see RFC 9110 13.1 */
export function conditions(known: FetchedFile | undefined): Readonly<Record<string, string>> {
  if (known?.etag !== undefined) return { "if-none-match": known.etag };
  if (known?.lastModified !== undefined && known.settled === true) return { "if-modified-since": known.lastModified };
  return {};
}

/** Whether the answer says that the file is still what it was. Some servers know ETags but not how to compare them. */
export function isUnchanged(known: FetchedFile | undefined, answer: HttpAnswer): boolean {
  if (known === undefined) return false;
  if (answer.status === 304) return true;
  const etag = answer.header("etag");
  return answer.status === 200 && etag !== undefined && known.etag !== undefined && strong(etag) === strong(known.etag);
}

function strong(etag: string): string {
  return etag.replace(/^W\//, "");
}

/** What of the answer lets the next one be a short one. */
export function validators(answer: HttpAnswer): Pick<FetchedFile, "etag" | "lastModified" | "settled"> {
  const etag = answer.header("etag");
  const lastModified = answer.header("last-modified");
  const changed = httpDate(lastModified);
  const sent = httpDate(answer.header("date"));
  const settled = changed !== undefined && sent !== undefined && sent - changed >= settledAfter;
  return {
    ...(etag === undefined || !/^[\x21-\x7e\x80-\xff]{1,1000}$/.test(etag) ? {} : { etag }),
    ...(changed === undefined || lastModified === undefined ? {} : { lastModified }),
    ...(settled ? { settled } : {}),
  };
}
