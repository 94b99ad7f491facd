// Threads are those of the built package: each of the sources' reads and strips a hundred files when it starts, which takes four times as long.
import { syncBuiltinESMExports } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import threads from 'node:worker_threads';
import { builtFolder } from './built.ts';
import { repositoryRoot } from './repository.ts';

const SOURCES = join(repositoryRoot, 'src');
const { Worker } = threads;

function built(file: string | URL): string | URL {
  if (!(file instanceof URL) || file.protocol !== 'file:') return file;
  const path = fileURLToPath(file);
  if (!path.startsWith(SOURCES)) return file;
  return pathToFileURL(join(builtFolder(), relative(SOURCES, path).replace(/\.ts$/, '.js')));
}

threads.Worker = class extends Worker {
  constructor(file: string | URL, options?: threads.WorkerOptions) {
    super(built(file), options);
  }
};
syncBuiltinESMExports();
