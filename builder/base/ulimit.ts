/** A resource limit of a process; -1 is none. */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** Names of the limits as docker's --ulimit has them. */
export const ulimitNames: readonly string[] = [
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
];

/** `nofile=1024[:2048]`; undefined: it cannot be read. */
export function parseUlimit(text: string): Ulimit | undefined {
  const match = /^([a-z]+)=(-1|\d{1,15})(?::(-1|\d{1,15}))?$/.exec(text);
  const [, name = "", first = "", second = first] = match ?? [];
  if (match === null || !ulimitNames.includes(name)) return undefined;
  const [soft, hard] = [Number(first), Number(second)];
  const fits = hard === -1 || (soft !== -1 && soft <= hard);
  return fits ? { name, soft, hard } : undefined;
}
