import { describe, expect, it } from "vitest";
import { tsbuild } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";

const steps = (count: number): string => Array.from({ length: count }, (_, at) => `COPY file /f${at}\n`).join("");

describe("an image of 500 layers", () => {
  it("is built and runs, and nothing of what it needed to run is in a layer; 501 are refused by name", async () => {
    using project = new Project({ file: "x", Dockerfile: `${fromBusybox}${steps(499)}` });
    const first = await project.build({ tags: ["app"] });
    expect(first.error).toBeUndefined();
    const ran = await tsbuild(project, ["run", "app", "sh", "-c", "ls / | grep -c ^f; test -s /etc/hosts; echo $?"]);
    expect(ran).toMatchObject({ code: 0, stdout: "499\n0\n" });
    project.write("Dockerfile", "FROM app\nRUN test -s /etc/hosts\n");
    expect((await project.build()).error).toBeUndefined();
    for (const step of ["RUN echo x > /x", "COPY file /x", "COPY --link file /x"]) {
      project.write("Dockerfile", `FROM app\n${step}\n`);
      expect((await project.build()).error).toMatchObject({
        code: "E_OVERLAY_DEPTH",
        message: "Cannot mount 501 layers: overlayfs takes 500",
        location: { start: { line: 2 } },
      });
    }
  });
});
