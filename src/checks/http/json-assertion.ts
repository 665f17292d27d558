import { FunctionExpressionType, jsonpath, JSONPathEnvironment, JSONPathNodeList } from 'json-p3';
import type { FilterFunction, JSONPathQuery, JSONValue } from 'json-p3';
import { compilePattern } from '../../core/pattern.ts';
import { MatchingBudget } from '../../core/matching.ts';

const { FilterSelector } = jsonpath.selectors;
const {
  FilterQuery,
  FunctionExtension,
  InfixExpression,
  LogicalExpression,
  PrefixExpression,
  RootQuery,
  StringLiteral,
} = jsonpath.expressions;
type Expression = jsonpath.expressions.FilterExpression;

const environment = new JSONPathEnvironment();
const budget = new MatchingBudget();
// RFC 9535's match() and search() in linear time: JavaScript's own engine takes forever on a pattern made for that.
environment.functionRegister.set(
  'match',
  matcher((text, pattern) => compilePattern(pattern).matches(text)),
);
environment.functionRegister.set(
  'search',
  matcher((text, pattern) => compilePattern(pattern).matcher(text).find()),
);

function matcher(test: (text: string, pattern: string) => boolean): FilterFunction {
  const { ValueType, LogicalType } = FunctionExpressionType;
  return {
    argTypes: [ValueType, ValueType],
    returnType: LogicalType,
    call(text, pattern) {
      if (typeof text !== 'string' || typeof pattern !== 'string') return false;
      if (!budget.spend(text.length, pattern)) throw new Error('its texts are too long together for this pattern');
      return test(text, pattern);
    },
  };
}

export interface JsonAssertion {
  holds(document: JSONValue): boolean;
  /** The value that the comparison found in the document, for a message. */
  found(document: JSONValue): string;
}

/**
 * An assertion on a JSON document: a logical expression as RFC 9535 allows in a filter, `$.status == "ok" && $.queue < 100`.
 * @throws {Error} if it is invalid, or if a document could make it take more than linear time
 */
export function compileAssertion(text: string): JsonAssertion {
  const expression = parse(text);
  assertAffordable(expression, 'outside');
  failWithoutValue(expression);
  return {
    holds(document) {
      budget.renew();
      return expression.evaluate(contextOf(document));
    },
    found: (document) => {
      const { expression: comparison } = expression;
      return inWords(comparison instanceof InfixExpression ? comparison.left.evaluate(contextOf(document)) : false);
    },
  };
}

function contextOf(document: JSONValue): jsonpath.FilterContext {
  return { environment, currentValue: document, rootValue: document };
}

/** The expression stands in a filter of its own, so that the library's grammar is the only one. */
function parse(text: string): jsonpath.expressions.LogicalExpression {
  const { segments } = environment.compile(`$[?${text}]`);
  const [selector, ...others] = segments.flatMap((segment) => segment.selectors);
  if (others.length > 0 || !(selector instanceof FilterSelector)) throw new Error('expected one expression');
  return selector.expression;
}

/**
 * A missing value differs from every value (RFC 9535 section 2.3.5.2.2), so that `$.state != "broken"` would hold of a document
 * without `state`. A person who asserts it means a value: here it fails.
 */
function failWithoutValue(expression: Expression): void {
  if (expression instanceof LogicalExpression) return failWithoutValue(expression.expression);
  if (expression instanceof PrefixExpression) return failWithoutValue(expression.right);
  if (!(expression instanceof InfixExpression)) return;
  const { left, right, operator } = expression;
  if (operator !== '!=') return [left, right].forEach(failWithoutValue);
  const evaluate = expression.evaluate.bind(expression);
  expression.evaluate = (context) =>
    ![left, right].some((side) => side instanceof FilterQuery && isNothing(side.evaluate(context))) &&
    evaluate(context);
}

function isNothing(found: unknown): boolean {
  return found instanceof JSONPathNodeList && found.nodes.length === 0;
}

/** Each query of an assertion visits the document at most once: one `..`, and inside a filter neither `..` nor `$`. */
function assertAffordable(expression: Expression, where: 'outside' | 'inside a filter'): void {
  if (expression instanceof LogicalExpression) return assertAffordable(expression.expression, where);
  if (expression instanceof PrefixExpression) return assertAffordable(expression.right, where);
  if (expression instanceof InfixExpression) {
    assertAffordable(expression.left, where);
    return assertAffordable(expression.right, where);
  }
  if (expression instanceof FunctionExtension) {
    assertPatternIsGiven(expression);
    return expression.args.forEach((arg) => assertAffordable(arg, where));
  }
  if (!(expression instanceof FilterQuery)) return;
  if (where === 'inside a filter' && expression instanceof RootQuery)
    throw new Error('"$" inside a filter is too costly');
  assertAffordableQuery(expression.path, where);
}

/** The pattern must be a literal: one from the document would be the target's choice, and compiled in every run. @throws {Error} if it is not */
function assertPatternIsGiven({ name, args: [, pattern] }: jsonpath.expressions.FunctionExtension): void {
  if (name !== 'match' && name !== 'search') return;
  if (!(pattern instanceof StringLiteral))
    throw new Error(`expected a pattern in quotes as second argument of ${name}()`);
  compilePattern(pattern.value);
}

function assertAffordableQuery({ segments }: JSONPathQuery, where: 'outside' | 'inside a filter'): void {
  const descents = segments.filter((segment) => segment.toString().startsWith('..')).length;
  if (descents > (where === 'outside' ? 1 : 0)) throw new Error('more than one ".." is too costly');
  for (const selector of segments.flatMap((segment) => segment.selectors))
    if (selector instanceof FilterSelector) assertAffordable(selector.expression, 'inside a filter');
}

function inWords(found: unknown): string {
  const value = found instanceof JSONPathNodeList ? found.nodes[0]?.value : found;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'symbol' || value === undefined ? 'nothing' : JSON.stringify(value);
}
