/** What is shorter than this is found in too much that is no secret. */
const shortest = 4;
/** Values that have other forms: of shorter ones these would be found by chance, longer ones are no tokens. */
const encoded = { least: 8, most: 8 << 10 } as const;

/**
 * The texts by which a value can be seen: as a whole, each of its lines, and the forms in which programs pass it on:
 * in base64 (wherever it begins in what is encoded, as in `Authorization: Basic`), in a URL and in JSON.
 */
export function formsOf(value: Uint8Array): readonly Buffer[] {
  const text = Buffer.from(value).toString("latin1");
  const whole = text.trim();
  const lines = text.split("\n").map((line) => line.trim());
  const forms = [whole, ...lines, ...encodedForms(Buffer.from(whole, "latin1"))];
  return [...new Set(forms)].filter((form) => form.length >= shortest).map((form) => Buffer.from(form, "latin1"));
}

function encodedForms(value: Buffer): readonly string[] {
  if (value.length < encoded.least || value.length > encoded.most) return [];
  const base64 = [0, 1, 2].map((skipped) => wholeGroups(value.subarray(skipped)));
  const inUrl = base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"));
  return [...base64, ...inUrl, percentEncoded(value), jsonEscaped(value)];
}

/** The characters that stand for bytes of the value alone. */
function wholeGroups(bytes: Buffer): string {
  return bytes.subarray(0, bytes.length - (bytes.length % 3)).toString("base64");
}

function percentEncoded(value: Buffer): string {
  const encode = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return value.toString("latin1").replaceAll(/[^A-Za-z0-9_.~-]/g, (char) => encode(char.charCodeAt(0)));
}

function jsonEscaped(value: Buffer): string {
  const text = JSON.stringify(value.toString("utf8")).slice(1, -1);
  return Buffer.from(text, "utf8").toString("latin1");
}
