import { describe, expect, it } from "vitest";
import { parseGitUrl, type GitUrl } from "../../../builder/base/git-url.ts";
import { hideUsers, redactUrls } from "../../../builder/base/redact-url.ts";
import { TsbuildError } from "../../../native/errors.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";

/** What a URL means, without what it does not say; the reason of its error; undefined for what is no git URL. */
function meaning(text: string, known?: boolean): object | string | undefined {
  let url: GitUrl | undefined;
  try {
    url = parseGitUrl(text, known);
  } catch (error) {
    return error instanceof TsbuildError
      ? `${error.code} ${error.message.split(": ").slice(1).join(": ")}`
      : String(error);
  }
  if (url === undefined) return undefined;
  return Object.fromEntries(Object.entries(url).filter(([, value]) => value !== undefined && value !== false));
}

describe("parseGitUrl() reads", () => {
  const repo = { remote: "https://example.com/foo.git" };
  it.each<[string, object]>([
    ["https://example.com/foo.git", repo],
    ["http://example.com:8080/a/foo.git", { remote: "http://example.com:8080/a/foo.git" }],
    ["HTTPS://example.com/foo.git", repo],
    ["https://example.com/foo%2Egit", { remote: "https://example.com/foo%2Egit" }],
    ["https://example.com/foo.git#dead/beef", { ...repo, ref: "dead/beef" }],
    [`https://example.com/foo.git#${commit}`, { ...repo, ref: commit }],
    ["https://example.com/foo.git#release/1.2:sub/dir", { ...repo, ref: "release/1.2", subdir: "sub/dir" }],
    ["https://example.com/foo.git#:dir", { ...repo, subdir: "dir" }],
    ["https://example.com/foo.git#:/dir/", { ...repo, subdir: "dir" }],
    ["https://example.com/foo.git#:../../etc", { ...repo, subdir: "etc" }],
    ["https://example.com/foo.git#:a/../..", repo],
    ["https://example.com/foo.git#", repo],
    ["https://example.com/foo.git?", repo],
    ["https://example.com/foo.git#v1%2B2", { ...repo, ref: "v1+2" }],
    ["https://example.com/foo.git?ref=v1", { ...repo, ref: "v1" }],
    ["https://example.com/foo.git?ref=pull/42/head", { ...repo, ref: "pull/42/head" }],
    ["https://example.com/foo.git?ref=v1#v1", { ...repo, ref: "v1" }],
    ["https://example.com/foo.git?tag=v1", { ...repo, ref: "refs/tags/v1" }],
    ["https://example.com/foo.git?tag=refs/tags/v1", { ...repo, ref: "refs/tags/v1" }],
    ["https://example.com/foo.git?branch=main&subdir=/dir", { ...repo, ref: "refs/heads/main", subdir: "dir" }],
    ["https://example.com/foo.git?subdir=dir#v1:dir", { ...repo, ref: "v1", subdir: "dir" }],
    ["https://example.com/foo.git?checksum=0123ABC", { ...repo, checksum: "0123abc" }],
    ["https://example.com/foo.git?commit=0123", { ...repo, checksum: "0123" }],
    ["https://example.com/foo.git?keep-git-dir", { ...repo, keepGitDir: true }],
    ["https://example.com/foo.git?keep-git-dir=T&submodules=1", { ...repo, keepGitDir: true, submodules: true }],
    ["https://example.com/foo.git?mtime=commit", { ...repo, mtime: "commit" }],
    ["https://example.com/foo.git?mtime=checkout", { ...repo, mtime: "checkout" }],
    [
      `https://example.com/foo.git?branch=b&commit=${commit}&fetch-by-commit`,
      { ...repo, ref: "refs/heads/b", checksum: commit, fetchByCommit: true },
    ],
    ["https://user:p%40ss@example.com/foo.git", { ...repo, userinfo: { username: "user", password: "p@ss" } }],
    ["https://token@example.com/foo.git", { ...repo, userinfo: { username: "token", password: undefined } }],
    ["git://example.com/foo", { remote: "git://example.com/foo" }],
    ["git://example.com/foo.git#v1", { remote: "git://example.com/foo.git", ref: "v1" }],
    ["ssh://git@example.com:2222/foo.git#v1", { remote: "ssh://git@example.com:2222/foo.git", ref: "v1" }],
    ["ssh://foo%40corp.com@example.com/x.git", { remote: "ssh://foo%40corp.com@example.com/x.git" }],
    ["ssh://example.com/foo", { remote: "ssh://example.com/foo" }],
    ["git@github.com:moby/buildkit", { remote: "git@github.com:moby/buildkit" }],
    ["git@github.com:moby/buildkit.git?tag=v1", { remote: "git@github.com:moby/buildkit.git", ref: "refs/tags/v1" }],
    ["me@example.com:~/x.git?ref=a#a:b", { remote: "me@example.com:~/x.git", ref: "a", subdir: "b" }],
    ["github.com/moby/buildkit", { remote: "https://github.com/moby/buildkit", bare: true }],
    [
      "github.com/moby/buildkit#v1:dir",
      { remote: "https://github.com/moby/buildkit", bare: true, ref: "v1", subdir: "dir" },
    ],
  ])("%s", (text, expected) => expect(meaning(text)).toEqual(expected));

  it("a URL without .git that something else says to be a repository", () => {
    expect(meaning("https://example.com/foo#v1")).toBeUndefined();
    expect(meaning("https://example.com/foo#v1", true)).toEqual({ remote: "https://example.com/foo", ref: "v1" });
  });
});

describe("parseGitUrl() does not take for a repository", () => {
  it.each([
    "https://example.com/",
    "https://example.com/foo",
    "https://example.com/foo.git/",
    "https://example.com/foo.git.bar",
    "https://example.com/x?file=foo.git",
    "http://github.com/docker/docker.git:#branch",
    "./.git",
    "../x@y:z.git",
    ".git",
    "custom.xyz/moby/buildkit.git",
    "file:///tmp/x.git",
    "ext::sh -c x",
    "ftp://example.com/x.git",
    "dir/x.git",
    "C:x",
  ])("%s", (text) => expect(meaning(text)).toBeUndefined());
});

describe("parseGitUrl() refuses", () => {
  it.each([
    ["https://h/x.git?ref=a#b", 'it has two values for ref: "b" and "a"'],
    ["https://h/x.git?tag=a&branch=a", "it has both a tag and a branch"],
    ["https://h/x.git?tag=a#b", 'it has two values for ref: "b" and "refs/tags/a"'],
    ["https://h/x.git?subdir=a#:b", 'it has two values for subdir: "b" and "a"'],
    ["https://h/x.git?checksum=ab&commit=cd", 'it has two values for checksum: "ab" and "cd"'],
    ["https://h/x.git?ref=a&ref=b", "ref is given twice"],
    ["https://h/x.git?ref=", "ref has no value"],
    ["https://h/x.git?keep-git-dir=maybe", "keep-git-dir=maybe is neither true nor false"],
    ["https://h/x.git?mtime=now", "mtime=now is neither checkout nor commit"],
    ["https://h/x.git?checksum=xyz", 'the checksum "xyz" is not the hash of a commit'],
    ["https://h/x.git?fetch-by-commit", "fetch-by-commit needs a checksum with all digits of the commit"],
    ["https://h/x.git?what=1", '"what" is not one of ref, tag, branch'],
    // What git or ssh would take for something else.
    ["https://h/x.git#--upload-pack=touch", '"--upload-pack=touch" cannot be the name of a branch or tag'],
    ["https://h/x.git?ref=-x", '"-x" cannot be'],
    ["https://h/x.git#a..b", '"a..b" cannot be'],
    ["https://h/x.git#a*", '"a*" cannot be'],
    ["https://h/x.git#a%0Ab", "cannot be"],
    ["git@-oProxyCommand:y", "a part begins with -"],
    ["git@host:-oProxyCommand", "a part begins with -"],
    ["ssh://-oProxyCommand=x/y", "it has no host"],
    ["ssh://-x@host/y", 'invalid user name "-x"'],
    ["ssh://%40x@host/y", 'invalid user name "@x"'],
    ["ssh://a%27b@host/y", 'invalid user name "a\'b"'],
    ["git://ho st/x", "it has no host"],
  ])("%s", (text, why) => {
    expect(String(meaning(text))).toMatch(/^E_GIT_URL /);
    expect(String(meaning(text))).toContain(why);
  });

  it("without telling the password", () => {
    expect(() => parseGitUrl("https://u:secret@h/x.git?ref=")).toThrow("https://xxxxx:xxxxx@h/x.git");
  });
});

describe("redactUrls()", () => {
  it.each([
    ["ADD https://u:p@h/x /", "ADD https://xxxxx:xxxxx@h/x /"],
    ["https://token@h/x", "https://xxxxx@h/x"],
    ["https://u:p@q@h/x https://h/@y", "https://xxxxx:xxxxx@h/x https://h/@y"],
    ["ssh://git@h/x and git@h:x", "ssh://git@h/x and git@h:x"],
    ["ssh://git:p@h/x", "ssh://xxxxx:xxxxx@h/x"],
    ["fatal: unable to access 'https://u:p@h/x.git/'", "fatal: unable to access 'https://xxxxx:xxxxx@h/x.git/'"],
    ["http://h/?q=a@b", "http://h/?q=a@b"],
  ])("%s", (text, expected) => expect(redactUrls(text)).toBe(expected));

  it("or in their place, for a frame", () => {
    const line = "ADD https://user:pa55@h/x /";
    expect(hideUsers(line)).toBe("ADD https://xxxx:xxxx@h/x /");
    expect(hideUsers(line)).toHaveLength(line.length);
  });
});
