package comprehension

totals := {item.sku: total |
	some item in input.order.items
	total := sum([n | some other in input.order.items; other.sku == item.sku; n := other.quantity])
}

skus := {item.sku | some item in input.order.items}

expensive := count([item | some item in input.order.items; item.price > 100])
