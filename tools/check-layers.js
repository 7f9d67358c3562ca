/** Checks the imports of src/ against the layer rules; run in the repository's root, exits 1 when one is broken. */

import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cruise } from 'dependency-cruiser';
import { FOLDERS, FORBIDDEN } from './layer-rules.js';

const files = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
  .map((entry) => relative('.', join(entry.parentPath, entry.name)));

const { output } = await cruise(['src'], {
  // Sub-paths such as jose/jws/flattened/sign are found by the package's own list of exports.
  enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  ruleSet: { forbidden: FORBIDDEN },
  validate: true,
  parser: 'swc',
  // Types count too: a layer that knows another's types knows the other layer.
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
});

const complaints = [...unread(), ...strangers(), ...broken()];
for (const complaint of complaints) console.error(complaint);
const edges = output.modules.reduce((sum, module) => sum + module.dependencies.length, 0);
console.log(`layers: ${files.length} files, ${edges} imports, ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;

/**
 * Files the tool did not read. Without a parser that it knows, dependency-cruiser reads no TypeScript at all, finds no
 * violation and exits 0; an agreement of both lists is what makes the rest of this check mean something.
 */
function unread() {
  const read = new Set(output.modules.map((module) => module.source));
  if (files.length === 0) return ['unread: there is no TypeScript file under src/'];
  return files.filter((file) => !read.has(file)).map((file) => `unread: ${file} was not read by dependency-cruiser`);
}

/** Files outside the known folders, which no rule would cover. */
function strangers() {
  const known = new RegExp(`^src/(main\\.ts$|(${FOLDERS.join('|')})/)`);
  return files
    .filter((file) => !known.test(file))
    .map((file) => `unknown-folder: ${file} is in no layer; known are ${FOLDERS.join(', ')}`);
}

function broken() {
  const comments = new Map(FORBIDDEN.map((rule) => [rule.name, rule.comment]));
  return output.summary.violations.map(
    ({ rule, from, to }) => `${rule.name}: ${from} -> ${to}. ${comments.get(rule.name)}`,
  );
}
