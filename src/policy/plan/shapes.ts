import type { Block, Operand, Statement } from './plan.ts';

/** The end of every entrypoint: an object {"result": value} is put into the result set. Only its value is wanted. */
export function resultOf(
  statements: readonly Statement[],
  at: number,
  strings: readonly string[],
): Operand | null {
  const [make, insert, add] = statements.slice(at, at + 3);
  if (
    make?.type !== 'MakeObjectStmt' ||
    insert?.type !== 'ObjectInsertStmt' ||
    add?.type !== 'ResultSetAddStmt'
  )
    return null;
  const { object, key, value } = insert.stmt;
  const named = key.type === 'string_index' && strings[key.value] === 'result';
  return named && object === make.stmt.target && object === add.stmt.value ? value : null;
}

/** Whether an array grows inside of a block: the only way to see in which order a scan went. */
export function buildsArray(block: Block): boolean {
  return block.stmts.some((statement) => {
    switch (statement.type) {
      case 'ArrayAppendStmt':
        return true;
      case 'BlockStmt':
        return statement.stmt.blocks.some(buildsArray);
      case 'NotStmt':
      case 'ScanStmt':
      case 'WithStmt':
        return buildsArray(statement.stmt.block);
      default:
        return false;
    }
  });
}
