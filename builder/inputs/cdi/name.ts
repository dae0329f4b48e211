/** A device as it is asked for: one of a kind by its name, by its class, the first or all. */
export interface DeviceName {
  /** `vendor.com/class`. */
  readonly kind: string;
  /** "": the first of the kind; `*`: all. */
  readonly name: string;
}

const kindPart = /^[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/;
const namePart = /^[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/;

/** @see CDI's pkg/parser */
export function isKind(text: string): boolean {
  const [vendor = "", ...rest] = text.split("/");
  return text.length <= 512 && kindPart.test(vendor) && kindPart.test(rest.join("/"));
}

export function isName(text: string): boolean {
  return text.length <= 255 && namePart.test(text);
}

/** `vendor.com/class`, `vendor.com/class=name` or `vendor.com/class=*`; undefined: it is none. */
export function parseDeviceName(text: string): DeviceName | undefined {
  const [kind = "", ...rest] = text.split("=");
  const name = rest.join("=");
  if (!isKind(kind) || (name !== "" && name !== "*" && !isName(name))) return undefined;
  return { kind, name };
}
