// The same input, but for white space, Unicode's ways to write one sign, and the fields that are ignored.
import { canonicalJson, sha256Hex } from '../../../../common/json.ts';
import { normaliseInput } from '../normalise.ts';
import type { LoopKind } from './kind.ts';

export const input: LoopKind = {
  trace(given, ignore, exact) {
    const normal = normaliseInput(given, ignore);
    // Most inputs are what they are normalised to: one hash serves both.
    return { key: normal === given ? exact : sha256Hex(canonicalJson(normal)), exact };
  },
};
