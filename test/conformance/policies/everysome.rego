package everysome

all_positive if {
	every item in input.order.items {
		item.quantity > 0
	}
}

all_keyed if {
	every key, value in input.extra {
		key != ""
		value != null
	}
}

any_big if {
	some index, item in input.order.items
	index < 3
	item.quantity > 5
}

none_blocked if not "blocked" in input.user.roles
