import type { HttpAnswer, HttpClient } from "../../../../registry/http/client.ts";
import { Retries, wait } from "../../../../registry/http/retry.ts";
import type { ContentStore } from "../../../../store/content/store.ts";
import type { FetchedFile } from "../../../../store/fetched.ts";
import { decompress } from "../../../../store/layer/compression.ts";
import { Summer, wrongChecksum } from "./checksum.ts";
import { badStatus, UrlError } from "./errors.ts";
import { openUrl } from "./open.ts";
import { conditions, isUnchanged, validators } from "./validators.ts";

/** One file to bring into the store. */
export interface Download {
  readonly http: HttpClient;
  readonly content: ContentStore;
  readonly url: string;
  readonly authorization: string | undefined;
  /** What the content has to be; nothing else becomes visible. */
  readonly checksum: string | undefined;
  /** What the URL gave last; it is in the store. */
  readonly known: FetchedFile | undefined;
  readonly moved: (current: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** What came; `known` itself when it did not change. Tries again what may be a passing trouble. @throws UrlError */
export async function download(wanted: Download): Promise<FetchedFile> {
  const { signal } = wanted;
  for (const retries = new Retries(); ;) {
    try {
      return await downloadOnce(wanted);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UrlError) || error.retry === undefined) throw error;
      const delay = retries.next(error.retry.status, error.retry.after);
      if (delay === undefined) throw error;
      await wait(delay, signal);
    }
  }
}

async function downloadOnce(wanted: Download): Promise<FetchedFile> {
  const { http, content, url, authorization, checksum, known, signal } = wanted;
  // The file as it is, not packed for the way: what came is what is hashed.
  const headers = { "accept-encoding": "identity", ...conditions(known) };
  const answer = await openUrl(http, { url, headers, authorization, pinned: checksum !== undefined, signal });
  if (known !== undefined && isUnchanged(known, answer)) {
    await answer.discard();
    return known;
  }
  if (answer.status < 200 || answer.status > 299 || answer.status === 206) throw await failed(url, answer);
  const summer = checksum === undefined || checksum.startsWith("sha256:") ? undefined : new Summer(checksum);
  const { digest, size } = await content.put(received(answer, summer, wanted), (sha256) => {
    const sum = summer?.sum() ?? sha256;
    if (checksum !== undefined && sum !== checksum) throw wrongChecksum(url, checksum, sum);
  });
  return { digest, size, ...validators(answer) };
}

async function failed(url: string, answer: HttpAnswer): Promise<UrlError> {
  await answer.discard();
  const after = answer.header("retry-after");
  return badStatus(url, { status: answer.status, ...(after === undefined ? {} : { after }) });
}

/** The body, counted. A server that packs it although it was not asked to is understood, as by BuildKit. */
async function* received(
  answer: HttpAnswer,
  summer: Summer | undefined,
  { moved, signal }: Download,
): AsyncGenerator<Uint8Array> {
  const length = answer.header("content-length");
  const total = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : 0;
  const body = counted(answer.body(), total, moved);
  const packed = answer.header("content-encoding")?.toLowerCase() === "gzip";
  for await (const chunk of packed ? decompress(body, signal) : body) {
    summer?.update(chunk);
    yield chunk;
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  total: number,
  moved: Download["moved"],
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of bytes) {
    done += chunk.byteLength;
    moved(done, total);
    yield chunk;
  }
}
