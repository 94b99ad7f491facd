// `npm run reference`: writes what is generated of docs/reference, and the JSON Schemas for editors.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorsPage } from './reference/errors-page.ts';
import { cliReferencePage } from './reference/cli-page.ts';
import { referenceFiles } from '../test/language/definition/support/reference-files.ts';

const root = join(import.meta.dirname, '..');
for (const { path, text } of referenceFiles((file) => readFileSync(join(root, file), 'utf8')))
  writeFileSync(join(root, path), text);
writeFileSync(join(root, 'docs/reference/cli.md'), await cliReferencePage());
writeFileSync(join(root, 'docs/reference/errors.md'), errorsPage());
