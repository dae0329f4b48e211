import { describe, expect, it } from "vitest";
import { fromBusybox, Project } from "../rig/project.ts";

/** Lines for numbers that are no users: whoever looks one up as a name finds root. */
const passwd = `root:x:0:0:root:/root:/bin/sh
app:x:1000:1001:app:/home/app:/bin/sh
${["4294967296", "2147483648", "-1", "+0"].map((name) => `${name}:x:0:0::/evil:/bin/sh`).join("\n")}
`;
const group = "root:x:0:\napp:x:1001:\nextra:x:2000:other,app\n";

describe("USER of a RUN", () => {
  /** What `id` and HOME say. */
  const users: readonly (readonly [user: string, said: string])[] = [
    ["root", "uid=0(root) gid=0(root) groups=0(root) /root"],
    ["app", "uid=1000(app) gid=1001(app) groups=1001(app),2000(extra) /home/app"],
    ["1000", "uid=1000(app) gid=1001(app) groups=1001(app),2000(extra) /home/app"],
    ["app:extra", "uid=1000(app) gid=2000(extra) groups=2000(extra) /home/app"],
    ["app:", "uid=1000(app) gid=1001(app) groups=1001(app),2000(extra) /home/app"],
    [":extra", "uid=0(root) gid=2000(extra) groups=2000(extra) /root"],
    ["4242", "uid=4242 gid=0(root) groups=0(root) /"],
    ["4242:4343", "uid=4242 gid=4343 groups=4343 /"],
    ["2147483647", "uid=2147483647 gid=0(root) groups=0(root) /"],
    ["$nobody", "uid=0(root) gid=0(root) groups=0(root) /root"],
  ];

  it("is who the image's files say", async () => {
    const steps = users.map(([user]) => `USER ${user}\nRUN echo "$(id) $HOME"\n`).join("");
    using project = new Project({
      Dockerfile: `${fromBusybox}COPY etc /etc\n${steps}`,
      "etc/passwd": passwd,
      "etc/group": group,
    });
    const { error, log } = await project.build();
    expect(error).toBeUndefined();
    expect(log.trimEnd().split("\n")).toEqual(users.map(([, said]) => said));
  });

  it.each([
    ["2147483648", "E_USER_INVALID"],
    ["4294967296", "E_USER_INVALID"],
    ["4294967296:4294967296", "E_USER_INVALID"],
    ["-1", "E_USER_INVALID"],
    ["+0", "E_USER_INVALID"],
    ["0x0", "E_USER_NOT_FOUND"],
    ["1e3", "E_USER_NOT_FOUND"],
    ["٣", "E_USER_NOT_FOUND"],
    ["nobody", "E_USER_NOT_FOUND"],
    ["app:nogroup", "E_GROUP_NOT_FOUND"],
    ["1:2:3", "E_GROUP_NOT_FOUND"],
  ])("%s is refused with %s where it runs, and is never root", async (user, code) => {
    using project = new Project({
      Dockerfile: `${fromBusybox}COPY etc /etc\nUSER ${user}\nRUN id\n`,
      "etc/passwd": passwd,
      "etc/group": group,
    });
    const { error, log } = await project.build();
    expect(error).toMatchObject({ code, location: { start: { line: 5 } } });
    expect(log).toBe("");
  });
});

describe("proxies", () => {
  it("of --build-arg are seen in both cases by every RUN, win over ENV, and are in no key, layer or history", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN echo "1 $HTTP_PROXY $http_proxy $no_proxy $NO_PROXY"\nENV HTTP_PROXY=env\nRUN echo "2 $HTTP_PROXY $http_proxy"\n`,
    });
    const buildArgs = { HTTP_PROXY: "http://user:hidden@127.0.0.1:9", no_proxy: "x" };
    const first = await project.build({ buildArgs, tags: ["app"] });
    expect(first.error).toBeUndefined();
    const { HTTP_PROXY: proxy } = buildArgs;
    expect(first.log).toBe(`1 ${proxy} ${proxy} x x\n2 ${proxy} ${proxy}\n`);
    const second = await project.build({ buildArgs: { http_proxy: "http://127.0.0.1:8" } });
    expect(second.result).toMatchObject({ imageID: first.result?.imageID, steps: { total: 3, cached: 3 } });
  });

  it("are kept where ARG declares them", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}ARG HTTP_PROXY\nRUN echo "$HTTP_PROXY" > /proxy\n` });
    const first = await project.build({ buildArgs: { HTTP_PROXY: "http://127.0.0.1:9" } });
    expect(first.error).toBeUndefined();
    const second = await project.build({ buildArgs: { HTTP_PROXY: "http://127.0.0.1:8" } });
    expect(second.result?.steps).toEqual({ total: 2, cached: 1 });
  });
});

describe("RUN --mount", () => {
  it("shows scratch as an empty directory, and takes variables in from", async () => {
    using project = new Project({
      Dockerfile: `ARG SOURCE=files\nFROM scratch AS files\nCOPY f /f\n${fromBusybox}RUN --mount=from=scratch,target=/m ls -a /m; ! touch /m/x 2> /dev/null
RUN --mount=from=scratch,target=/m,rw touch /m/x && ls /m
RUN --mount=from=$SOURCE,target=/m cat /m/f
RUN ls /m 2> /dev/null || echo gone
`,
      f: "of the stage\n",
    });
    const { error, log } = await project.build();
    expect(error).toBeUndefined();
    expect(log).toBe(".\n..\nx\nof the stage\ngone\n");
    const named = await project.build({ buildArgs: { SOURCE: "0" } });
    expect(named.result?.steps).toEqual({ total: 6, cached: 6 });
    const missing = await project.build({ buildArgs: { SOURCE: "7" } });
    expect(missing.error).toMatchObject({ code: "E_STAGE_NOT_FOUND", location: { start: { line: 8, column: 5 } } });
  });
});
