// What V8 is told in a process that serves for days; measured in docs/performance.md.
import { setFlagsFromString } from 'node:v8';

const FLAGS = [
  // V8 puts what it has seen to live long into the old generation at once, wherever the same place of the code makes it again. Here that is what
  // belongs to a run: dead after some milliseconds, it lies there until the next full collection and keeps everything alive that it refers to. A run
  // kept 18 kB in this way instead of one; collecting took twice as long, and a fifth of all CPU.
  '--no-allocation-site-pretenuring',
  // V8 lets the heap of a busy server grow to four times what lives in it, and goes on growing for half an hour. At 1.7 times it is 17 MB smaller than
  // at twice for 2 % more CPU, and 70 MB smaller than at three times. Not 1.4: what waits for a provider grows old, so that with 256 runs in flight at
  // a provider that takes 300 ms a run costs 15 % more, for 13 MB.
  '--heap-growing-percent=70',
  // What is called often goes to V8's best compiler soon, and not through the middle one first: while a server warms up, compiling takes half as
  // much of the core that it shares with the runs.
  '--no-maglev',
  '--invocation-count-for-turbofan=1000',
  // Half of what V8 puts into one function by itself: a run walks through much code once, so that less of it is worth more than fewer calls. Compiling
  // takes a third less, and a run 8 % less.
  '--max-inlined-bytecode-size-cumulative=460',
] as const;

export function setServingFlags(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
