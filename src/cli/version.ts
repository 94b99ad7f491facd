// The version, from package.json: one level above both src/ and dist/.
import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('../../package.json') as { readonly version: string };

export const version: string = manifest.version;
