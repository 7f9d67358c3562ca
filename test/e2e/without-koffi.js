/** Loaded before the program (`node --import`): koffi's native part cannot be loaded, as where it was built for another machine. */

const dlopen = process.dlopen.bind(process);

process.dlopen = (module, file, ...flags) => {
  if (file.includes('koffi')) throw new Error(`${file}: wrong machine`);
  dlopen(module, file, ...flags);
};
