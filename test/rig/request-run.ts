import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Lan } from "./lan.ts";
import type { LanRequest } from "./lan-rules.ts";
import type { Project } from "./project.ts";
import type { RequestRow } from "./request-rows.ts";

const basic = { auth: Buffer.from("me:secret").toString("base64") };

export function imageOf({ image = "reg.test:5000/app:1" }: RequestRow): string {
  return image;
}

/** The environment of a user with the row's configuration. */
export function environmentFor(row: RequestRow, lan: Lan, { directory }: Project): Readonly<Record<string, string>> {
  const home = join(directory, "..", "home");
  const write = (path: string, text: string): void => {
    const file = join(home, path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
  };
  write(".docker/config.json", JSON.stringify({ auths: row.auths ?? { [imageOf(row).replace(/\/.*/, "")]: basic } }));
  write("ca.pem", lan.authority.cert);
  for (const host of row.certificates ?? []) {
    const { cert, key } = lan.authority.client(host);
    write(`.config/containers/certs.d/${host}/client.cert`, cert);
    write(`.config/containers/certs.d/${host}/client.key`, key);
  }
  const { PATH = "" } = process.env;
  return { PATH, HOME: home, SSL_CERT_FILE: join(home, "ca.pem"), ...row.env };
}

/** Every server with what it was told, each new word once: requests are many, and side by side. */
export function toldBy(requests: readonly LanRequest[]): Readonly<Record<string, string>> {
  const found = new Map<string, string[]>();
  for (const { server, told } of requests) {
    const words = found.get(server) ?? [];
    found.set(server, words);
    if (words.at(-1) !== told) words.push(told);
  }
  return Object.fromEntries([...found].map(([server, words]) => [server, words.join(", ")]));
}
