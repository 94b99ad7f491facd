// Document: what a document may contain, counted before it is validated, so that a hostile one costs nothing but its reading.
import { GraphQLError, Kind, parse, TokenKind } from 'graphql';
import type { ASTNode, DocumentNode, FragmentDefinitionNode, SelectionSetNode, Source } from 'graphql';
import { changes } from '../../common/exact-json.ts';
import type { ServerLimits } from '../options.ts';

export type DocumentLimits = Pick<
  ServerLimits,
  'maxTokens' | 'maxDepth' | 'maxAliases' | 'maxDirectives' | 'maxDefinitions' | 'maxFields'
>;

/** `parse` that gives up at the limits. Its errors are the client's: 400, with the limit's name. */
export function createParse(limits: DocumentLimits): (source: string | Source) => DocumentNode {
  return (source) => {
    let document: DocumentNode;
    try {
      document = parse(source, { maxTokens: limits.maxTokens });
    } catch (error) {
      if (error instanceof GraphQLError && error.message.includes('tokens'))
        throw tooMuch('tokens', limits.maxTokens, 'maxTokens');
      throw error;
    }
    checkDocument(document, limits);
    checkNumbers(document);
    return document;
  };
}

/** A number written in the document is never changed silently. */
function checkNumbers(document: DocumentNode): void {
  for (let token = document.loc?.startToken ?? null; token !== null; token = token.next)
    if ((token.kind === TokenKind.INT || token.kind === TokenKind.FLOAT) && changes(token.value))
      throw new GraphQLError(
        `Line ${token.line}, column ${token.column}: the number ${token.value.slice(0, 40)} cannot be kept exactly.`,
        {
          extensions: {
            code: 'BAD_USER_INPUT',
            remedy:
              'Write it in quotes: fields of the type BigInt take both, and identifiers are best texts.',
            http: { status: 400, spec: true },
          },
        },
      );
}

interface Counts {
  readonly depth: number;
  readonly fields: number;
}

const NONE: Counts = { depth: 0, fields: 0 };

/** What a schema's own fields come to: a few names ask for all of its types. */
const WEIGHTS: ReadonlyMap<string, number> = new Map([
  ['__schema', 200],
  ['__type', 20],
]);

/** Throws at the first limit that is passed. Cost: each node once, each fragment once. */
function checkDocument(document: DocumentNode, limits: DocumentLimits): void {
  countSyntax(document, limits);
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const known = new Map<string, Counts>();
  const under = new Set<string>();

  const ofFragment = (name: string): Counts => {
    const counted = known.get(name);
    if (counted !== undefined) return counted;
    const fragment = fragments.get(name);
    // An unknown fragment, or one inside itself, is for validation to name: it adds nothing here.
    if (fragment === undefined || under.has(name)) return NONE;
    under.add(name);
    const counts = ofSelections(fragment.selectionSet);
    under.delete(name);
    known.set(name, counts);
    return counts;
  };

  const ofSelections = (set: SelectionSetNode): Counts => {
    let depth = 0;
    let fields = 0;
    for (const selection of set.selections) {
      let counts: Counts;
      switch (selection.kind) {
        case Kind.FIELD: {
          const inner = selection.selectionSet === undefined ? NONE : ofSelections(selection.selectionSet);
          // A schema's own types are deep, which a rule of graphql's holds; its fields count, so that asking for it many times is bounded.
          const depth = selection.name.value.startsWith('__') ? 0 : inner.depth;
          const weight = WEIGHTS.get(selection.name.value) ?? 1;
          counts = { depth: depth + 1, fields: inner.fields + weight };
          break;
        }
        case Kind.INLINE_FRAGMENT:
          counts = ofSelections(selection.selectionSet);
          break;
        case Kind.FRAGMENT_SPREAD:
          counts = ofFragment(selection.name.value);
          break;
      }
      depth = Math.max(depth, counts.depth);
      fields += counts.fields;
    }
    return { depth, fields };
  };

  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const { depth, fields } = ofSelections(definition.selectionSet);
    if (depth > limits.maxDepth) throw tooMuch('levels of fields', limits.maxDepth, 'maxDepth');
    if (fields > limits.maxFields) throw tooMuch('fields, fragments expanded', limits.maxFields, 'maxFields');
  }
}

function countSyntax(document: DocumentNode, limits: DocumentLimits): void {
  if (document.definitions.length > limits.maxDefinitions)
    throw tooMuch('operations and fragments', limits.maxDefinitions, 'maxDefinitions');
  let aliases = 0;
  let directives = 0;
  const stack: ASTNode[] = [...document.definitions];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if ('directives' in node && node.directives !== undefined) directives += node.directives.length;
    if (node.kind === Kind.FIELD && node.alias !== undefined) aliases += 1;
    if ('selectionSet' in node && node.selectionSet !== undefined)
      stack.push(...node.selectionSet.selections);
    if (node.kind === Kind.OPERATION_DEFINITION && node.variableDefinitions !== undefined)
      stack.push(...node.variableDefinitions);
  }
  if (aliases > limits.maxAliases) throw tooMuch('aliases', limits.maxAliases, 'maxAliases');
  if (directives > limits.maxDirectives) throw tooMuch('directives', limits.maxDirectives, 'maxDirectives');
}

function tooMuch(what: string, limit: number, name: string): GraphQLError {
  return new GraphQLError(`The document has more than ${limit} ${what}.`, {
    extensions: {
      code: 'DOCUMENT_TOO_LARGE',
      limit: name,
      remedy: 'Ask for less at once: split the document, or leave out what you do not read.',
      http: { status: 400, spec: true },
    },
  });
}
