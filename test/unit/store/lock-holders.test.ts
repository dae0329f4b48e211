import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lockHolders } from "../../../store/lock-holders.ts";
import { Database } from "../../../store/database.ts";
import { makeTemp } from "../../rig/temp.ts";

describe("lockHolders()", () => {
  it("names who writes to a database, or keeps others from it", async () => {
    using temp = makeTemp();
    const file = join(temp.path, "store.db");
    using _database = new Database(file);
    const holders = (): readonly string[] => lockHolders(`${file}-shm`, 120);
    expect(holders()).toEqual([]);
    const script = `const { DatabaseSync } = require("node:sqlite");
      const db = new DatabaseSync(process.argv[1]);
      db.exec("SELECT * FROM refs");
      console.log("opened");
      process.stdin.once("data", () => {
        db.exec("BEGIN IMMEDIATE");
        console.log("locked");
      });
      process.stdin.resume().on("end", () => db.close());`;
    const child = spawn(process.execPath, ["-e", script, file], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "close");
    await once(child.stdout, "data");
    expect(holders()).toEqual([]);
    child.stdin.write("lock");
    await once(child.stdout, "data");
    expect(holders()).toEqual([expect.stringMatching(new RegExp(`^\\S+ \\(${child.pid}\\)$`))]);
    child.stdin.end();
    await ended;
    expect(holders()).toEqual([]);
  });
});
