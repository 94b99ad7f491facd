// CEL text → syntax tree. The grammar, its positions and its structural limits are cel-js's; what the tree means is decided here
// (docs/decisions/expression-own-evaluator.md says why).
import { Environment, ParseError } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { LRUCache } from 'lru-cache';
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';
import { SYNTAX_REMEDIES } from './syntax-remedies.ts';
import type { ExpressionProblem } from './types.ts';

/** UTF-16 code units; also what bounds the parser's recursion. */
const MAX_EXPRESSION_LENGTH = 4000;

const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 40,
  maxListElements: 200,
  maxMapEntries: 200,
  maxCallArguments: 16,
};
const parser = new Environment({ limits: LIMITS });

export type Operator = '!=' | '==' | 'in' | '+' | '-' | '*' | '/' | '%' | '<' | '<=' | '>' | '>=';

interface NodeBase {
  /** Offsets into the source, for problems. */
  readonly start: number;
  readonly end: number;
}
export type SyntaxNode =
  | (NodeBase & {
      readonly kind: 'literal';
      readonly value: null | boolean | number | string;
      readonly integer: boolean;
    })
  | (NodeBase & { readonly kind: 'name'; readonly name: string })
  | (NodeBase & { readonly kind: 'field'; readonly object: SyntaxNode; readonly field: string })
  | (NodeBase & { readonly kind: 'index'; readonly object: SyntaxNode; readonly index: SyntaxNode })
  | (NodeBase & {
      readonly kind: 'call';
      readonly name: string;
      readonly receiver: SyntaxNode | null;
      readonly args: readonly SyntaxNode[];
    })
  | (NodeBase & { readonly kind: 'list'; readonly items: readonly SyntaxNode[] })
  | (NodeBase & { readonly kind: 'map'; readonly entries: readonly (readonly [SyntaxNode, SyntaxNode])[] })
  | (NodeBase & {
      readonly kind: 'choice';
      readonly condition: SyntaxNode;
      readonly yes: SyntaxNode;
      readonly no: SyntaxNode;
    })
  | (NodeBase & {
      readonly kind: 'logic';
      readonly operator: '&&' | '||';
      readonly left: SyntaxNode;
      readonly right: SyntaxNode;
    })
  | (NodeBase & {
      readonly kind: 'binary';
      readonly operator: Operator;
      readonly left: SyntaxNode;
      readonly right: SyntaxNode;
    })
  | (NodeBase & { readonly kind: 'not' | 'negate'; readonly operand: SyntaxNode });

/** The same expressions are asked about by the checker, its rules, the plan and the engine; trees never change. */
const parsedBefore = new LRUCache<string, Outcome<SyntaxNode, ExpressionProblem>>({ max: 4000 });

export function parseExpression(source: string): Outcome<SyntaxNode, ExpressionProblem> {
  let parsed = parsedBefore.get(source);
  if (parsed === undefined) parsedBefore.set(source, (parsed = parse(source)));
  return parsed;
}

function parse(source: string): Outcome<SyntaxNode, ExpressionProblem> {
  if (source.trim() === '') {
    return fail({
      code: 'expression-syntax',
      message: 'The expression is empty.',
      remedy: 'Write an expression, such as `input.text`, or remove it.',
      start: 0,
      end: 1,
    });
  }
  if (source.length > MAX_EXPRESSION_LENGTH)
    return fail(
      tooLarge(`It has ${source.length} characters; at most ${MAX_EXPRESSION_LENGTH} are read.`, 0),
    );
  try {
    return succeed(convert(parser.parse(source).ast));
  } catch (error) {
    if (error instanceof ParseError) return fail(wordParseError(error, source));
    if (error instanceof Unsupported)
      return fail({
        code: 'expression-syntax',
        message: error.message,
        remedy: error.remedy,
        start: error.start,
        end: error.end,
      });
    if (error instanceof RangeError) return fail(tooLarge('It is nested too deeply.', 0));
    throw error;
  }
}

class Unsupported extends Error {
  readonly remedy: string;
  readonly start: number;
  readonly end: number;

  constructor(message: string, remedy: string, node: { readonly start: number; readonly end: number }) {
    super(message);
    this.remedy = remedy;
    this.start = node.start;
    this.end = node.end;
  }
}

function tooLarge(reason: string, start: number): ExpressionProblem {
  return {
    code: 'expression-too-large',
    message: `The expression is too large. ${reason}`,
    remedy: 'Split the work over several steps.',
    start,
    end: start + 1,
  };
}

function wordParseError(error: ParseError, source: string): ExpressionProblem {
  const start = Math.min(error.range?.start ?? 0, Math.max(0, source.length - 1));
  const end = Math.max(start + 1, error.range?.end ?? start + 1);
  if (error.code === 'limit_exceeded') return tooLarge(`${error.summary}.`, start);
  const atEnd = (error.range?.start ?? 0) >= source.length;
  const what = atEnd
    ? 'It ends too early'
    : error.summary.replaceAll(/\b[A-Z]{2,}\b/g, (token) => SYNTAX_REMEDIES.tokens[token] ?? token);
  return {
    code: 'expression-syntax',
    message: `The expression cannot be read: ${what}.`,
    remedy: SYNTAX_REMEDIES.forText(source, start),
    start,
    end,
  };
}

const UNARY = { '!_': 'not', '-_': 'negate' } as const;

function convert(ast: ASTNode): SyntaxNode {
  const { start, end } = ast;
  switch (ast.op) {
    case 'value':
      return { kind: 'literal', start, end, ...literal(ast.args, ast) };
    case 'id':
      return { kind: 'name', start, end, name: ast.args };
    case '.':
      // cel-js gives the field's own start as `pos`; the whole access starts at `start`.
      return { kind: 'field', start: ast.pos, end, object: convert(ast.args[0]), field: ast.args[1] };
    case '[]':
      return { kind: 'index', start, end, object: convert(ast.args[0]), index: convert(ast.args[1]) };
    case 'call':
      return {
        kind: 'call',
        start,
        end: start + ast.args[0].length,
        name: ast.args[0],
        receiver: null,
        args: ast.args[1].map(convert),
      };
    case 'rcall':
      return method(ast.args[0], ast.args[1], ast.args[2], ast);
    case 'list':
      return { kind: 'list', start, end, items: ast.args.map(convert) };
    case 'map':
      return {
        kind: 'map',
        start,
        end,
        entries: ast.args.map(([key, value]) => [convert(key), convert(value)] as const),
      };
    case '?:':
      return {
        kind: 'choice',
        start,
        end,
        condition: convert(ast.args[0]),
        yes: convert(ast.args[1]),
        no: convert(ast.args[2]),
      };
    case '&&':
    case '||':
      return {
        kind: 'logic',
        start,
        end,
        operator: ast.op,
        left: convert(ast.args[0]),
        right: convert(ast.args[1]),
      };
    case '!_':
    case '-_':
      return { kind: UNARY[ast.op], start, end, operand: convert(ast.args) };
    case '.?':
    case '[?]':
      throw new Unsupported(
        'Optional access with `?` is not part of the language.',
        'Fields of what is absent are null already; write `default(x, y)` for a value of your own.',
        ast,
      );
    default:
      return {
        kind: 'binary',
        start,
        end,
        operator: ast.op,
        left: convert(ast.args[0]),
        right: convert(ast.args[1]),
      };
  }
}

/** Points at the method's name, which stands between the receiver and its bracket. */
function method(name: string, receiver: ASTNode, args: readonly ASTNode[], ast: ASTNode): SyntaxNode {
  const nameStart = Math.max(ast.input.indexOf(name, receiver.end), receiver.end);
  return {
    kind: 'call',
    start: nameStart,
    end: nameStart + name.length,
    name,
    receiver: convert(receiver),
    args: args.map(convert),
  };
}

function literal(
  value: unknown,
  node: ASTNode,
): { value: null | boolean | number | string; integer: boolean } {
  if (value === null || typeof value === 'boolean' || typeof value === 'string')
    return { value, integer: false };
  if (typeof value === 'number') return { value, integer: false };
  if (typeof value === 'bigint' && value <= BigInt(Number.MAX_SAFE_INTEGER))
    return { value: Number(value), integer: true };
  if (typeof value === 'bigint')
    throw new Unsupported(
      'This number is too large to be exact.',
      `Write a number up to ${Number.MAX_SAFE_INTEGER}.`,
      node,
    );
  throw new Unsupported(
    'Bytes and unsigned numbers are not part of the language.',
    'Write a text in plain quotes, or a number without `u`.',
    node,
  );
}
