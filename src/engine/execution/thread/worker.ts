// The thread that large texts and inputs are worked on: one job after the other, each with its answer as plain data.
import { parentPort } from 'node:worker_threads';
import { createValidators } from '../validators.ts';
import { identify, parse, parseValidator } from './jobs.ts';
import type { IdentifyJob, ParseJob } from './jobs.ts';

parentPort?.on('message', (job: ParseJob | IdentifyJob) => {
  void answer(job).then((given) => parentPort?.postMessage(given));
});

async function answer(job: ParseJob | IdentifyJob): Promise<unknown> {
  if (job.kind === 'identify') return identify(job);
  const { format, schema } = job;
  const parsed = await parse(job, parseValidator(format, schema, createValidators()));
  // As text: reading it back takes a third of the time of a structured clone.
  return parsed.ok ? { ok: true, text: JSON.stringify(parsed.value) } : parsed;
}
