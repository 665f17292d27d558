import { parseSync } from 'oxc-parser';

/** One small change to a source: `text` in place of what stands from `start` to `end`, in UTF-16 units. */
export interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly operator: Operator;
}

export type Operator =
  | 'comparison'
  | 'boundary'
  | 'arithmetic'
  | 'boolean'
  | 'condition'
  | 'removal'
  | 'number'
  | 'string';

/** A node of ESTree, as far as this file looks at it. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Scene {
  readonly source: string;
  readonly parents: readonly Node[];
}

type Mutate = (node: Node, scene: Scene) => readonly Mutant[];

const boundaries: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };
const negations: Readonly<Record<string, string>> = {
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  '===': '!==',
  '!==': '===',
};
const arithmetic: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '&': '|',
  '|': '&',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
  '+=': '-=',
  '-=': '+=',
  '++': '--',
  '--': '++',
};
/** Texts for people: a mutation of them shows nothing about the code. */
const proseKeys = ['description', 'meaning', 'summary', 'title', 'message', 'error'];

const mutators: Readonly<Record<string, Mutate>> = {
  BinaryExpression: mutateBinary,
  LogicalExpression: (node, scene) => swapOperator(node, scene, { '&&': '||', '||': '&&', '??': '&&' }, 'boolean'),
  UnaryExpression: mutateUnary,
  UpdateExpression: (node, { source }) => {
    const at = node['prefix'] === true ? node.start : node.end - 2;
    return [{ start: at, end: at + 2, text: arithmetic[source.slice(at, at + 2)] ?? '', operator: 'arithmetic' }];
  },
  AssignmentExpression: (node, scene) => swapOperator(node, scene, arithmetic, 'arithmetic'),
  IfStatement: replaceTest,
  ConditionalExpression: replaceTest,
  WhileStatement: (node) => replaceTest(node).slice(1),
  ExpressionStatement: (node) => (node['directive'] === undefined ? [remove(node)] : []),
  ThrowStatement: (node) => [remove(node)],
  ReturnStatement(node) {
    const { argument } = node;
    if (argument === null) return [remove(node)];
    // That it returns undefined already is no mutant.
    return isNode(argument) && argument['name'] === 'undefined'
      ? []
      : [replaced(node, 'return undefined as never;', 'removal')];
  },
  Literal: mutateLiteral,
};

/** Every mutant of a TypeScript source, in the order of the text. Types are left alone. */
export function mutantsOf(source: string): readonly Mutant[] {
  const { program, errors } = parseSync('source.ts', source);
  if (errors.length > 0) throw new Error(`The source does not parse: ${errors[0]?.message}`);
  const found: Mutant[] = [];
  visit(program as unknown as Node, [], (node, parents) => {
    found.push(...(mutators[node.type]?.(node, { source, parents }) ?? []));
  });
  return found.toSorted((a, b) => a.start - b.start || a.end - b.end);
}

/** Of a type only what it is about: `value as Type` has a value. */
function visit(node: Node, parents: readonly Node[], see: (node: Node, parents: readonly Node[]) => void): void {
  if (node.type === 'ImportDeclaration' || node.type === 'ImportExpression') return;
  see(node, parents);
  const isType = node.type.startsWith('TS');
  const keys = isType ? ['expression'] : Object.keys(node);
  for (const key of keys) {
    for (const child of [node[key]].flat()) if (isNode(child)) visit(child, [node, ...parents], see);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function mutateBinary(node: Node, scene: Scene): readonly Mutant[] {
  const isText = [node['left'], node['right']].some((side) => isNode(side) && isTextual(side));
  if (isText && node['operator'] === '+') return [];
  return [
    ...swapOperator(node, scene, boundaries, 'boundary'),
    ...swapOperator(node, scene, negations, 'comparison'),
    ...swapOperator(node, scene, arithmetic, 'arithmetic'),
  ];
}

function isTextual(node: Node): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node['value'] === 'string');
}

function mutateUnary(node: Node, { source }: Scene): readonly Mutant[] {
  const argument = node['argument'];
  if (!isNode(argument) || !['!', '-'].includes(String(node['operator']))) return [];
  const operator = node['operator'] === '!' ? 'boolean' : 'arithmetic';
  return [replaced(node, source.slice(argument.start, argument.end), operator)];
}

/** The operator stands between its two sides. */
function swapOperator(
  node: Node,
  { source }: Scene,
  table: Readonly<Record<string, string>>,
  operator: Operator,
): readonly Mutant[] {
  const { left, right, operator: written } = node;
  const text = table[String(written)];
  if (!isNode(left) || !isNode(right) || text === undefined) return [];
  const start = source.indexOf(String(written), left.end);
  return [{ start, end: start + String(written).length, text, operator }];
}

function replaceTest(node: Node): readonly Mutant[] {
  const test = node['test'];
  if (!isNode(test)) return [];
  return [replaced(test, 'true as boolean', 'condition'), replaced(test, 'false as boolean', 'condition')];
}

function mutateLiteral(node: Node, { parents }: Scene): readonly Mutant[] {
  const { value } = node;
  const [parent] = parents;
  if (parent?.type === 'Property' && parent['key'] === node) return [];
  if (typeof value === 'boolean') return [replaced(node, `${!value}`, 'boolean')];
  if (typeof value === 'number')
    return [replaced(node, `${value + 1}`, 'number'), replaced(node, `(${value - 1})`, 'number')];
  return typeof value === 'string' && !isProse(value, parents) ? [replaced(node, "''", 'string')] : [];
}

function isProse(value: string, [parent, grandparent]: readonly Node[]): boolean {
  if (value === '' || /\s\S+\s/.test(value)) return true;
  const keys = [parent, grandparent].map((node) => (node?.type === 'Property' ? node['key'] : undefined));
  return keys.some((key) => isNode(key) && proseKeys.includes(String(key['name'])));
}

function remove(node: Node): Mutant {
  return replaced(node, ';', 'removal');
}

function replaced({ start, end }: Node, text: string, operator: Operator): Mutant {
  return { start, end, text, operator };
}
