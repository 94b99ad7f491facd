// Texts that look like an expression and are none: they would reach the model, or the caller, as they are written.
const ROOTS = 'input|steps|caller|env|now|prompt|output|secrets';

const PATH = String.raw`(?:input|steps|secrets)(?:\.[A-Za-z_]\w*)+`;

/** Other template languages: `{{ input.name }}`, `${ input.name }`, `$ {{ input.name }}`, `{input.name}`, `$input.name`, `<%= input.name %>`. */
const OTHER_SIGNS = new RegExp(
  String.raw`(?<!\$)\{\{\s*(?:${ROOTS})\s*[.[}]|\$\{(?!\{)\s*(?:${ROOTS})\s*[.[}]|\{${PATH}\}|\$${PATH}|<%=?\s*${PATH}`,
);
/** Nothing but a path: `steps.mail.subject`. */
const BARE_PATH = /^(?:input|steps|secrets)(?:\.[A-Za-z_]\w*)+$/;

/** Where in the text it stands; `undefined`: nothing looks like one. */
export function expressionLookalike(
  text: string,
): { readonly start: number; readonly end: number } | undefined {
  if (BARE_PATH.test(text.trim())) return { start: 0, end: text.length };
  // What stands inside a placeholder is an expression already.
  const outside = text.replaceAll(/\$\{\{[\s\S]*?\}\}/g, (found) => ' '.repeat(found.length));
  const found = OTHER_SIGNS.exec(outside);
  return found ? { start: found.index, end: found.index + found[0].length } : undefined;
}
