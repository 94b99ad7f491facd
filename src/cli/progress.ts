// What takes longer than a second says that it goes on.
import type { CliIo } from './io.ts';

const FIRST_MS = 1_000;
const AGAIN_MS = 10_000;

/** Tells whoever watches standard error what is being done, once it has taken a second, and every ten seconds after that. */
export async function withProgress<Result>(
  what: string,
  io: CliIo,
  work: () => Promise<Result>,
): Promise<Result> {
  if (io.isTerminal !== true) return work();
  const began = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    const seconds = Math.round((performance.now() - began) / 1000);
    io.err(`headgate: ${what} (${seconds} s)…`);
    timer = setTimeout(tell, AGAIN_MS).unref();
  };
  timer = setTimeout(tell, FIRST_MS).unref();
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
