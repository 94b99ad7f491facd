// Who calls on this very machine: the CLI, the library, and whoever reaches an open server on loopback while no key was ever made.
import type { Caller } from '../budget/port.ts';

export const LOCAL_CALLER: Caller = {
  name: 'local',
  team: null,
  tier: null,
  tags: {},
  scopes: ['admin'],
  keyId: null,
};
