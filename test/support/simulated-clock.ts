// The clock of tests is the one that replays run on.
export { createSimulatedClock } from '../../src/simulation/clock.ts';
export type { SimulatedClock } from '../../src/simulation/clock.ts';
