// What tests of a file share and leave to be closed after the last of them. Files may share a process, where a hook in a module belongs to whichever
// file imported it first: `setup.ts`, which every file runs, asks here instead.

const left: (() => unknown)[] = [];

/** When all tests of the file have run, last come first. */
export function closeAfterFile(close: () => unknown): void {
  left.push(close);
}

export async function closeLeftOpen(): Promise<void> {
  while (left.length > 0) await left.pop()?.();
}
