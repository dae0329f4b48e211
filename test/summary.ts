import { readFileSync } from "node:fs";

/** Prints the closing line of a test run from vitest's JSON report. */
const file = process.argv[2] ?? "";
const report: { numPassedTests: number; numFailedTests: number; numPendingTests: number } = JSON.parse(
  readFileSync(file, "utf8"),
);
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed, ${report.numPendingTests} skipped`);
