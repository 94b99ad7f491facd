// The kinds of loop guard by their names.
import type { PlanLoopGuard } from '../../../../language/plan/types.ts';
import { input } from './input.ts';
import type { LoopKind } from './kind.ts';
import { nearly } from './nearly.ts';
import { toolCall } from './tool-call.ts';

export const loopKinds: { readonly [Name in PlanLoopGuard['same']]: LoopKind } = { input, nearly, toolCall };
