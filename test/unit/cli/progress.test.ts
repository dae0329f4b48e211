import { describe, expect, it } from "vitest";
import { JsonProgress, rfc3339 } from "../../../builder/cli/progress/json.ts";
import { PlainProgress } from "../../../builder/cli/progress/plain.ts";
import { foldings } from "../../../builder/cli/ci/folding.ts";
import { Screen } from "../../../builder/cli/progress/screen.ts";
import { failedLogs } from "../../../builder/cli/progress/failed-logs.ts";
import { buildSummary } from "../../../builder/cli/progress/summary.ts";
import { TtyProgress } from "../../../builder/cli/progress/tty.ts";
import { warningAnnotation, warningSummary } from "../../../builder/cli/progress/warnings.ts";
import { makeStyle } from "../../../builder/cli/terminal/style.ts";
import type { BuildEvent } from "../../../builder/graph/events.ts";
import { digestOf, type Digest } from "../../../store/oci/digest.ts";

const t0 = Date.UTC(2026, 10, 24, 12, 0, 0);
const a = digestOf("a");
const b = digestOf("b");

function vertex(digest: Digest, name: string, progressGroup?: string): BuildEvent {
  const group = progressGroup === undefined ? {} : { progressGroup };
  return { kind: "vertex", vertex: { digest, name, inputs: [], ...group }, time: t0 };
}
const started = (digest: Digest, ms: number): BuildEvent => ({ kind: "started", digest, time: t0 + ms });
const log = (digest: Digest, ms: number, text: string): BuildEvent => ({
  kind: "log",
  digest,
  time: t0 + ms,
  stream: 1,
  data: Buffer.from(text),
});
function completed(digest: Digest, ms: number, more: { cached?: boolean; error?: string } = {}): BuildEvent {
  return { kind: "completed", digest, time: t0 + ms, cached: false, ...more };
}
function status(digest: Digest, ms: number, current: number, total: number, done = false): BuildEvent {
  const completed = done ? { completed: t0 + ms } : {};
  return { kind: "status", digest, id: "sha256:ab", time: t0 + ms, current, total, started: t0, ...completed };
}
const plain = (events: readonly BuildEvent[]): string => {
  const progress = new PlainProgress();
  return events.map((event) => progress.event(event)).join("");
};

describe("PlainProgress", () => {
  it("prints name, log lines with seconds, and the end", () => {
    const text = plain([
      vertex(a, "[build 2/5] RUN npm ci"),
      started(a, 0),
      { kind: "miss", digest: a, time: t0, reasons: ["package.json changed", "ARG V 1 -> 2"] },
      log(a, 213, "one\ntwo\n"),
      log(a, 12_500, "three\n"),
      completed(a, 123_000),
    ]);
    expect(text).toBe(
      "#1 [build 2/5] RUN npm ci\n#1 MISS package.json changed, ARG V 1 -> 2\n#1 0.213 one\n#1 0.213 two\n" +
        "#1 12.50 three\n#1 DONE 123.0s\n",
    );
  });

  it.each([
    ["github", "::group::#1 A\n", "::endgroup::\n"],
    ["gitlab", `\u001b[0Ksection_start:${t0 / 1000}:tsbuild_1[collapsed=true]\r\u001b[0K#1 A\n`, "section_end"],
    ["buildkite", "--- #1 A\n", "#1 DONE"],
    ["teamcity", "##teamcity[blockOpened name='#1 A']\n", "##teamcity[blockClosed name='#1 A']\n"],
  ] as const)("lets %s fold each stretch of one step, one at a time", (service, open, close) => {
    const progress = new PlainProgress({ folding: foldings[service] });
    const events = [vertex(a, "A"), started(a, 0), log(a, 1, "x\n"), vertex(b, "B"), started(b, 0), completed(a, 5)];
    const text = [...events, completed(b, 9)].map((event) => progress.event(event)).join("") + progress.end(false, t0);
    expect(text.startsWith(open)).toBe(true);
    expect(text.indexOf(close)).toBeGreaterThan(text.indexOf("#1 0.001 x"));
    expect(text.indexOf(close)).toBeLessThan(text.indexOf("#2 B"));
    const depth = text.match(/::group|::endgroup|section_start|section_end|blockOpened|blockClosed/g) ?? [];
    expect(depth.length).toBe(service === "buildkite" ? 0 : 4);
  });

  it("closes the fold of a step that is left open, and repeats the log of the failed one outside of it", () => {
    const progress = new PlainProgress({ folding: foldings.github });
    const text = [vertex(a, "A"), started(a, 0), log(a, 1, "no\n"), completed(a, 2, { error: "bad" })]
      .map((event) => progress.event(event))
      .join("");
    expect(text + progress.end(true, t0)).toMatch(/#1 ERROR: bad\n::endgroup::\n------\n > A:\n0\.001 no\n------\n$/);
    const open = new PlainProgress({ folding: foldings.github });
    expect([vertex(a, "A"), started(a, 0)].map((event) => open.event(event)).join("") + open.end(true, t0)).toBe(
      "::group::#1 A\n::endgroup::\n",
    );
  });

  it("does not let a step speak to the service", () => {
    const hostile = "##[add-mask]x\n a ##teamcity[buildProblem]\n\u001b[0Ksection_end:1:x\rx\r::add-mask::root\n";
    const warning = { kind: "warning", time: t0, message: "##vso[task.complete]" } as const;
    const events = [vertex(a, "##[error]A"), started(a, 0), log(a, 1, hostile), warning, completed(a, 2)];
    for (const service of ["github", "gitlab", "buildkite", "teamcity", undefined] as const) {
      const progress = new PlainProgress({ folding: service === undefined ? undefined : foldings[service] });
      const text = events.map((event) => progress.event(event)).join("");
      expect(text.replace(/^##teamcity\[block.*$/gm, "")).not.toMatch(/##\[|##teamcity|##vso|section_end:1:x/);
      expect(text.match(/^::(?!(?:end)?group::)/gm)).toBeNull();
      expect(text).toContain("\n#1 0.001 x\n#1 0.001 ::add-mask::root\n");
    }
  });

  it("holds a partial line back until it is whole or the step ends", () => {
    const text = plain([vertex(a, "A"), started(a, 0), log(a, 1, "ab"), log(a, 2, "c\nd"), completed(a, 100)]);
    expect(text).toBe("#1 A\n#1 0.002 abc\n#1 0.100 d\n#1 DONE 0.1s\n");
  });

  it("ends a line at a carriage return, and lets no sequence but colours through", () => {
    const hostile = "10%\r20%\r\n\u001b]52;c;aGk=\u0007\u001b[2J\u001b[?1049h\u001b[31mred\nplain \u009b";
    expect(plain([vertex(a, "A"), started(a, 0), log(a, 1, hostile), log(a, 2, "Ahidden\u0007\n")])).toBe(
      "#1 A\n#1 0.001 10%\n#1 0.001 20%\n#1 0.001 \u001b[31mred\u001b[0m\n#1 0.002 plain hidden\n",
    );
  });

  it("joins a character that is split between two chunks", () => {
    const [first, second] = [Buffer.from("é\n").subarray(0, 1), Buffer.from("é\n").subarray(1)];
    const part = (data: Uint8Array): BuildEvent => ({ kind: "log", digest: a, time: t0, stream: 1, data });
    expect(plain([vertex(a, "A"), started(a, 0), part(first), part(second)])).toBe("#1 A\n#1 0.000 é\n");
  });

  it("says CACHED, ERROR and CANCELED", () => {
    const text = plain([
      vertex(a, "A"),
      completed(a, 0, { cached: true }),
      vertex(b, "B"),
      started(b, 0),
      completed(b, 1, { error: "exit code: 1" }),
      vertex(digestOf("c"), "C"),
      completed(digestOf("c"), 2, { error: "canceled" }),
    ]);
    expect(text).toBe("#1 A\n#1 CACHED\n\n#2 B\n#2 ERROR: exit code: 1\n\n#3 C\n#3 CANCELED\n");
  });

  it("keeps the lines of two steps apart and marks the switch with ...", () => {
    const text = plain([
      vertex(a, "A"),
      vertex(b, "B"),
      started(a, 0),
      started(b, 0),
      log(a, 100, "a1\n"),
      log(b, 200, "b1\n"),
      log(b, 6000, "b2\n"),
      log(a, 6100, "a2\n"),
      completed(b, 6200),
      completed(a, 6300),
    ]);
    expect(text).toBe(
      "#1 A\n#1 0.100 a1\n#1 ...\n\n#2 B\n#2 0.200 b1\n#2 6.000 b2\n#2 DONE 6.2s\n\n" +
        "#1 A\n#1 6.100 a2\n#1 DONE 6.3s\n",
    );
  });

  it("prints a transfer twice a second when it has moved by a twentieth, every 5 seconds, and at its end", () => {
    const moved = [0, 300, 600, 1000, 1200].map((ms) => status(a, ms, ms * 100, 1_000_000));
    const stalled = [6000, 6250].map((ms) => status(a, ms, 120_000, 1_000_000));
    const end = status(a, 6400, 1_000_000, 1_000_000, true);
    expect(plain([vertex(a, "pull"), started(a, 0), ...moved, ...stalled, end])).toBe(
      "#1 pull\n#1 sha256:ab 0B / 1.00MB\n#1 sha256:ab 60.00kB / 1.00MB 0.6s\n" +
        "#1 sha256:ab 120.00kB / 1.00MB 1.2s\n#1 sha256:ab 120.00kB / 1.00MB 6.3s\n#1 sha256:ab 1.00MB / 1.00MB 6.4s done\n",
    );
  });

  it("shows the vertices of a group as one step that ends with the last", () => {
    const text = plain([
      vertex(a, "layer 1", "[1/2] FROM debian"),
      vertex(b, "layer 2", "[1/2] FROM debian"),
      started(a, 0),
      started(b, 0),
      completed(a, 100),
      completed(b, 300),
    ]);
    expect(text).toBe("#1 [1/2] FROM debian\n#1 DONE 0.3s\n");
  });

  it("prints a warning with its rule and line", () => {
    const location = { file: "Dockerfile", start: { line: 3, column: 1 }, end: { line: 3, column: 2 } };
    const text = plain([{ kind: "warning", time: t0, rule: "StageNameCasing", message: "use lower case", location }]);
    expect(text).toBe("WARN: StageNameCasing: use lower case (line 3)\n");
  });

  it("prints a warning of a step under the step's number, also when the step has ended", () => {
    const warning = { kind: "warning", digest: a, time: t0, rule: "R", message: "m" } as const;
    const text = plain([
      vertex(a, "A"),
      started(a, 0),
      warning,
      completed(a, 100),
      warning,
      vertex(b, "B"),
      started(b, 0),
    ]);
    expect(text).toBe("#1 A\n#1 WARN: R: m\n#1 DONE 0.1s\n#1 WARN: R: m\n\n#2 B\n");
  });

  it("ignores events of a vertex that was never announced", () => {
    expect(plain([started(a, 0), log(a, 1, "x\n"), completed(a, 2)])).toBe("");
  });
});

describe("JsonProgress", () => {
  it("prints BuildKit's SolveStatus, one object a line", () => {
    const progress = new JsonProgress();
    const lines = [
      vertex(a, "A", "group"),
      started(a, 1.5),
      log(a, 2, "hi\n"),
      status(a, 1000, 5, 10),
      { kind: "warning", digest: a, time: t0, rule: "R", message: "m", url: "u" } as const,
      completed(a, 2000, { error: "bad" }),
    ].map((event) => progress.event(event));
    expect(lines.every((line) => line.endsWith("\n"))).toBe(true);
    const group = { id: "group", name: "group" };
    const begun = { digest: a, name: "A", started: "2026-11-24T12:00:00.0015Z", progressGroup: group };
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { vertexes: [{ digest: a, name: "A", progressGroup: group }] },
      { vertexes: [begun] },
      { logs: [{ vertex: a, stream: 1, data: "aGkK", timestamp: "2026-11-24T12:00:00.002Z" }] },
      {
        statuses: [
          {
            id: "sha256:ab",
            vertex: a,
            total: 10,
            current: 5,
            timestamp: "2026-11-24T12:00:01Z",
            started: "2026-11-24T12:00:00Z",
          },
        ],
      },
      { warnings: [{ vertex: a, level: 1, short: Buffer.from("R: m").toString("base64"), url: "u" }] },
      { vertexes: [{ ...begun, completed: "2026-11-24T12:00:02Z", error: "bad" }] },
    ]);
  });

  it("prints times as Go does", () => {
    expect(rfc3339(t0)).toBe("2026-11-24T12:00:00Z");
    expect(rfc3339(t0 + 0.25)).toBe("2026-11-24T12:00:00.00025Z");
    expect(rfc3339(t0 + 999.9999999)).toBe("2026-11-24T12:00:01Z");
  });
});

describe("TtyProgress", () => {
  const draw = (events: readonly BuildEvent[], now: number, width: number, height: number): readonly string[] => {
    const progress = new TtyProgress({ style: makeStyle(false), logLines: 2 });
    for (const event of events) progress.event(event);
    return progress.frame({ now: t0 + now, width, height });
  };
  const events = [
    vertex(a, "[1/2] FROM debian"),
    vertex(b, "[2/2] RUN make all the things that there are"),
    started(a, 0),
    status(a, 500, 1_000_000, 2_000_000),
    completed(a, 1000),
    started(b, 1000),
    log(b, 1500, "one\n10%\r20%\r30%\n\u001b[31mred\u001b[0m\n"),
  ];

  it("draws steps with times at the right edge and the last lines of what runs", () => {
    expect(draw(events, 3000, 50, 20)).toEqual([
      "[+] Building 3.0s (1/2)",
      " => [1/2] FROM debian                         1.0s",
      " => => sha256:ab 1.00MB / 2.00MB              0.5s",
      " => [2/2] RUN make all the things that there… 2.0s",
      " => => # 30%",
      " => => # red",
    ]);
  });

  it("fits the terminal by giving up log lines and finished steps first", () => {
    const lines = draw(events, 3000, 40, 4);
    expect(lines).toEqual([
      "[+] Building 3.0s (1/2)",
      " => [1/2] FROM debian               1.0s",
      " => [2/2] RUN make all the things … 2.0s",
    ]);
  });

  it("marks cached, failed and canceled steps", () => {
    const c = digestOf("c");
    const lines = draw(
      [vertex(a, "A"), vertex(b, "B"), vertex(c, "C"), completed(a, 0, { cached: true }), started(b, 0)].concat([
        completed(b, 100, { error: "exit code: 1" }),
        completed(c, 100, { error: "context canceled" }),
      ]),
      100,
      30,
      20,
    );
    expect(lines.slice(1).map((line) => line.trimEnd().replace(/ +0\.\ds$/, ""))).toEqual([
      " => CACHED A",
      " => ERROR B",
      " => CANCELED C",
    ]);
  });
});

describe("warningSummary()", () => {
  const location = { file: "Dockerfile", start: { line: 2, column: 1 }, end: { line: 2, column: 17 } };
  const at = { file: "Dockerfile", start: { line: 2, column: 11 }, end: { line: 2, column: 13 } };
  const warnings = [
    { rule: "StageNameCasing", message: "use lower case", location, at, detail: ["what should be"], url: "https://u" },
    { message: "an argument was not used", hint: "leave it out" },
  ].map((warning) => ({ ...warning, source: "# a\nFROM a AS Ba\n" }));
  const options = { style: makeStyle(false), debug: false, width: 80 };

  it("has a line for each, as buildx", () => {
    expect(warningSummary(warnings, options)).toBe(
      "\n 2 warnings found (use --debug to expand):\n - StageNameCasing: use lower case (line 2)\n - an argument was not used\n",
    );
    expect(warningSummary(warnings.slice(1), options)).toContain("\n 1 warning found (use --debug to expand):\n");
    expect(warningSummary([], options)).toBe("");
  });

  it("has tsbuild's own checks apart", () => {
    const own = { rule: "tsbuild/NeedlessSudo", message: "sudo does nothing", location };
    const text = (list: readonly (typeof own | (typeof warnings)[number])[]): string => warningSummary(list, options);
    expect(text([own, ...warnings, own])).toBe(
      [
        "",
        " 2 warnings found (use --debug to expand):",
        " - StageNameCasing: use lower case (line 2)",
        " - an argument was not used",
        " 2 warnings of tsbuild's own checks (--check-own=false turns them off):",
        " - tsbuild/NeedlessSudo: sudo does nothing (line 2)",
        " - tsbuild/NeedlessSudo: sudo does nothing (line 2)",
        "",
      ].join("\n"),
    );
    expect(text([own])).toMatch(/^\n 1 warning of tsbuild's own checks \([^\n]*\n - tsbuild\/NeedlessSudo: /);
  });

  it("shows the place and what should be with debug", () => {
    expect(warningSummary(warnings, { ...options, debug: true }).split("\n")).toEqual([
      "",
      " 2 warnings found:",
      "",
      "warning[StageNameCasing]: use lower case",
      "  --> Dockerfile:2:11",
      "   1 | # a",
      "   2 | FROM a AS Ba",
      "     |           ^^",
      "  = what should be",
      "  = https://u",
      "",
      "warning: an argument was not used",
      "  help: leave it out",
      "",
    ]);
  });

  it("annotates in GitHub Actions", () => {
    expect(warnings.slice(0, 1).map(warningAnnotation)).toEqual([
      "::warning file=Dockerfile,line=2,col=11,title=StageNameCasing::use lower case\n",
    ]);
  });
});

describe("Screen", () => {
  it("writes only the lines that changed, and gives the cursor back", () => {
    const screen = new Screen();
    expect(screen.paint(["one", "two"], 80)).toBe("\u001b[?25lone\u001b[K\ntwo\u001b[K\n");
    expect(screen.paint(["one", "2"], 80)).toBe("\u001b[2A\r\n2\u001b[K\n");
    expect(screen.paint(["one"], 80)).toBe("\u001b[2A\r\n\u001b[J");
    expect(screen.leave()).toBe("\u001b[?25h");
    expect(screen.leave()).toBe("");
  });

  it("clears the lines that wrapped when the terminal became narrower", () => {
    const screen = new Screen();
    screen.paint(["x".repeat(80), "y"], 80);
    expect(screen.paint(["x"], 40)).toBe("\u001b[3A\r\u001b[Jx\u001b[K\n");
  });
});

describe("buildSummary()", () => {
  const result = {
    imageID: a,
    names: ["docker.io/library/app:latest"],
    layers: 3,
    size: 41_000_000,
    steps: { total: 6, cached: 4 },
    buildRef: "b",
    warnings: [],
  };

  it("says what was built, in what time, and the next command", () => {
    const progress = new PlainProgress();
    for (const event of [vertex(a, "[build 3/6] RUN npm ci"), started(a, 0), completed(a, 2900)]) progress.event(event);
    expect(buildSummary(result, { trace: progress.trace, seconds: 4.24, stored: true }, makeStyle(false))).toBe(
      ` ✔ built app:latest in 4.2s  ${a.slice(0, 19)}  41MB (3 layers)   next: tsbuild run app\n` +
        "   slowest: [build 3/6] RUN npm ci 2.9s   ·   cache: 4/6 hits\n",
    );
  });

  it("names no image when none was made", () => {
    const none = { names: [], layers: 0, size: 0, steps: { total: 0, cached: 0 }, buildRef: "b", warnings: [] };
    const options = { trace: undefined, seconds: 1, stored: false };
    expect(buildSummary(none, options, makeStyle(false))).toBe(" ✔ finished in 1.0s\n");
    expect(buildSummary(result, { ...options, written: ["out"] }, makeStyle(false))).toMatch(
      /^ ✔ wrote out in 1\.0s [^\n]*layers\)\n/,
    );
  });
});

describe("failedLogs()", () => {
  it("shows the last lines of the step that failed as bare text, not of one that was canceled", () => {
    const progress = new TtyProgress({ style: makeStyle(false), logLines: 6 });
    const events = [
      vertex(b, "B"),
      started(b, 0),
      completed(b, 1, { error: "canceled" }),
      vertex(a, "A"),
      started(a, 0),
      log(a, 5, "10%\r20%\r30%\n\u001b[31mno\u001b[0m such \u001b[2Jfile"),
      completed(a, 6, { error: "exit code: 1" }),
    ];
    for (const event of events) progress.event(event);
    expect(failedLogs(progress.trace, 10)).toBe("------\n > A:\n0.005 30%\n0.006 no such file\n------\n");
  });
});
