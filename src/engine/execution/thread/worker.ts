// The thread that large texts and inputs are worked on: one job after the other, each with its answer as plain data.
import { parentPort } from 'node:worker_threads';
import type { Json } from '../../../common/json.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { chunkText } from '../steps/chunk.ts';
import { countTokens, loadTokenizer } from '../tokens.ts';
import { createValidators } from '../validators.ts';
import { identify, parse, parseValidator } from './jobs.ts';
import type { Job } from './jobs.ts';

parentPort?.on('message', (job: Job) => {
  void answer(job).then((given) => parentPort?.postMessage(given));
});

async function answer(job: Job): Promise<unknown> {
  switch (job.kind) {
    case 'identify':
      return identify(job);
    case 'parse':
      return asText(await parse(job, parseValidator(job.format, job.schema, createValidators())));
    case 'chunk':
      await loadTokenizer();
      return asText(chunkText(job.text, job));
    case 'count':
      await loadTokenizer();
      return job.texts.map(countTokens);
  }
}

/** Reading it back takes a third of the time of a structured clone. */
function asText(found: Outcome<Json, string>): unknown {
  return found.ok ? { ok: true, text: JSON.stringify(found.value) } : found;
}
