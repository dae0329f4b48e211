import { TsbuildError } from "../../../../native/errors.ts";
import { redactUrls } from "../../../base/redact-url.ts";
import { GitFailure } from "./program.ts";

/** What git's words mean. In order: the first that is found counts. */
const meanings: readonly {
  readonly code: string;
  readonly pattern: RegExp;
  readonly state: string;
  readonly hint?: string;
}[] = [
  {
    code: "E_GIT_HOST_KEY",
    pattern: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/,
    state: "the host has another key than before",
    hint: "if that is meant, remove its line from the known_hosts that is named above (ssh-keygen -R HOST -f FILE)",
  },
  {
    code: "E_GIT_SSH_MISSING",
    pattern: /cannot run ssh|ssh: (?:command )?not found/,
    state: "the program ssh is not on this machine",
    hint: "install it: apt-get install openssh-client",
  },
  {
    code: "E_GIT_AUTH",
    pattern: /Permission denied \(|Permission denied, please try again/,
    state: "the host did not take any key",
    hint: "give an agent or a key: --ssh default, or --ssh default=KEY",
  },
  {
    code: "E_GIT_AUTH",
    pattern:
      /Authentication failed|could not read (?:Username|Password)|returned error: (?:401|403)|Access denied|Invalid username or/i,
    state: "it refused who asks",
    hint: "give a token: --secret id=GIT_AUTH_TOKEN,env=TOKEN (for one host GIT_AUTH_TOKEN.HOST), or a header as GIT_AUTH_HEADER",
  },
  {
    code: "E_GIT_NOT_FOUND",
    pattern: /repository '[^']*' not found|Repository not found|returned error: 404|does not appear to be a git repo/i,
    state: "there is no such repository, or it is private",
    hint: "check the URL; a private one needs --secret id=GIT_AUTH_TOKEN,env=TOKEN",
  },
  {
    code: "E_GIT_TLS",
    pattern:
      /SSL certificate problem|certificate verification failed|certificate subject name|server verification failed/i,
    state: "its certificate is not valid here",
    hint: "give its CA in GIT_SSL_CAINFO=/path/bundle.crt",
  },
  {
    code: "E_GIT_UNREACHABLE",
    pattern:
      /Could not resolve|Connection refused|Failed to connect|Connection timed out|Network is unreachable|No route to host|unable to connect|Operation too slow|Couldn't connect/i,
    state: "nobody answers",
    hint: "check the name and the network; a commit that was fetched before needs no server: #COMMIT",
  },
  {
    code: "E_GIT_PROTOCOL",
    pattern: /transport '[^']*' not allowed|Protocol "\w+" (?:not supported|disabled)/,
    state: "a submodule or redirect uses a protocol that is not allowed",
    hint: "http, https, git and ssh are; leave submodules out: ?submodules=false",
  },
  {
    code: "E_GIT_COMMIT",
    pattern: /not our ref|unadvertised object|does not have the commit/,
    state: "the remote does not give out this commit",
    hint: "check that it was pushed; some servers give out only what a branch or tag is at",
  },
];

/** What another try may mend. */
const passing =
  /early EOF|RPC failed|unexpected disconnect|Connection reset|returned error: (?:429|5\d\d)|remote end hung up unexpectedly|Broken pipe/i;

/** Whether git failed for a reason that may pass. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof GitFailure)) return false;
  return passing.test(error.text) && !meanings.some(({ pattern }) => pattern.test(error.text));
}

/** git's failure as an error of ours: without users and passwords, and without what `mask` hides. */
export function gitError(act: string, error: unknown, mask: { text(text: string): string }): unknown {
  if (!(error instanceof GitFailure)) return error;
  const text = mask.text(redactUrls(error.text));
  const known = meanings.find(({ pattern }) => pattern.test(error.text));
  return new TsbuildError(`Cannot ${act}: ${known?.state ?? "git failed"}`, {
    code: known?.code ?? "E_GIT",
    notes: lastLines(text),
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
  });
}

function lastLines(text: string): readonly string[] {
  const lines = text.split(/[\r\n]/).filter((line) => line.trim() !== "" && !/\d+% \(\d+\/\d+\)/.test(line));
  return lines.slice(-5);
}
