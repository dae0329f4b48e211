import { resolve } from "node:path";
import type { SshAgentOptions } from "../../inputs/ssh/agents.ts";
import { UsageError } from "../base/usage-error.ts";

const hint = "--ssh default, --ssh default=SOCKET or --ssh ID=KEY[,KEY...]";

/** Where --ssh looks: the environment and the working directory. */
interface Place {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** `default|ID[=SOCKET|KEY[,KEY...]][,raw]` words by their ids. Without a path it is SSH_AUTH_SOCK's agent. @throws E_USAGE */
export function parseSsh(words: readonly string[], place: Place): Readonly<Record<string, SshAgentOptions>> {
  const found = new Map<string, SshAgentOptions>();
  for (const word of words) {
    const { id, agent } = parseWord(word, place);
    if (found.has(id)) throw new UsageError(`Flag --ssh gives the id ${JSON.stringify(id)} twice`, { hint });
    found.set(id, agent);
  }
  return Object.fromEntries(found);
}

function parseWord(word: string, place: Place): { readonly id: string; readonly agent: SshAgentOptions } {
  const [head = "", ...more] = word.split(",");
  const [written = "", ...first] = head.split("=");
  const id = written === "" ? "default" : written;
  const fields = [...(first.length === 0 ? [] : [first.join("=")]), ...more].filter((field) => field !== "");
  const raw = fields.map(rawOf).findLast((one) => one !== undefined) ?? false;
  const paths = fields.filter((field) => rawOf(field) === undefined).map((path) => resolve(place.cwd, path));
  if (raw && paths.length !== 1)
    throw new UsageError(`Flag --ssh with raw needs one socket: ${word}`, { hint: `--ssh ${id}=SOCKET,raw` });
  return { id, agent: { paths: paths.length === 0 ? [ownAgent(id, place)] : paths, ...(raw ? { raw } : {}) } };
}

/** `raw`, `raw=true` or `raw=false`; undefined: it is a path. */
function rawOf(field: string): boolean | undefined {
  if (field === "raw" || /^raw=(?:1|t|true)$/i.test(field)) return true;
  return /^raw=(?:0|f|false)$/i.test(field) ? false : undefined;
}

function ownAgent(id: string, { env }: Place): string {
  const socket = env["SSH_AUTH_SOCK"] ?? "";
  if (socket !== "") return socket;
  throw new UsageError(`Cannot use the SSH agent ${id}: SSH_AUTH_SOCK is not set`, {
    hint: 'start one, eval "$(ssh-agent)" && ssh-add, or give a key: --ssh default=KEY',
  });
}
