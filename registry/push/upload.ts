import type { Descriptor } from "../../store/oci/descriptor.ts";
import type { Reference } from "../../store/oci/reference.ts";
import type { RegistryClient } from "../client/client.ts";
import type { Endpoint } from "../hosts/endpoints.ts";
import type { Sent } from "../transport/sender.ts";
import { RegistryError } from "../errors.ts";
import { leadTo, type Place } from "../http/redirect.ts";
import { redirected } from "../transport/redirected.ts";
import { isTemporary, wait } from "../http/retry.ts";

/** One blob to bring into a repository. */
export interface BlobUpload {
  readonly client: RegistryClient;
  readonly endpoint: Endpoint;
  readonly reference: Reference;
  readonly desc: Descriptor;
  /** Its bytes; called again when an upload is repeated. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** A repository of the same registry that has it. */
  readonly mountFrom: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (current: number) => void;
}

/** An upload that the registry waits for: where to, and what it has. */
interface Begun {
  readonly place: Place;
  readonly offset: number;
}

/**
 * Sends a blob; false when the registry had it, here or in the repository that it is mounted from. What was cut goes on
 * where it stopped, if the registry says where. @throws RegistryError
 */
export async function uploadBlob(upload: BlobUpload): Promise<boolean> {
  if (await isThere(upload)) return false;
  const { client, endpoint, signal } = upload;
  const retries = await client.retries(endpoint);
  const failures = new Set<string>();
  for (let begun = await start(upload, upload.mountFrom); begun !== undefined;) {
    try {
      await (begun.offset > 0 ? goOn(upload, begun) : sendWhole(upload, begun));
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RegistryError) || !mayHelp(error, failures)) throw error;
      const delay = retries.next(isTemporary(error.status ?? 0) ? error.status : undefined, error.retryAfter);
      if (delay === undefined) throw error;
      await wait(delay, signal);
      const left = error.detail === digestInvalid ? undefined : await whatIsThere(upload, begun);
      // The answer alone may have been lost.
      if (left === undefined && (await isThere(upload))) return true;
      begun = left ?? (await start(upload, undefined));
    }
  }
  return false;
}

const digestInvalid = "DIGEST_INVALID";

/** Whether an upload may succeed the next time: after a passing trouble, and once after a byte or a token went bad. */
function mayHelp({ kind, status, detail }: RegistryError, before: Set<string>): boolean {
  if (kind === "broken" || isTemporary(status ?? 0)) return true;
  const once = status === 401 ? "token" : detail === digestInvalid ? detail : undefined;
  if (once === undefined || before.has(once)) return false;
  before.add(once);
  return true;
}

async function isThere({ client, endpoint, desc, signal }: BlobUpload): Promise<boolean> {
  const at = `/blobs/${desc.digest}`;
  const { answer } = await client.send(endpoint, { method: "HEAD", at, access: "push", headers: {}, signal });
  await answer.discard();
  return answer.status === 200;
}

/** Where to send the blob; undefined when the registry mounted it. One that does not want to mount takes an upload. */
async function start(upload: BlobUpload, source: string | undefined): Promise<Begun | undefined> {
  const { client, endpoint, reference, desc, signal } = upload;
  const query = source === undefined ? "" : `?mount=${desc.digest}&from=${encodeURIComponent(source)}`;
  const at = `/blobs/uploads/${query}`;
  const headers = { "content-length": "0" };
  const sent = await client.send(endpoint, { method: "POST", at, access: "push", source, headers, signal });
  const { answer } = sent;
  const location = answer.header("location");
  if (answer.status === 202 && location !== undefined) {
    await answer.discard();
    return { place: leadTo(redirected(location, answer.url), sent.place, answer), offset: 0 };
  }
  if (source === undefined) throw await client.failure(sent, endpoint, reference, "push");
  await answer.discard();
  return answer.status === 201 ? undefined : await start(upload, undefined);
}

async function sendWhole(upload: BlobUpload, { place }: Begun): Promise<void> {
  const { desc } = upload;
  const headers = { "content-type": "application/octet-stream", "content-length": String(desc.size) };
  await finish(upload, place, { headers, body: bytesFrom(upload, 0) });
}

async function goOn(upload: BlobUpload, begun: Begun): Promise<void> {
  const { desc } = upload;
  const place = begun.offset < desc.size ? await sendRest(upload, begun) : begun.place;
  await finish(upload, place, { headers: { "content-length": "0" } });
}

async function sendRest(upload: BlobUpload, { place, offset }: Begun): Promise<Place> {
  const { client, endpoint, reference, desc, signal } = upload;
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": String(desc.size - offset),
    "content-range": `${offset}-${desc.size - 1}`,
  };
  const body = bytesFrom(upload, offset);
  const sent = await client.send(endpoint, { method: "PATCH", at: place, access: "push", headers, body, signal });
  if (sent.answer.status !== 202) throw await client.failure(sent, endpoint, reference, "push");
  await sent.answer.discard();
  return nextPlace(sent, place);
}

/** Says that all of it is there; the registry compares the digest then. */
async function finish(
  upload: BlobUpload,
  place: Place,
  request: { readonly headers: Readonly<Record<string, string>>; readonly body?: AsyncIterable<Uint8Array> },
): Promise<void> {
  const { client, endpoint, reference, desc, signal } = upload;
  const url = new URL(place.url);
  url.searchParams.set("digest", desc.digest);
  const at = { ...place, url: url.href };
  const sent = await client.send(endpoint, {
    ...request,
    method: "PUT",
    at,
    access: "push",
    signal,
    stored: desc.size,
  });
  const { status } = sent.answer;
  if (status !== 201 && status !== 204) throw await client.failure(sent, endpoint, reference, "push");
  await sent.answer.discard();
}

/** What a registry has of an upload that was cut; undefined: it does not say, and the upload begins anew. */
async function whatIsThere(upload: BlobUpload, { place }: Begun): Promise<Begun | undefined> {
  const { client, endpoint, desc, signal } = upload;
  try {
    const sent = await client.send(endpoint, { method: "GET", at: place, access: "push", headers: {}, signal });
    const { answer } = sent;
    await answer.discard();
    const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(answer.header("range") ?? "")?.[1] ?? 0);
    // 0-0 is said of nothing as well as of one byte.
    if (answer.status >= 300 || last === 0 || last >= desc.size) return undefined;
    return { place: nextPlace(sent, place), offset: last + 1 };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return undefined;
  }
}

function nextPlace({ answer, place }: Sent, asked: Place): Place {
  const location = answer.header("location");
  return location === undefined ? asked : leadTo(redirected(location, answer.url), place, answer);
}

async function* bytesFrom({ open, signal, onBytes }: BlobUpload, offset: number): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const chunk of open()) {
    signal?.throwIfAborted();
    const skipped = Math.min(chunk.byteLength, Math.max(0, offset - current));
    current += chunk.byteLength;
    if (skipped === chunk.byteLength) continue;
    // Layers that are packed on the fly come in one buffer that is used again.
    yield Buffer.from(chunk.subarray(skipped));
    onBytes(current);
  }
}
