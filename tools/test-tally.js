/**
 * Prints the result of a vitest run as one line, `N passed, N failed, N skipped`, and exits 1 when anything failed.
 *
 * Usage: node tools/test-tally.js <vitest's JSON report> <its exit status>
 */

import { readFileSync } from 'node:fs';

const [path, status] = process.argv.slice(2);
const counts = tally(readReport(path), status === '0');
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed === 0 ? 0 : 1;

/** The report, or null when vitest left none: it did not start, or died. */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    console.error(`no test report: ${error.message}`);
    return null;
  }
}

/**
 * Counts tests, and as one failure each what is no test: a file that did not load, and a run that failed otherwise. The
 * latter shows in the exit status only: after an error outside every test the report still says success.
 */
function tally(report, succeeded) {
  if (report === null) return { passed: 0, failed: 1, skipped: 0 };
  const isUnloaded = (file) => file.status === 'failed' && file.assertionResults.every((t) => t.status !== 'failed');
  const failed = report.numFailedTests + report.testResults.filter(isUnloaded).length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !succeeded ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
