/** CEL: one quantity of a spec is at most another. Values that are no quantities are refused by rules of their own. */
export function atMost(less: string, more: string): string {
  const [a, b] = [`string(self.${less})`, `string(self.${more})`];
  return `(!isQuantity(${a}) || !isQuantity(${b}) || quantity(${a}).compareTo(quantity(${b})) <= 0)`;
}
