/** The layer rules of docs/architecture.md as data for dependency-cruiser: who may import whom and which package. */

/** Folders of src/ from top to bottom; imports go down, or sideways where no rule below forbids it. */
const LAYERS = [
  ['cli'],
  ['agent', 'collector', 'lab'],
  ['probe', 'protocol', 'config', 'linux'],
  ['ring', 'stats', 'wire', 'sla'],
  ['base'],
];

/** Folders that import nothing but base: same input, same output, anywhere. */
const PURE = ['base', 'wire', 'stats', 'sla'];

/** Packages that have one home, with the folders that may import them. */
const HOMES = {
  koffi: ['src/linux/'],
  'better-sqlite3': ['src/collector/store/'],
  'net-ping': ['src/agent/'],
  undici: ['src/agent/', 'src/cli/', 'src/lab/'],
  '@noble/hashes': ['src/probe/'],
  'node-cron': ['src/agent/', 'src/collector/'],
  'raw-socket': ['src/probe/', 'src/agent/'],
  zod: ['src/config/', 'src/protocol/'],
};

/** Every folder that may exist directly below src/. */
export const FOLDERS = LAYERS.flat();

/** Rules in the form of dependency-cruiser's `forbidden`. */
export const FORBIDDEN = [
  ...LAYERS.flatMap(upward),
  {
    name: 'main-is-the-top',
    comment: 'main.ts is the executable: nothing imports it.',
    from: { path: '^src/' },
    to: { path: '^src/main\\.ts$' },
  },
  {
    name: 'pure',
    comment: `${PURE.join(', ')} import only base: not one another, no Node API, no package.`,
    from: { path: `^src/(${PURE.join('|')})/` },
    to: { pathNot: '^src/(base|$1)/' },
  },
  {
    name: 'agent-and-collector',
    comment: 'agent and collector meet only in protocol.',
    from: { path: '^src/(agent|collector)/' },
    to: { path: '^src/(agent|collector)/', pathNot: '^src/$1/' },
  },
  ...Object.entries(HOMES).map(home),
  {
    name: 'no-hidden-require',
    comment: 'What createRequire loads is seen by no rule; only src/linux/ may, for a koffi that may be absent.',
    from: { path: '^src/', pathNot: '^src/linux/' },
    to: { path: '^(node:)?module$' },
  },
  {
    name: 'only-src',
    comment: 'What is shipped imports nothing that is not.',
    from: { path: '^src/' },
    to: { path: '^(test|bench|tools)/' },
  },
  {
    name: 'no-development-packages',
    comment: 'What is shipped imports packages of "dependencies" only.',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'resolvable',
    comment: 'An import that leads nowhere is checked by no other rule.',
    from: { path: '^src/' },
    to: { couldNotResolve: true },
  },
].map((rule) => ({ severity: 'error', ...rule }));

/** Forbids the folders of a layer to import from any layer above; those in PURE have a stricter rule of their own. */
function upward(layer, index) {
  const folders = layer.filter((folder) => !PURE.includes(folder));
  const above = LAYERS.slice(0, index).flat();
  if (folders.length === 0 || above.length === 0) return [];
  return {
    name: `${folders.join('-')}-imports-down`,
    comment: `${folders.join(', ')} must not know ${above.join(', ')}.`,
    from: { path: `^src/(${folders.join('|')})/` },
    to: { path: `^src/(${above.join('|')})/` },
  };
}

/** Forbids a package outside its home. Matches it installed, and by its bare name where it is not. */
function home([name, folders]) {
  return {
    name: `home-of-${name}`,
    comment: `${name} is imported only in ${folders.join(', ')}.`,
    from: { path: '^src/', pathNot: `^(${folders.join('|')})` },
    to: { path: `(^|node_modules/)${name}(/|$)` },
  };
}
