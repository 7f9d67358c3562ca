/** Finds the program of a thread or child process: always the built one, also when the caller runs from sources. */

/**
 * URL of the built file `name.js` beside the caller, `from` being the caller's `import.meta.url`. Compilers rewrite
 * import specifiers, not URLs, hence this one place: `src/probe/x.ts` becomes `dist/probe/x.js`.
 */
export function builtFile(from: string, name: string): URL {
  const built = from.endsWith('.ts') ? from.replace(/\/src\/(?!.*\/src\/)/, '/dist/') : from;
  return new URL(`./${name}.js`, built);
}
