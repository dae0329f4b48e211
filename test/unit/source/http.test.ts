import { describe, expect, it } from "vitest";
import { TsbuildError } from "../../../native/errors.ts";
import { fileNameOf } from "../../../builder/inputs/source/http/file-name.ts";
import { redirectTarget } from "../../../builder/inputs/source/http/redirect.ts";
import { httpDate } from "../../../registry/http/http-date.ts";

describe("redirectTarget()", () => {
  it.each([
    ["https://h/a/b", "c", "https://h/a/c"],
    ["https://h/a", "/x?q#f", "https://h/x?q"],
    ["http://h/a", "https://u:p@other/x", "https://other/x"],
    ["http://127.0.0.1:1/a", "http://localhost:2/b", "http://localhost:2/b"],
    ["https://h/a", "//other/x", "https://other/x"],
  ])("from %s by %s leads to %s", (from, location, to) => expect(redirectTarget(from, location, false)).toBe(to));

  it.each([
    ["https://h/", "http://h/"],
    ["https://h/", "file:///etc/passwd"],
    ["https://h/", "ftp://h/"],
    ["https://h/", "https://"],
  ])("from %s refuses %s", (from, location) => {
    const code = (): void => {
      try {
        redirectTarget(from, location, false);
      } catch (error) {
        expect(error).toMatchObject({ code: "E_URL_REDIRECT" });
        throw error;
      }
    };
    expect(code).toThrow(TsbuildError);
  });

  it("from https to http when the content is pinned", () => {
    expect(redirectTarget("https://h/", "http://h/x", true)).toBe("http://h/x");
  });
});

describe("fileNameOf()", () => {
  it.each([
    ["https://h/a/b.tar.gz?x=/y", "b.tar.gz"],
    ["https://h/a%20b", "a b"],
    ["https://h/a%2Fb", "b"],
    ["https://h/dir/", "dir"],
    ["https://h", "__unnamed__"],
    ["https://h/?x", "__unnamed__"],
    ["https://h/..", "download"],
    ["https://h/%2e%2e", "download"],
    ["https://h/a%00b", "download"],
    ["https://h/a%0Ab", "download"],
    ["https://h/%zz", "__unnamed__"],
  ])("%s: %s", (url, name) => expect(fileNameOf(url)).toBe(name));
});

describe("httpDate()", () => {
  it.each([
    ["Sun, 06 Nov 1994 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sunday, 06-Nov-94 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sun Nov  6 08:49:37 1994", Date.UTC(1994, 10, 6, 8, 49, 37)],
    // What Go's http.ParseTime takes, and what not.
    ["Sunday, 06-Nov-94 08:49:37 UTC", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sunday, 06-Nov-94 08:49:37 CEST", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sunday, 06-Nov-94 08:49:37 GMT+3", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sunday, 06-Nov-94 08:49:37 +03", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Monday, 06-Nov-68 08:49:37 GMT", Date.UTC(2068, 10, 6, 8, 49, 37)],
    ["Monday, 06-Nov-69 08:49:37 GMT", Date.UTC(1969, 10, 6, 8, 49, 37)],
    ["sun, 06 NOV 1994 8:49:37.5 GMT", Date.UTC(1994, 10, 6, 8, 49, 37, 500)],
    ["Sun Nov 06  08:49:37 1994", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sun Nov 6 08:49:37 1994", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Thu, 29 Feb 2024 00:00:00 GMT", Date.UTC(2024, 1, 29)],
    ["Sun, 06 Nov 0094 08:49:37 GMT", new Date("0094-11-06T08:49:37Z").getTime()],
    ["Sun, 06 Nov 1994 08:49:37 UTC", undefined],
    ["Sun, 06 Nov 1994 08:49:37 gmt", undefined],
    ["Sun, 6 Nov 1994 08:49:37 GMT", undefined],
    ["Sunday, 06-Nov-1994 08:49:37 GMT", undefined],
    ["Sun, 06-Nov-94 08:49:37 GMT", undefined],
    ["Someday, 06-Nov-94 08:49:37 GMT", undefined],
    ["Sunday, 06-Nov-94 08:49:37 Europe", undefined],
    ["Sunday, 06-Nov-94 08:49:37 GMT+24", undefined],
    ["Sunday, 06-Nov-94 08:49:37 GMT ", undefined],
    ["Sun Nov  6 08:49:37 1994 GMT", undefined],
    ["Fri, 30 Feb 2024 00:00:00 GMT", undefined],
    ["Sun, 00 Nov 1994 08:49:37 GMT", undefined],
    ["Sun, 06 Nov 1994 24:00:00 GMT", undefined],
    ["Sun, 06 Nov 1994 08:60:37 GMT", undefined],
    ["Sun, 06 Nov 1994 08:49:60 GMT", undefined],
    ["yesterday", undefined],
    ["2020", undefined],
    [undefined, undefined],
  ])("%s", (text, time) => expect(httpDate(text)).toBe(time));
});
