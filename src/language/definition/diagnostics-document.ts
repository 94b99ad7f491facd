// What can be wrong with a file as YAML.
import type { Diagnostic } from './diagnostic.ts';

export const documentDiagnostics: readonly Diagnostic[] = [
  {
    code: 'yaml-syntax',
    severity: 'error',
    title: 'The file is not YAML',
    why: 'Nothing of the file can be read until it is.',
    remedy: 'Check quotes, brackets and indentation of the line shown and the one above it.',
  },
  {
    code: 'yaml-tab',
    severity: 'error',
    title: 'A tab as indentation',
    why: 'YAML does not allow it, and editors hide it.',
    remedy: 'Indent with spaces.',
  },
  {
    code: 'yaml-duplicate-key',
    severity: 'error',
    title: 'A key stands twice',
    why: 'YAML readers disagree about which of the two counts.',
    remedy: 'Remove or rename one of them.',
  },
  {
    code: 'yaml-key',
    severity: 'error',
    title: 'A key that is not text',
    why: 'The language has no such keys.',
    remedy: 'Write `key: value`.',
  },
  {
    code: 'yaml-alias',
    severity: 'error',
    title: 'An anchor or alias',
    why: 'What a line means would depend on another line far away, and a few aliases can expand to gigabytes.',
    remedy: 'Write the part out; policies and routes are named in the project file and used by name.',
  },
  {
    code: 'yaml-merge-key',
    severity: 'error',
    title: 'A merge key `<<`',
    why: 'It is no part of YAML 1.2, and it hides where a value comes from.',
    remedy: 'Write the keys out; policies and routes are used by name.',
  },
  {
    code: 'yaml-tag',
    severity: 'error',
    title: 'A tag such as `!!str`',
    why: "Types are the language's, not YAML's.",
    remedy: 'Remove the tag; put text in quotes.',
  },
  {
    code: 'yaml-several-documents',
    severity: 'error',
    title: 'Several documents in one file',
    why: 'A task is a file, so that its history is its own.',
    remedy: 'Put each task in a file of its own.',
  },
  {
    code: 'yaml-empty',
    severity: 'error',
    title: 'An empty file',
    why: 'It says nothing, and is likely a slip.',
    remedy: 'Write a task, or delete the file.',
  },
  {
    code: 'yaml-too-large',
    severity: 'error',
    title: 'A file too large to be read',
    why: 'No person reviews such a file, and reading it could stall the server.',
    remedy: 'Split it, or move long texts into the input of the task.',
  },
  {
    code: 'yaml-too-deep',
    severity: 'error',
    title: 'A file nested too deeply',
    why: 'Reading it could exhaust the stack.',
    remedy: 'Flatten it.',
  },
  {
    code: 'yaml-control-character',
    severity: 'error',
    title: 'An invisible character',
    why: 'The file does not say what it seems to say.',
    remedy: 'Delete it, or write it as an escape in double quotes.',
  },
];
