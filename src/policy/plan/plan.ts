import { z } from 'zod';

/**
 * The plan that OPA's compiler emits for `opa build -t plan`: an imperative program over local variables.
 * Source: package `github.com/open-policy-agent/opa/v1/ir`. A plan is checked here before a single character of code
 * is made of it: what follows may rely on every number being an index and every word being known.
 */
const index = z.int().min(0).max(1_000_000);
const local = index;

const operand = z.discriminatedUnion('type', [
  z.object({ type: z.literal('local'), value: local }),
  z.object({ type: z.literal('string_index'), value: index }),
  z.object({ type: z.literal('bool'), value: z.boolean() }),
]);

/** Go writes an empty list as null. */
const list = <T extends z.ZodType>(element: T) => z.preprocess((value) => value ?? [], z.array(element));

const shapes = {
  ArrayAppendStmt: z.object({ value: operand, array: local }),
  AssignIntStmt: z.object({ value: z.int(), target: local }),
  AssignVarOnceStmt: z.object({ source: operand, target: local }),
  AssignVarStmt: z.object({ source: operand, target: local }),
  BlockStmt: z.object({ blocks: list(z.lazy(() => block)) }),
  BreakStmt: z.object({ index }),
  CallDynamicStmt: z.object({ args: list(local), result: local, path: list(operand) }),
  CallStmt: z.object({ func: z.string(), args: list(operand), result: local }),
  DotStmt: z.object({ source: operand, key: operand, target: local }),
  EqualStmt: z.object({ a: operand, b: operand }),
  IsArrayStmt: z.object({ source: operand }),
  IsDefinedStmt: z.object({ source: local }),
  IsObjectStmt: z.object({ source: operand }),
  IsSetStmt: z.object({ source: operand }),
  IsUndefinedStmt: z.object({ source: local }),
  LenStmt: z.object({ source: operand, target: local }),
  MakeArrayStmt: z.object({ target: local }),
  MakeNullStmt: z.object({ target: local }),
  MakeNumberIntStmt: z.object({ value: z.int(), target: local }),
  MakeNumberRefStmt: z.object({ Index: index, target: local }),
  MakeObjectStmt: z.object({ target: local }),
  MakeSetStmt: z.object({ target: local }),
  NopStmt: z.object({}),
  NotEqualStmt: z.object({ a: operand, b: operand }),
  NotStmt: z.object({ block: z.lazy(() => block) }),
  ObjectInsertOnceStmt: z.object({ key: operand, value: operand, object: local }),
  ObjectInsertStmt: z.object({ key: operand, value: operand, object: local }),
  ObjectMergeStmt: z.object({ a: local, b: local, target: local }),
  ResetLocalStmt: z.object({ target: local }),
  ResultSetAddStmt: z.object({ value: local }),
  ReturnLocalStmt: z.object({ source: local }),
  ScanStmt: z.object({ source: local, key: local, value: local, block: z.lazy(() => block) }),
  SetAddStmt: z.object({ value: operand, set: local }),
  WithStmt: z.object({ local, path: list(index), value: operand, block: z.lazy(() => block) }),
};

export type Operand = z.infer<typeof operand>;
export interface Block {
  stmts: Statement[];
}

/** The statements that hold blocks, written out: an inferred type cannot refer to itself. */
interface Nesting {
  BlockStmt: { blocks: Block[] };
  NotStmt: { block: Block };
  ScanStmt: { source: number; key: number; value: number; block: Block };
  WithStmt: { local: number; path: number[]; value: Operand; block: Block };
}
type Kind = keyof typeof shapes;
/** The fields of one kind of statement. */
export type Fields<K extends Kind> = K extends keyof Nesting ? Nesting[K] : z.infer<(typeof shapes)[K]>;
export type StatementOf<K extends Kind> = { type: K; stmt: Fields<K> };
export type Statement = { [K in Kind]: StatementOf<K> }[Kind];

const kinds = z.enum(Object.keys(shapes) as [Kind, ...Kind[]]);

const statement: z.ZodType<Statement> = z.lazy(() =>
  z.discriminatedUnion(
    'type',
    kinds.options.map((type) => z.object({ type: z.literal(type), stmt: shapes[type] })) as never,
  ),
);

const block: z.ZodType<Block> = z.object({ stmts: list(statement) }) as never;

const plan = z.object({
  static: z.object({ strings: list(z.object({ value: z.string() })) }),
  plans: z.object({ plans: list(z.object({ name: z.string(), blocks: list(block) })) }),
  funcs: z.object({
    funcs: list(
      z.object({
        name: z.string(),
        params: z.array(local).min(1),
        return: local,
        blocks: list(block),
        path: list(z.string()),
      }),
    ),
  }),
});

export type Plan = z.infer<typeof plan>;
export type PlanFunction = Plan['funcs']['funcs'][number];

/** Checks the shape of a plan. The answer is the plan, or a sentence that says what is wrong with it. */
export function readPlan(json: unknown): Plan | string {
  const read = plan.safeParse(json);
  return read.success ? read.data : `a malformed plan: ${z.prettifyError(read.error).slice(0, 500)}`;
}
