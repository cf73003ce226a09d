/**
 * The syntax tree, typed while it is built (`typeof`, `sizeof` and array bounds need types in the middle of parsing). Implicit conversions are
 * explicit `cast` nodes, `a[i]` is `*(a + i)`, `p->m` is `(*p).m`: what lowering sees is small.
 */
import type { Origin } from '../vm/bytecode.ts';
import type { CSymbol, FunctionSymbol, VariableSymbol } from './scope.ts';
import type { CType, FunctionType } from './types.ts';

interface Node {
  origin: Origin;
}
interface Typed extends Node {
  type: CType;
  /** The value, if the expression is an integer constant (pointers made from integers included), already wrapped to the type. */
  value?: bigint;
  /** Height of the tree below; bounds every recursive walk. */
  height: number;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>';
export type ComparisonOperator = '==' | '!=' | '<' | '<=';

export interface NumberExpression extends Typed {
  kind: 'number';
  value: bigint;
  /** Written as `offsetof`/`sizeof`: the same distance in slots, for arithmetic on `void *`. */
  slots?: number;
}
export interface StringExpression extends Typed {
  kind: 'string';
  text: string;
}
export interface VariableExpression extends Typed {
  kind: 'variable';
  symbol: VariableSymbol;
}
export interface FunctionExpression extends Typed {
  kind: 'function';
  symbol: FunctionSymbol;
}
export interface UnaryExpression extends Typed {
  kind: 'unary';
  operator: '-' | '~' | '!';
  operand: Expression;
}
/** `*operand`: an lvalue (or a function). */
export interface DereferenceExpression extends Typed {
  kind: 'dereference';
  operand: Expression;
}
/** `&operand`; also an array or function where its address is meant. */
export interface AddressExpression extends Typed {
  kind: 'address';
  operand: Expression;
}
/** Both operands have the node's type, except for the count of a shift. */
export interface BinaryExpression extends Typed {
  kind: 'binary';
  operator: ArithmeticOperator;
  left: Expression;
  right: Expression;
}
/** Operands have one type; `>` and `>=` are written with the operands exchanged. */
export interface ComparisonExpression extends Typed {
  kind: 'comparison';
  operator: ComparisonOperator;
  left: Expression;
  right: Expression;
}
export interface LogicalExpression extends Typed {
  kind: 'logical';
  operator: '&&' | '||';
  left: Expression;
  right: Expression;
}
/** Pointer plus or minus an integer; the index counts elements of `step` slots. */
export interface PointerAddExpression extends Typed {
  kind: 'pointer-add';
  pointer: Expression;
  index: Expression;
  subtract: boolean;
  step: number;
}
export interface PointerDifferenceExpression extends Typed {
  kind: 'pointer-difference';
  left: Expression;
  right: Expression;
  step: number;
}
export interface ConditionalExpression extends Typed {
  kind: 'conditional';
  condition: Expression;
  /** Absent in GCC's `a ?: b`. */
  consequent: Expression | undefined;
  otherwise: Expression;
}
export interface AssignmentExpression extends Typed {
  kind: 'assignment';
  target: Expression;
  /** Already converted to the target's type. */
  source: Expression;
}
/** `target op= operand`, `++target`, `target--` …: the target is evaluated once. */
export interface CompoundExpression extends Typed {
  kind: 'compound';
  operator: ArithmeticOperator;
  target: Expression;
  operand: Expression;
  /** Type in which the operation is done (pointers: the pointer's). */
  computeType: CType;
  /** The expression's value is what the target held before. */
  yieldsOld: boolean;
  /** Slots per element when the target is a pointer. */
  step: number;
}
export interface CastExpression extends Typed {
  kind: 'cast';
  operand: Expression;
  explicit: boolean;
}
export interface MemberExpression extends Typed {
  kind: 'member';
  record: Expression;
  name: string;
  slot: number;
  bits?: { offset: number; width: number };
  /** The slot may have been written as another type (union). */
  overlaid: boolean;
  mustPropagate: boolean;
}
export interface CallExpression extends Typed {
  kind: 'call';
  callee: Expression;
  arguments: Expression[];
}
export interface CommaExpression extends Typed {
  kind: 'comma';
  left: Expression;
  right: Expression;
}
export interface StatementExpression extends Typed {
  kind: 'statement-expression';
  body: BlockStatement;
}
/** `(type){ … }`: an unnamed variable and its initialiser. */
export interface CompoundLiteralExpression extends Typed {
  kind: 'compound-literal';
  symbol: VariableSymbol;
  initializer: Initializer;
}
/** A built-in that lowering knows: memory functions by static type, `__builtin_unreachable` … */
export interface BuiltinExpression extends Typed {
  kind: 'builtin';
  name: string;
  arguments: Expression[];
}
/** Something that cannot run; a TRAP if it is reached. */
export interface ProblemExpression extends Typed {
  kind: 'problem';
  rule: string;
  message: string;
  name?: string;
}

export type Expression =
  | NumberExpression
  | StringExpression
  | VariableExpression
  | FunctionExpression
  | UnaryExpression
  | DereferenceExpression
  | AddressExpression
  | BinaryExpression
  | ComparisonExpression
  | LogicalExpression
  | PointerAddExpression
  | PointerDifferenceExpression
  | ConditionalExpression
  | AssignmentExpression
  | CompoundExpression
  | CastExpression
  | MemberExpression
  | CallExpression
  | CommaExpression
  | StatementExpression
  | CompoundLiteralExpression
  | BuiltinExpression
  | ProblemExpression;

/** One scalar, string or whole record put at a slot of the object being initialised. Slots not named are zero. */
export interface InitializerEntry {
  slot: number;
  bits?: { offset: number; width: number };
  type: CType;
  value: Expression;
}
export interface Initializer {
  type: CType;
  entries: InitializerEntry[];
  /** The entries leave something out, so the object is zeroed first. */
  zero: boolean;
}

export interface BlockStatement extends Node {
  kind: 'block';
  statements: Statement[];
  /** Compound literals in the block: they live as long as it does. */
  literals: VariableSymbol[];
}
export interface ExpressionStatement extends Node {
  kind: 'expression';
  expression: Expression;
}
export interface DeclarationStatement extends Node {
  kind: 'declaration';
  symbol: VariableSymbol;
  initializer: Initializer | undefined;
}
export interface IfStatement extends Node {
  kind: 'if';
  condition: Expression;
  consequent: Statement;
  otherwise: Statement | undefined;
}
export interface LoopStatement extends Node {
  kind: 'loop';
  form: 'while' | 'do' | 'for';
  /** Declarations or expression of a `for`. */
  initial: Statement[];
  condition: Expression | undefined;
  step: Expression | undefined;
  body: Statement;
  /** From the keyword to the end of the controlling expression. */
  head: Origin;
  /** A label or case inside: the loop may be entered elsewhere than at its head. */
  hasLabels: boolean;
  /** Variables that the controlling expression reads. */
  controls: Set<CSymbol>;
}
export interface SwitchStatement extends Node {
  kind: 'switch';
  control: Expression;
  cases: CaseStatement[];
  body: Statement;
}
/** `case low:`, `case low ... high:`, `default:` */
export interface CaseStatement extends Node {
  kind: 'case';
  low: bigint | undefined;
  high: bigint | undefined;
  body: Statement;
}
export interface LabelStatement extends Node {
  kind: 'label';
  name: string;
  body: Statement;
}
export interface GotoStatement extends Node {
  kind: 'goto';
  label: string;
}
export interface JumpStatement extends Node {
  kind: 'break' | 'continue';
}
export interface ReturnStatement extends Node {
  kind: 'return';
  value: Expression | undefined;
}
export interface EmptyStatement extends Node {
  kind: 'empty';
}
export interface ProblemStatement extends Node {
  kind: 'problem';
  rule: string;
  message: string;
}

export type Statement =
  | BlockStatement
  | ExpressionStatement
  | DeclarationStatement
  | IfStatement
  | LoopStatement
  | SwitchStatement
  | CaseStatement
  | LabelStatement
  | GotoStatement
  | JumpStatement
  | ReturnStatement
  | EmptyStatement
  | ProblemStatement;

export interface FunctionSyntax {
  name: string;
  type: FunctionType;
  parameters: VariableSymbol[];
  body: BlockStatement;
  origin: Origin;
  /** Names of the labels anywhere in it. */
  labels: ReadonlySet<string>;
}
