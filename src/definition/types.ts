// The Definition: what the workflow files say, validated, with shorthand expanded and units parsed; nothing inherited, resolved or priced yet.
// It is owned by definition/; plan/ reads it.
export type { Problem } from '../errors/problem.ts';
