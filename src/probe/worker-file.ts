/** Finds the program of a worker thread: always the built one, also when this file runs from TypeScript sources. */

/** URL of `dist/probe/<name>.js`. Compilers rewrite import specifiers, not URLs, hence this one place. */
export function workerFile(name: string): URL {
  const here = new URL(import.meta.url);
  return here.pathname.endsWith('.ts') ? new URL(`../../dist/probe/${name}.js`, here) : new URL(`${name}.js`, here);
}
