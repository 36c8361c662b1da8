/**
 * The strongly connected components of a graph, those that others lead to first (R. Tarjan, "Depth-first search and linear
 * graph algorithms", SIAM Journal on Computing 1(2), 1972), without recursion: guests can be deep.
 */
export function components(nodes: number, edges: (node: number) => readonly number[]): number[][] {
  const order = new Int32Array(nodes).fill(-1);
  const lowest = new Int32Array(nodes);
  const isOpen = new Uint8Array(nodes);
  const open: number[] = [];
  const found: number[][] = [];
  let next = 0;
  for (let root = 0; root < nodes; root++) {
    if (order[root] !== -1) continue;
    const path: { node: number; targets: readonly number[]; done: number }[] = [];
    const enter = (node: number) => {
      order[node] = lowest[node] = next++;
      isOpen[node] = 1;
      open.push(node);
      path.push({ node, targets: edges(node), done: 0 });
    };
    enter(root);
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const target = step.targets[step.done++];
      const { node } = step;
      if (target !== undefined) {
        if (order[target] === -1) enter(target);
        else if (isOpen[target] === 1) lower(lowest, node, order[target] as number);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) lower(lowest, parent.node, lowest[node] as number);
      if (lowest[node] === order[node]) found.push(close(open, isOpen, node));
    }
  }
  return found;
}

function lower(lowest: Int32Array, node: number, value: number): void {
  if (value < (lowest[node] as number)) lowest[node] = value;
}

function close(open: number[], isOpen: Uint8Array, first: number): number[] {
  const members = open.splice(open.lastIndexOf(first));
  for (const node of members) isOpen[node] = 0;
  return members;
}
