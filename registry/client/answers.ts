import type { Descriptor } from "../../store/oci/descriptor.ts";
import { digestOf, isDigest, splitDigest, type Digest } from "../../store/oci/digest.ts";
import { maxDocument } from "../../store/oci/json.ts";
import { schema1 } from "../../store/oci/parse.ts";
import type { Reference } from "../../store/oci/reference.ts";
import { RegistryError } from "../errors.ts";
import type { HttpAnswer } from "../http/client.ts";

/** What is known of an answer before its body comes. */
type AnswerHead = Pick<HttpAnswer, "status" | "header">;

/** A manifest or index as a registry gave it, its digest checked. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** The bytes are not those of the digest that was asked for. */
export class OtherDigestError extends RegistryError {}

/** The manifest of an answer; its digest is what the reference says, or else the registry. @throws E_REGISTRY_LIES */
export async function readManifest(answer: HttpAnswer, reference: Reference): Promise<FetchedManifest> {
  checkEncoding(answer, reference);
  const bytes = await answer.bytes(maxDocument + 1);
  if (bytes.length > maxDocument) throw lying(reference, `its manifest is larger than ${maxDocument} bytes`);
  const type = (answer.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "text/html") throw lying(reference, "it answered a web page");
  // Its digest is not that of its bytes: what others signed of it is left out.
  if (/docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/.test(type)) throw schema1();
  const wanted = reference.digest ?? saidDigest(answer);
  const digest = digestOf(bytes, wanted === undefined ? "sha256" : splitDigest(wanted).algorithm);
  if (wanted !== undefined && wanted !== digest)
    throw lying(reference, `the manifest has digest ${digest}, not ${wanted}`, OtherDigestError);
  return { descriptor: { mediaType: type, digest, size: bytes.length }, bytes };
}

/** Whether an answer may be a blob from an offset on, before its bytes are read. @throws E_REGISTRY_LIES, E_SIZE_MISMATCH */
export function checkBlob(answer: AnswerHead, reference: Reference, desc: Descriptor, offset: number): void {
  if (answer.status === 416) throw otherSize(reference, desc, `no more than ${offset}`);
  checkEncoding(answer, reference);
  const start = answer.status === 206 ? offset : 0;
  if (answer.status === 206 && (saidStart(answer) ?? start) !== start)
    throw lying(reference, `it sent another part of ${desc.digest} than was asked for`);
  const length = answer.header("content-length") ?? "";
  if (!/^\d+$/.test(length) || start + Number(length) === desc.size) return;
  throw otherSize(reference, desc, String(start + Number(length)));
}

function otherSize({ host }: Reference, { digest, size }: Descriptor, has: string): RegistryError {
  return new RegistryError(`Cannot accept ${digest}: ${host} has ${has} bytes, expected ${size}`, {
    code: "E_SIZE_MISMATCH",
    hint: "the source is damaged or lies: try again, or another mirror",
  });
}

/** What a registry has stored is what was pushed, if it says. @throws E_REGISTRY_LIES */
export function checkStored(answer: AnswerHead, reference: Reference, pushed: Digest): void {
  const said = saidDigest(answer);
  if (said !== undefined && splitDigest(said).algorithm === splitDigest(pushed).algorithm && said !== pushed)
    throw lying(reference, `it stored ${said}, not ${pushed}`);
}

/** Nothing that has a digest may be sent in another form. */
function checkEncoding(answer: AnswerHead, reference: Reference): void {
  const encoding = answer.header("content-encoding") ?? "";
  if (!/^(?:identity)?$/i.test(encoding))
    throw lying(reference, `its content is sent encoded (${JSON.stringify(encoding.slice(0, 100))})`);
}

/** Where a part of a blob begins; a server that does not say is believed. */
function saidStart(answer: AnswerHead): number | undefined {
  const start = /^bytes (\d+)-/i.exec(answer.header("content-range") ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

function saidDigest(answer: AnswerHead): Digest | undefined {
  const text = answer.header("docker-content-digest") ?? "";
  return isDigest(text) ? text : undefined;
}

function lying(reference: Reference, why: string, Made: typeof RegistryError = RegistryError): RegistryError {
  return new Made(`Cannot trust the registry's answer for ${reference.host}/${reference.path}: ${why}`, {
    code: "E_REGISTRY_LIES",
    hint: "check what stands between: a proxy, a login page, a broken mirror",
  });
}
